// SPDX-License-Identifier: Apache-2.0

// Package fail gives an error what a command line needs in addition to its text: an
// exit code and a hint. Both travel down the chain of wrapped errors, so the
// place that knows the reason sets them and the command that ends reads them.
package fail

import (
	"errors"
	"fmt"
)

// Code is the exit code of a process.
type Code int

// The exit codes of every binary of the project (docs/design.md, decision 12).
const (
	Done        Code = 0   // the command did what was asked
	No          Code = 1   // the answer is no: differences, not ready, invalid
	Usage       Code = 2   // the command line is wrong
	Failed      Code = 3   // something went wrong
	NotReady    Code = 4   // applied, but not ready in time
	Refused     Code = 5   // refused: ownership or safety
	Interrupted Code = 130 // SIGINT
	Terminated  Code = 143 // SIGTERM
)

// coded is an error with an exit code; its text is that of the error it wraps.
type coded struct {
	error
	code Code
}

func (e *coded) Unwrap() error { return e.error }

// hinted is an error with advice; its text is that of the error it wraps.
type hinted struct {
	error
	hint string
}

func (e *hinted) Unwrap() error { return e.error }

// With returns err with an exit code. A nil err stays nil.
func With(code Code, err error) error {
	if err == nil {
		return nil
	}
	return &coded{error: err, code: code}
}

// Usagef returns an error about the command line, exit code 2.
func Usagef(format string, args ...any) error {
	return With(Usage, fmt.Errorf(format, args...))
}

// Refusedf returns an error for something that was not done because it would
// not be safe or has another owner, exit code 5.
func Refusedf(format string, args ...any) error {
	return With(Refused, fmt.Errorf(format, args...))
}

// Hint returns err with advice for the person: what to do next, if possible as
// a command that can be pasted. A nil err stays nil.
func Hint(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &hinted{error: err, hint: fmt.Sprintf(format, args...)}
}

// CodeOf returns the exit code of err: Done for nil, the code nearest to the
// outside of the chain, Failed when there is none. Of joined errors the one
// that comes first decides.
func CodeOf(err error) Code {
	if err == nil {
		return Done
	}
	if c, ok := errors.AsType[*coded](err); ok {
		return c.code
	}
	return Failed
}

// HintsOf returns the advice found in err and in the errors that it wraps or
// joins, from the outside in, without repetition.
func HintsOf(err error) []string {
	var hints []string
	seen := map[string]bool{}
	walk(err, func(err error) {
		if h, ok := err.(*hinted); ok && !seen[h.hint] { //nolint:errorlint // walk visits each link of the chain itself
			seen[h.hint] = true
			hints = append(hints, h.hint)
		}
	})
	return hints
}

// walk calls visit for err and everything below it.
func walk(err error, visit func(error)) {
	if err == nil {
		return
	}
	visit(err)
	switch e := err.(type) { //nolint:errorlint // the two shapes of Unwrap
	case interface{ Unwrap() error }:
		walk(e.Unwrap(), visit)
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			walk(err, visit)
		}
	}
}
