// SPDX-License-Identifier: Apache-2.0

package mask_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// several is an error of its own with several below it, whose text is theirs.
type several []error

func (s several) Error() string   { return errors.Join(s...).Error() }
func (s several) Unwrap() []error { return s }

// TestErrorKeepsTypes holds that errors are told apart by type below a hidden
// text: the exit code comes from it.
func TestErrorKeepsTypes(t *testing.T) {
	t.Parallel()
	hide := func(s string) string { return strings.ReplaceAll(s, "s3cret", "***") }
	err := mask.Error(errors.Join(several{errors.New("a s3cret")}, errors.New("b")), hide)
	if _, ok := errors.AsType[several](err); !ok || err.Error() != "a ***\nb" {
		t.Errorf("%T: %v", err, err)
	}
	if parts, ok := err.(interface{ Unwrap() []error }); !ok || len(parts.Unwrap()) != 2 {
		t.Errorf("joined errors are one: %T", err)
	}
}
