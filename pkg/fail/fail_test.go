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

// ownedError is an error of a library.
type ownedError struct{ owner string }

func (e *ownedError) Error() string { return "owned by " + e.owner }

// TestAdvise holds that an adviser gives the errors of a library their exit
// code and hint where they stand in the chain, and that what wraps the error or
// advises again neither loses nor repeats them.
func TestAdvise(t *testing.T) {
	t.Parallel()
	adviser := func(err error) fail.Advice {
		if e, ok := err.(*ownedError); ok { //nolint:errorlint // an adviser looks at one error
			return fail.Advice{Code: fail.Refused, Hint: "ask " + e.owner}
		}
		return fail.Advice{}
	}
	library := fmt.Errorf("apply: %w", fail.Hint(fmt.Errorf("web: %w", &ownedError{"Helm"}), "first"))
	if code := fail.CodeOf(library); code != fail.Failed {
		t.Errorf("exit code %d without an adviser", code)
	}
	err := fail.Advise(fmt.Errorf("run: %w", fail.Advise(errors.Join(library, fail.Usagef("x")), adviser)), adviser)
	if code := fail.CodeOf(err); code != fail.Refused {
		t.Errorf("exit code %d", code)
	}
	if diff := cmp.Diff([]string{"first", "ask Helm"}, fail.HintsOf(err)); diff != "" {
		t.Errorf("HintsOf (-want +got):\n%s", diff)
	}
	if e, ok := errors.AsType[*ownedError](err); !ok || e.owner != "Helm" || err.Error() != "run: apply: web: owned by Helm\nx" {
		t.Errorf("the error is %v", err)
	}
	if fail.Advise(nil, adviser) != nil {
		t.Error("advice makes an error of nil")
	}
	if invalid := fail.Invalidf("x: %w", library); fail.CodeOf(invalid) != fail.Usage || !errors.Is(invalid, library) {
		t.Errorf("an invalid argument has exit code %d", fail.CodeOf(invalid))
	}
	if fail.Invalid(nil) != nil || fail.Refuse(nil) != nil {
		t.Error("a sort makes an error of nil")
	}
}
