// SPDX-License-Identifier: Apache-2.0

package ref_test

import (
	"testing"

	"github.com/Masterminds/semver/v3"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
)

func TestUpdates(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		version string
		level   ref.Level
		within  string
		in, out []string
	}{
		"patch":                {"1.2.3", ref.Patch, "", []string{"1.2.3", "1.2.9"}, []string{"1.2.2", "1.3.0", "1.2.4-rc.1"}},
		"minor":                {"0.2.3", ref.Minor, "", []string{"0.2.3", "0.9.0"}, []string{"1.0.0", "0.2.2"}},
		"major":                {"1.2.3", ref.Major, "", []string{"2.0.0", "1.2.3"}, []string{"1.2.2", "3.0.0-rc.1"}},
		"of a pre-release":     {"1.2.3-rc.1", ref.Minor, "", []string{"1.2.3-rc.2", "1.2.3", "1.9.0-beta.1"}, []string{"2.0.0-rc.1", "1.2.3-alpha.1"}},
		"any in a range":       {"1.2.3", "", "^1 || ^2", []string{"1.9.0", "2.1.0"}, []string{"1.2.2", "3.0.0"}},
		"a level of a range":   {"1.2.3", ref.Minor, ">=1.0.0 <3.0.0 || ^5", []string{"1.9.0"}, []string{"2.0.0", "5.1.0"}},
		"range of pre-release": {"1.2.3", "", ">=1.2.3-0", []string{"1.2.3", "1.3.0"}, []string{"1.2.2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := ref.Updates(test.version, test.level, test.within)
			if err != nil {
				t.Fatal(err)
			}
			within, err := ref.ParseRange(text)
			if err != nil {
				t.Fatal(err)
			}
			for want, versions := range map[bool][]string{true: test.in, false: test.out} {
				for _, v := range versions {
					if got := within.Check(semver.MustParse(v)); got != want {
						t.Errorf("%s in %q: %v", v, text, got)
					}
				}
			}
		})
	}
	if _, err := ref.Updates("latest", ref.Minor, ""); err == nil {
		t.Error("latest is taken for a version")
	}
}
