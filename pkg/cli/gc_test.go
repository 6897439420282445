// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"testing"
)

func TestPercentFor(t *testing.T) {
	t.Parallel()
	for live, want := range map[uint64]int{
		0:        100, // no collection yet
		4 << 20:  2300,
		24 << 20: 300,
		48 << 20: 100,
		80 << 20: 100,
		1 << 40:  100,
	} {
		t.Run(fmt.Sprint(live), func(t *testing.T) {
			t.Parallel()
			if got := percentFor(live); got != want {
				t.Errorf("percentFor(%d) = %d, want %d", live, got, want)
			}
		})
	}
}
