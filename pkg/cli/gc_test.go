// SPDX-License-Identifier: Apache-2.0

package cli

import "testing"

func TestPercentFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		live, goal uint64 // in MiB
		want       int
	}{
		"no collection yet":                   {0, 96, 100},
		"a small heap":                        {4, 96, 2300},
		"one that fills a quarter":            {24, 96, 300},
		"one that fills a half":               {48, 96, 100},
		"garbage is a third":                  {64, 96, 100},
		"all is live":                         {96, 96, 400},
		"all is live, more than the goal":     {110, 96, 400},
		"all is live, up to the bound":        {256, 256, 200},
		"all is live beyond the bound":        {1 << 20, 1 << 20, 100},
		"a large heap of which most is freed": {200, 1024, 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := percentFor(c.live<<20, c.goal<<20); got != c.want {
				t.Errorf("percentFor(%d MiB, %d MiB) = %d, want %d", c.live, c.goal, got, c.want)
			}
		})
	}
}
