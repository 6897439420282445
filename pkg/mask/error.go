// SPDX-License-Identifier: Apache-2.0

package mask

import (
	"errors"
	"reflect"
)

// Error returns an error whose text, and that of its hints, is what hide makes
// of it. Each of joined errors stays one of its own.
func Error(err error, hide func(string) string) error {
	if err == nil {
		return nil
	}
	// Other errors with several below them are told apart by their own type.
	if reflect.TypeOf(err) != reflect.TypeOf(errors.Join(err)) {
		return &hiddenError{hide: hide, error: err}
	}
	var parts []error
	for _, part := range err.(interface{ Unwrap() []error }).Unwrap() { //nolint:forcetypeassert // what errors.Join returns has it
		parts = append(parts, Error(part, hide))
	}
	return errors.Join(parts...)
}

// hiddenError is an error with a text of its own. What is below it must not be
// printed, but tells its type, hints and the exit code.
type hiddenError struct {
	hide func(string) string
	error
}

func (h *hiddenError) Error() string { return h.hide(h.error.Error()) }
func (h *hiddenError) Unwrap() error { return h.error }

// HideHint returns what may be shown of a hint that is below the error.
func (h *hiddenError) HideHint(hint string) string { return h.hide(hint) }
