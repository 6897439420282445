// SPDX-License-Identifier: Apache-2.0

package values

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"
)

// An error shows so many problems, or lines if that is less; the rest is
// counted. It fits on one screen.
const (
	maxProblems = 5
	maxLines    = 22
)

// Problem is one thing that CUE found wrong.
type Problem struct {
	Path      string // in the configuration, "values.image.tag"
	Message   string
	Positions []token.Position // where it was written, without repetition
	IsOwn     bool             // the message is this program's, about values that were understood

	// Of a problem that Tree.Explain has explained: the source of the module's
	// field that is broken, where that is, and what the user may do.
	Rule         string
	RulePosition token.Position
	Remedy       Remedy // 0 where Advice says all
	Advice       string

	quotes  []string // the lines of Positions
	finding *finding // what it was made of
}

// Remedy is what the user may do about a problem.
type Remedy int

// The remedies for which a caller may know a flag.
const (
	Quote   Remedy = iota + 1 // the text, which was read as something else
	Provide                   // a value
)

// Error holds the problems of one evaluation, sorted and without repetition.
// Its text has a line for each, and a line for each place.
type Error struct {
	Problems  []Problem
	cause     error
	explained bool // by Tree.Explain
}

// Explain returns a CUE error as an *Error. This is the one place where CUE's
// messages become the project's. Any other error, and nil, is returned as it is.
func Explain(err error) error {
	var e *Error
	if err == nil || errors.As(err, &e) {
		return err
	}
	return &Error{Problems: tidy(Problems(err)), cause: err}
}

// Check returns everything that is wrong with an evaluated value, as an *Error.
// What is merely not concrete is not wrong.
func Check(v cue.Value) error {
	err := v.Err() // costs nothing, but is the first problem only
	if err == nil {
		return nil
	}
	if all := v.Validate(); all != nil {
		err = all
	}
	return Explain(err)
}

// Problems returns what a CUE error consists of. It is not empty for an error.
func Problems(err error) []Problem {
	var problems []Problem
	for _, e := range errors.Errors(err) {
		if p := problem(e); !headingRE.MatchString(p.Message) {
			problems = append(problems, p)
		}
	}
	return problems
}

// headingRE matches what CUE says before it lists the problems of a
// disjunction's alternatives.
var headingRE = regexp.MustCompile(`^\d+ errors in empty disjunction:$`)

func problem(e errors.Error) Problem {
	f := newFinding(e)
	p := Problem{Path: f.where, Message: f.text, Positions: slices.Clone(f.places), finding: &f}
	slices.SortStableFunc(p.Positions, comparePositions)
	return p
}

// pathString returns a path as CUE would be written: a.b[0].
func pathString(path []string) string {
	var b strings.Builder
	for i, name := range path {
		switch _, err := strconv.Atoi(name); {
		case err == nil: // the name of a field would be quoted
			b.WriteString("[" + name + "]")
			continue
		case i > 0:
			b.WriteByte('.')
		}
		b.WriteString(name)
	}
	return b.String()
}

// tidy sorts the problems and takes out what is said twice.
func tidy(problems []Problem) []Problem {
	slices.SortFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message),
			slices.CompareFunc(a.Positions, b.Positions, comparePositions))
	})
	return slices.CompactFunc(problems, func(a, b Problem) bool { return a.String() == b.String() })
}

func comparePositions(a, b token.Position) int {
	return cmp.Or(cmp.Compare(a.Filename, b.Filename), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

// String returns the path, the message, and below it the places.
func (p Problem) String() string {
	var b strings.Builder
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	for _, pos := range p.Positions {
		b.WriteString("\n    " + place(pos))
	}
	p.more(&b)
	return b.String()
}

// more writes what the module says, and what the user may do.
func (p Problem) more(b *strings.Builder) {
	switch {
	case p.Rule != "":
		fmt.Fprintf(b, "\n  the module says: %s   (%s)", p.Rule, place(p.RulePosition))
	case p.RulePosition.IsValid():
		fmt.Fprintf(b, "\n  the module says what it may be in %s", place(p.RulePosition))
	}
	if p.Advice != "" {
		b.WriteString("\n  " + p.Advice)
	}
}

// explanation returns the place, the path as the user writes it and the
// message, and below it the line and the other places.
func (p Problem) explanation() string {
	var b strings.Builder
	quoted := p.Positions
	if len(quoted) == 1 && quoted[0] == p.RulePosition {
		quoted = nil
	}
	if len(quoted) > 0 {
		b.WriteString(place(quoted[0]) + ": ")
	}
	if p.Path != "" && !isFlag(p) {
		b.WriteString(strings.TrimPrefix(p.Path, fieldName+".") + ": ")
	}
	b.WriteString(strings.TrimPrefix(p.Message, fieldName+": "))
	for i, pos := range quoted {
		if i > 0 {
			b.WriteString("\n  and " + place(pos))
		}
		if i < 2 {
			b.WriteString(p.quotes[i])
		}
	}
	p.more(&b)
	return b.String()
}

// isFlag says whether a problem is the value's of a flag, whose name has the
// path in it.
func isFlag(p Problem) bool {
	return len(p.Positions) > 0 && isFlagName(p.Positions[0].Filename) &&
		strings.HasSuffix(p.Positions[0].Filename, " "+strings.TrimPrefix(p.Path, fieldName+"."))
}

func isFlagName(name string) bool { return strings.HasPrefix(name, flagPrefix) }

// place returns file:line:column, or file:line where the column is not known.
func place(pos token.Position) string {
	if isFlagName(pos.Filename) {
		return pos.Filename
	}
	if pos.Column == 0 {
		return pos.Filename + ":" + strconv.Itoa(pos.Line)
	}
	return pos.String()
}

// Error returns the first problems in full and the number of the others.
func (e *Error) Error() string {
	var b strings.Builder
	lines := 0
	for i, p := range e.Problems {
		text := p.String()
		if e.explained {
			text = p.explanation()
		}
		lines += 1 + strings.Count(text, "\n")
		if i == maxProblems || i > 0 && lines > maxLines {
			fmt.Fprintf(&b, "\nand %d more", len(e.Problems)-i)
			break
		}
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(text)
	}
	return b.String()
}

// Unwrap returns CUE's own error.
func (e *Error) Unwrap() error { return e.cause }

// NewError returns an error with problems that were found otherwise than by
// CUE. There has to be at least one.
func NewError(problems []Problem) *Error { return &Error{Problems: tidy(problems)} }

// Replace returns the problem with every text of it changed.
func (p Problem) Replace(change func(string) string) Problem {
	p.Path, p.Message, p.Rule, p.Advice = change(p.Path), change(p.Message), change(p.Rule), change(p.Advice)
	p.quotes = slices.Clone(p.quotes)
	for i := range p.quotes {
		p.quotes[i] = change(p.quotes[i])
	}
	return p
}
