// SPDX-License-Identifier: Apache-2.0

package fail_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

func TestOneOf(t *testing.T) {
	t.Parallel()
	type mode string
	for name, tc := range map[string]struct {
		value     mode
		err, hint string
	}{
		"known":   {"server", "", ""},
		"empty":   {"", "", ""},
		"unknown": {"all", `--dry-run "all" is not one of none, server`, ""},
		"near":    {"sever", `--dry-run "sever" is not one of none, server`, "did you mean server?"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := fail.OneOf("--dry-run", tc.value, "none", "server", "")
			if tc.err == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var hints []string
			if tc.hint != "" {
				hints = []string{tc.hint}
			}
			if err.Error() != tc.err || fail.CodeOf(err) != fail.Usage || !cmp.Equal(hints, fail.HintsOf(err)) {
				t.Errorf("%v, exit code %d, hints %q", err, fail.CodeOf(err), fail.HintsOf(err))
			}
		})
	}
}
