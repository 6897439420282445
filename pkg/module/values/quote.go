// SPDX-License-Identifier: Apache-2.0

package values

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/order"
)

// longestLine is how much of a line is quoted.
const longestLine = 100

// secretValueRE matches, within one line, the name of a secret and what
// follows: all of it, but for the name of another field at the end.
var secretValueRE = regexp.MustCompile(`(?i)(` + mask.Names + `[\w.-]*["']?\s*[:=]\s*)\S.*?(,\s*["']?[\w.-]+["']?\s*:\s*)?$`)

// text returns a file: a source or one of the module's.
func (x *explainer) text(name string) []byte {
	// Of two flags of one path, the later one counts.
	for _, s := range slices.Backward(x.sources) {
		if s.Name == name {
			return s.text()
		}
	}
	if x.module.Text == nil {
		return nil
	}
	return x.module.Text(name)
}

// quote returns the line of a place with a caret below the column, in two
// lines, and "" where the text is not known. The values of secrets are hidden.
func (x *explainer) quote(at token.Position, p Problem, show disclosure) string {
	lines := strings.Split(string(x.text(at.Filename)), "\n")
	if at.Line < 1 || at.Line > len(lines) || strings.TrimSpace(lines[at.Line-1]) == "" {
		return ""
	}
	line := strings.TrimRight(lines[at.Line-1], " \t\r")
	if !x.isUsers(at) {
		column := max(0, min(at.Column-1, len(line)))
		return excerpt(at, line[:column], line[column:])
	}
	name := p.Path[strings.LastIndexByte(p.Path, '.')+1:]
	isSecret := x.fromSecret(at) || mask.IsSecret(p.Path) || p.Path == "" && isContinued(lines[:at.Line])
	if isFlagName(at.Filename) && (isSecret || show != known) {
		line, isSecret, show = at.Filename+"="+mask.Hidden, false, known
	}
	column := max(0, min(at.Column-1, len(line)))
	before, after := line[:column], line[column:]
	switch {
	case isSecret && name == "": // nothing of the line is safe
		before, after = "", mask.Hidden
	case isSecret:
		before, after = name+": ", mask.Hidden
	case show == structure:
		before, after = mask.Words(before), mask.Words(after)
	default:
		before, after = x.hide(at, line, column)
	}
	if show == names {
		after = name + ": " + mask.Hidden
	}
	return excerpt(at, before, after)
}

// disclosure is how much of a line of the user's may be shown.
type disclosure int

const (
	known     disclosure = iota // all but the values of what is named as a secret
	names                       // no value either of what is named otherwise
	structure                   // no word: which of them is a value is not known
)

// excerpt returns a line and the caret below it, between the two parts.
func excerpt(at token.Position, before, after string) string {
	if cut := len(before) - longestLine/2; cut > 0 && len(before)+len(after) > longestLine {
		before = "…" + strings.ToValidUTF8(before[cut:], "")
	}
	if len(after) > longestLine {
		after = strings.ToValidUTF8(after[:longestLine], "") + "…"
	}
	number := strconv.Itoa(at.Line)
	gutter := "\n    " + strings.Repeat(" ", len(number)) + " | "
	text := "\n    " + number + " | " + printable(before+after)
	if isFlagName(at.Filename) {
		gutter, text = "\n    ", "\n    "+printable(before+after)
	}
	if at.Column == 0 {
		return text
	}
	return text + gutter + indent(printable(before)) + "^"
}

// nameRE matches the name with which a line begins, after the indentation.
var nameRE = regexp.MustCompile(`^([ \t]*)(?:- )*["']?([\w./-]+)["']?\s*[:=]`)

// isContinued says whether the last of the lines may belong to the value of a
// secret that begins further up: to a block of text, or a map.
func isContinued(lines []string) bool {
	line := lines[len(lines)-1]
	indentation := len(line) - len(strings.TrimLeft(line, " \t"))
	for _, above := range slices.Backward(lines[:len(lines)-1]) {
		if m := nameRE.FindStringSubmatch(above); len(m) > 2 && (len(m[1]) < indentation || !nameRE.MatchString(line)) {
			return mask.IsSecret(m[2])
		}
	}
	return false
}

// fromSecret says whether a place is in a source of which nothing is shown.
func (x *explainer) fromSecret(at token.Position) bool {
	i := x.order(at)
	return i >= 0 && x.sources[i].Secret
}

// printable replaces what would control a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}

// indent returns white space as wide as s.
func indent(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, s)
}

// rule returns what the module says of a field, which the value at a place broke.
func (x *explainer) rule(group []finding, name string, at token.Position) (string, token.Position) {
	for _, f := range group {
		for _, place := range f.places {
			if x.isUsers(place) || place == at {
				continue
			}
			if text, at := x.ruleAt(place, name); text != "" {
				return text, at
			}
		}
	}
	return "", token.Position{}
}

// ruleAt returns the source of the field around a place: of the innermost one
// of that name, or with a pattern for one.
func (x *explainer) ruleAt(place token.Position, name string) (string, token.Position) {
	file := x.file(place.Filename)
	if file == nil {
		return "", token.Position{}
	}
	var named, pattern *ast.Field
	ast.Walk(file, func(n ast.Node) bool {
		field, ok := n.(*ast.Field)
		switch {
		case !ok || !isWithin(place, field):
		case order.LabelName(field.Label) == name:
			named = field
		default:
			if _, ok := field.Label.(*ast.ListLit); ok {
				pattern = field
			}
		}
		return true
	}, nil)
	found := cmp.Or(named, pattern)
	if found == nil {
		return "", token.Position{}
	}
	constraint := ""
	if found.Constraint != token.ILLEGAL {
		constraint = found.Constraint.String()
	}
	text := x.source(place.Filename, found.Label) + constraint + ": " + x.source(place.Filename, found.Value)
	if first, _, more := strings.Cut(text, "\n"); more {
		text = strings.TrimSpace(first) + "…"
	}
	return printable(text), found.Pos().Position()
}

// source returns a part of a file as it was written.
func (x *explainer) source(name string, n ast.Node) string {
	return string(x.text(name)[n.Pos().Offset():n.End().Offset()])
}

func isWithin(place token.Position, n ast.Node) bool {
	return comparePositions(n.Pos().Position(), place) <= 0 && comparePositions(place, n.End().Position()) <= 0
}

func (x *explainer) file(name string) *ast.File {
	file, ok := x.files[name]
	if !ok {
		if text := x.text(name); len(text) > 0 {
			file, _ = parser.ParseFile(name, text) // nil: it is quoted, but nothing found in it
		}
		x.files[name] = file
	}
	return file
}
