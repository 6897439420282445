// SPDX-License-Identifier: Apache-2.0

// Package fail sorts errors, and gives them what a command line needs in
// addition to their text: an exit code and a hint.
//
// A library returns errors of its own types, and InvalidError, UnknownWordError and
// RefusedError where the type would say no more. The verbs and the command line add exit
// codes and hints with With and Hint; what an error of a library means to a
// person is added by an Adviser. All of it travels down the chain of wrapped
// errors, and the command that ends reads it.
package fail

import (
	"errors"
	"fmt"
	"slices"
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

// InvalidError says that what the caller gave is not what it has to be: a name,
// a reference, an option.
type InvalidError struct{ error }

// Unwrap returns what is wrong.
func (e *InvalidError) Unwrap() error { return e.error }

// RefusedError says that something was not done because it would not be safe,
// or has another owner.
type RefusedError struct{ error }

// Unwrap returns the reason.
func (e *RefusedError) Unwrap() error { return e.error }

// Invalid makes err an InvalidError. A nil err stays nil.
func Invalid(err error) error {
	if err == nil {
		return nil
	}
	return &InvalidError{err}
}

// Invalidf returns an InvalidError.
func Invalidf(format string, args ...any) error { return Invalid(fmt.Errorf(format, args...)) }

// Refuse makes err a RefusedError. A nil err stays nil.
func Refuse(err error) error {
	if err == nil {
		return nil
	}
	return &RefusedError{err}
}

// Refusedf returns a RefusedError.
func Refusedf(format string, args ...any) error { return Refuse(fmt.Errorf(format, args...)) }

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

// Silent returns an error without a text, for a command whose output has said
// why it ends with code.
func Silent(code Code) error { return With(code, errors.New("")) }

// Usagef returns an error about the command line, exit code 2.
func Usagef(format string, args ...any) error {
	return With(Usage, fmt.Errorf(format, args...))
}

// Hint returns err with advice for the person: what to do next, if possible as
// a command that can be pasted. A nil err stays nil.
func Hint(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &hinted{error: err, hint: fmt.Sprintf(format, args...)}
}

// Advice is what an error means to the person at a command line: the exit code,
// 0 for none of its own, and what to do next, empty for nothing.
type Advice struct {
	Code Code
	Hint string
}

// Adviser returns the advice for an error, without looking at those that it
// wraps.
type Adviser func(error) Advice

// Advise returns err with the advice for each error of its chain. A nil err
// stays nil.
func Advise(err error, advisers ...Adviser) error {
	if err == nil {
		return nil
	}
	return &advised{error: err, list: adviceOf(err, advisers)}
}

// advised is an error of whose chain the advice is known, from the outside in.
type advised struct {
	error
	list []Advice
}

func (e *advised) Unwrap() error { return e.error }

// hider is an error that changes what is shown of the hints below it, too.
type hider interface {
	Unwrap() error
	HideHint(hint string) string
}

// adviceOf returns the advice for err and the errors that it wraps or joins, from
// the outside in.
func adviceOf(err error, advisers []Adviser) []Advice {
	var list []Advice
	walk(err, func(err error) bool {
		switch e := err.(type) { //nolint:errorlint // walk visits each link of the chain itself
		case *advised:
			list = append(list, e.list...)
			return false
		case hider:
			for _, a := range adviceOf(e.Unwrap(), advisers) {
				list = append(list, Advice{a.Code, e.HideHint(a.Hint)})
			}
			return false
		case *coded:
			list = append(list, Advice{Code: e.code})
		case *hinted:
			list = append(list, Advice{Hint: e.hint})
		case *InvalidError:
			list = append(list, Advice{Code: Usage})
		case *UnknownWordError:
			list = append(list, e.advice())
		case *RefusedError:
			list = append(list, Advice{Code: Refused})
		}
		for _, adviser := range advisers {
			if a := adviser(err); a != (Advice{}) {
				list = append(list, a)
			}
		}
		return true
	})
	return list
}

// CodeOf returns the exit code of err: Done for nil, the code nearest to the
// outside of the chain, Failed when there is none. Of joined errors the one
// that comes first decides.
func CodeOf(err error) Code {
	if err == nil {
		return Done
	}
	for _, a := range adviceOf(err, nil) {
		if a.Code != 0 {
			return a.Code
		}
	}
	return Failed
}

// HintsOf returns the advice found in err and in the errors that it wraps or
// joins, from the outside in, without repetition.
func HintsOf(err error) []string {
	var hints []string
	for _, a := range adviceOf(err, nil) {
		if a.Hint != "" && !slices.Contains(hints, a.Hint) {
			hints = append(hints, a.Hint)
		}
	}
	return hints
}

// walk calls visit for err and, if it returns true, for everything below it.
func walk(err error, visit func(error) bool) {
	if err == nil || !visit(err) {
		return
	}
	switch e := err.(type) { //nolint:errorlint // the two shapes of Unwrap
	case interface{ Unwrap() error }:
		walk(e.Unwrap(), visit)
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			walk(err, visit)
		}
	}
}
