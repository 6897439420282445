// SPDX-License-Identifier: Apache-2.0

package values_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// TestHideIn holds that what is read out of an error, each problem of each joined
// one and each hint, is hidden as its text is.
func TestHideIn(t *testing.T) {
	t.Parallel()
	problem := func(path string) error {
		return values.NewError([]values.Problem{{Path: path, Message: "s3cret is wrong", Advice: "not s3cret"}})
	}
	err := errors.Join(problem("a.s3cret"), fmt.Errorf("wrapped: %w", errors.Join(problem(`b."s3cret"`), problem("c.s3cret[0]"))), fail.Hint(errors.New("no name here"), "delete s3cret"))
	err = values.HideIn(values.Hider(map[string]string{"NAME": "s3cret"}))(err)
	shown := append(fail.HintsOf(err), err.Error())
	var count func(error)
	problems := 0
	count = func(err error) {
		switch e := err.(type) { //nolint:errorlint // each link of the chain is visited
		case *values.Error:
			for _, p := range e.Problems {
				problems++
				shown = append(shown, p.String(), p.Path, p.Advice)
			}
		case interface{ Unwrap() error }:
			count(e.Unwrap())
		case interface{ Unwrap() []error }:
			for _, part := range e.Unwrap() {
				count(part)
			}
		}
	}
	count(err)
	if text := strings.Join(shown, "\n"); problems != 3 || strings.Contains(text, "s3cret") || !strings.Contains(text, "delete <NAME>") {
		t.Errorf("%d problems: %s", problems, text)
	}
	if parts, ok := err.(interface{ Unwrap() []error }); !ok || len(parts.Unwrap()) != 3 {
		t.Errorf("joined errors are not any more: %T", err)
	}
}
