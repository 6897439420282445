// SPDX-License-Identifier: Apache-2.0

package fields

import "fmt"

// Error is what is wrong with one field of a function config.
type Error struct {
	Field string // "spec.module.url"
	Err   error
}

// Error names the field.
func (e *Error) Error() string { return e.Field + ": " + e.Err.Error() }

// Unwrap returns what is wrong.
func (e *Error) Unwrap() error { return e.Err }

// At returns an error about a field, nil where there is none.
func At(field string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{field, err}
}

// Errorf returns a new error about a field.
func Errorf(field, format string, args ...any) error {
	return &Error{field, fmt.Errorf(format, args...)}
}
