// SPDX-License-Identifier: Apache-2.0

package fail_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

func TestCodeOf(t *testing.T) {
	t.Parallel()
	plain := errors.New("plain")
	for name, tc := range map[string]struct {
		err  error
		want fail.Code
	}{
		"nil":                {nil, fail.Done},
		"no code":            {plain, fail.Failed},
		"coded":              {fail.With(fail.NotReady, plain), fail.NotReady},
		"wrapped":            {fmt.Errorf("apply app: %w", fail.Refusedf("owned")), fail.Refused},
		"outermost wins":     {fail.With(fail.Failed, fmt.Errorf("x: %w", fail.Usagef("y"))), fail.Failed},
		"below a hint":       {fail.Hint(fail.Usagef("y"), "z"), fail.Usage},
		"first of joined":    {errors.Join(fail.Refusedf("a"), fail.Usagef("b")), fail.Refused},
		"nil keeps no code":  {fail.With(fail.Refused, nil), fail.Done},
		"nil keeps no hint":  {fail.Hint(nil, "x"), fail.Done},
		"uncoded then coded": {errors.Join(plain, fail.Usagef("b")), fail.Usage},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := fail.CodeOf(tc.err); got != tc.want {
				t.Errorf("CodeOf(%v) = %d, want %d", tc.err, got, tc.want)
			}
		})
	}
}

func TestHintsOf(t *testing.T) {
	t.Parallel()
	inner := fail.Hint(errors.New("no such file"), "create it with %q", "mod init")
	err := errors.Join(fail.Hint(fmt.Errorf("apply: %w", inner), "outer"), fail.With(fail.Usage, inner))
	want := []string{"outer", `create it with "mod init"`}
	if diff := cmp.Diff(want, fail.HintsOf(err)); diff != "" {
		t.Errorf("HintsOf (-want +got):\n%s", diff)
	}
	if got := fail.HintsOf(nil); got != nil {
		t.Errorf("HintsOf(nil) = %v", got)
	}
	if got, want := inner.Error(), "no such file"; got != want {
		t.Errorf("a hint changed the text: %q, want %q", got, want)
	}
}
