// SPDX-License-Identifier: Apache-2.0

// Package assignment makes values of what a flag of a command line sets: PATH=VALUE.
package assignment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"
	"cuelang.org/go/encoding/json"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/input"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// Form is what VALUE of a setting PATH=VALUE is.
type Form int

// The forms of a setting.
const (
	AsScalar Form = iota // true, false, null, a number, or else a string
	AsString             // always a string
	AsJSON               // JSON
	AsFile               // the name of a file, whose content is the string
)

// ListError says that the path of a setting goes into a list, which is replaced
// as a whole.
type ListError struct{ Path string } // of the list

// Error says so.
func (e *ListError) Error() string { return "a list is replaced as a whole" }

// Source returns the source that the argument of a flag of a command line is,
// whose name begins with two hyphens. PATH is names with dots in between; a name
// with a dot in it is quoted, or the dot escaped with a backslash. The error is a
// *fail.InvalidError, unless it is a file's.
func (f Form) Source(ctx context.Context, flag, arg string) (values.Source, error) {
	if !strings.Contains(arg, "=") { // it may be a value alone, and a secret
		return values.Source{}, fail.Invalidf("%s: expected PATH=VALUE, the argument has no \"=\"", flag)
	}
	if !utf8.ValidString(arg) {
		return values.Source{}, fail.Invalidf("%s: the argument is not valid UTF-8", flag)
	}
	path, rest, err := parsePath(arg)
	if err == nil && !strings.HasPrefix(rest, "=") {
		err = errors.New("expected PATH=VALUE")
	}
	if err != nil {
		// What follows the path may be a secret.
		name, _, _ := strings.Cut(arg, "=")
		return values.Source{}, fail.Invalidf("%s %s: %w", flag, name, err)
	}
	at := len(arg) - len(rest) + 1
	src := values.Source{Name: flag + " " + arg[:at-1], Data: []byte(flag + " " + arg)}
	file := token.NewFile(src.Name, -1, len(src.Data))
	file.SetLinesForContent(src.Data)
	pos := func(offset int) token.Pos { return file.Pos(len(flag)+1+offset, token.NoRelPos) }
	var value ast.Expr
	if f == AsFile {
		value, src.Stored, err = readString(ctx, src.Name, arg[at:], pos(at))
	} else {
		src.Stored = true
		value, err = f.value(src.Name, arg[at:], len(flag)+1+at, pos(at))
	}
	if err != nil {
		return values.Source{}, err
	}
	for _, step := range slices.Backward(path) {
		label := ast.NewString(step.name)
		label.ValuePos = pos(step.offset)
		value = &ast.StructLit{Elts: []ast.Decl{&ast.Field{Label: label, Value: value}}}
	}
	src.Expr = value
	return src, nil
}

var numberRE = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// value returns what is set. column is where text begins in the source.
func (f Form) value(name, text string, column int, pos token.Pos) (ast.Expr, error) {
	switch f {
	case AsJSON:
		expr, err := json.Extract(name, []byte(strings.Repeat(" ", column)+text))
		if err != nil {
			return nil, fail.Invalidf("%s: the value is not JSON", name)
		}
		return expr, nil
	case AsScalar:
		if lit := scalar(text); lit != nil {
			ast.SetPos(lit, pos)
			return lit, nil
		}
	}
	return stringLit(text, pos), nil
}

// readString returns the content of a file as a string, and whether it is stored
// there. name is that of the source.
func readString(ctx context.Context, name, file string, pos token.Pos) (ast.Expr, bool, error) {
	in, err := input.Read(ctx, file)
	if err != nil {
		if mask.IsSecret(name) { // it may be the secret itself
			file = mask.Hidden
		}
		return nil, false, fmt.Errorf("%s: file %q: %w", name, file, err)
	}
	if at := invalidUTF8(in.Data); at >= 0 {
		return nil, false, fmt.Errorf("%s: file %q: the byte at offset %d, in line %d, is not valid UTF-8", name, file, at, 1+bytes.Count(in.Data[:at], []byte("\n")))
	}
	return stringLit(string(in.Data), pos), in.Stored, nil
}

// invalidUTF8 returns where a text ceases to be valid, -1 if it does not.
func invalidUTF8(data []byte) int {
	for at := 0; at < len(data); {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return -1
}

// scalar returns the literal of what is not a string, and nil for a string.
func scalar(text string) ast.Expr {
	switch text {
	case "true", "false":
		return ast.NewBool(text == "true")
	case "null":
		return ast.NewNull()
	}
	m := numberRE.FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	kind := token.INT
	if m[1] != "" || m[2] != "" {
		kind = token.FLOAT
	}
	lit := &ast.BasicLit{Kind: kind, Value: strings.TrimPrefix(text, "-")}
	if lit.Value != text {
		return &ast.UnaryExpr{Op: token.SUB, X: lit}
	}
	return lit
}

func stringLit(s string, pos token.Pos) ast.Expr {
	return &ast.BasicLit{ValuePos: pos, Kind: token.STRING, Value: literal.String.Quote(s)}
}

// element is a name of a path, and where it begins.
type element struct {
	name   string
	offset int
}

var quotedRE = regexp.MustCompile(`^"([^"\\]*)"`)

// parsePath reads a path and returns what follows it.
func parsePath(s string) (path []element, rest string, err error) {
	for at := 0; ; at++ {
		from := at
		var name strings.Builder
		if m := quotedRE.FindStringSubmatch(s[at:]); m != nil {
			name.WriteString(m[1])
			at += len(m[0])
		}
		for at < len(s) && s[at] != '.' && s[at] != '=' {
			switch {
			case s[at] == '[':
				return nil, "", &ListError{Path: s[:at]}
			case s[at] == '\\' && at+1 < len(s):
				at++
			}
			name.WriteByte(s[at])
			at++
		}
		if name.Len() == 0 {
			return nil, "", errors.New("a name in the path is empty")
		}
		path = append(path, element{name.String(), from})
		if at == len(s) || s[at] == '=' {
			return path, s[at:], nil
		}
	}
}
