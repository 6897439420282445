// SPDX-License-Identifier: Apache-2.0

package values

import (
	"cmp"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// mark is where a name or a value of a source begins. What follows, up to the
// next one, is secret or is not.
type mark struct {
	line, column int
	secret       bool
}

// marks returns those of a source in the order of its text.
func (x *explainer) marks(s Source) []mark {
	if found, ok := x.marked[s.Name]; ok {
		return found
	}
	m := marker{}
	for _, root := range s.roots() {
		m.node(root, false)
	}
	slices.SortStableFunc(m.marks, func(a, b mark) int { return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column)) })
	x.marked[s.Name] = m.marks
	return m.marks
}

// roots returns the syntax of a source. Of a file in CUE that is all of it, not
// only the values, which may come from anywhere in it.
func (s Source) roots() []ast.Node {
	var roots []ast.Node
	if lit, err := s.parse(); err == nil && lit != nil {
		roots = append(roots, lit)
	}
	if s.Expr == nil && s.Format != YAML && s.Format != JSON {
		if file, err := parser.ParseFile(s.Name, s.text()); err == nil {
			roots = append(roots, file)
		}
	}
	return roots
}

type marker struct{ marks []mark }

func (m *marker) at(pos token.Pos, secret bool) {
	if p := pos.Position(); p.IsValid() {
		m.marks = append(m.marks, mark{p.Line, p.Column, secret})
	}
}

// node marks what is below a node, which is itself part of a secret or not.
func (m *marker) node(n ast.Node, secret bool) {
	m.at(n.Pos(), secret)
	ast.Walk(n, func(child ast.Node) bool {
		switch child := child.(type) {
		case *ast.Field:
			m.field(child, secret)
			return false
		case *ast.LetClause:
			m.at(child.Pos(), secret)
			m.node(child.Expr, secret || mask.IsSecret(child.Ident.Name))
			return false
		case *ast.ListLit:
			for _, element := range child.Elts {
				m.node(element, secret)
			}
			return false
		}
		return true
	}, nil)
}

func (m *marker) field(f *ast.Field, secret bool) {
	name, _, err := ast.LabelName(f.Label)
	m.at(f.Label.Pos(), secret && isLostValue(f))
	m.node(f.Value, secret || err != nil || mask.IsSecret(name))
}

// isLostValue reports whether the name of a field below a secret may be the
// secret itself, which a colon too much has made a name: it has no value.
func isLostValue(f *ast.Field) bool { return isNull(f.Value) }

// hide returns the two parts of a line of a source without what is secret.
func (x *explainer) hide(at token.Position, line string, column int) (before, after string) {
	spans := secretSpans(x.marks(x.sources[x.order(at)]), at.Line, line)
	before, after = without(spans, line, 0, column), without(spans, line, column, len(line))
	return secretValueRE.ReplaceAllString(before, "${1}"+mask.Hidden+"${2}"), secretValueRE.ReplaceAllString(after, "${1}"+mask.Hidden)
}

// span is a part of a line.
type span struct{ from, to int }

// secretSpans returns the parts of a line that are secret, without what
// separates them from the name that follows.
func secretSpans(marks []mark, number int, line string) []span {
	var spans []span
	current := mark{column: 1}
	add := func(to int) {
		from := min(current.column-1, to)
		if end := from + len(strings.TrimRight(line[from:to], " \t,{[")); current.secret && from < end {
			spans = append(spans, span{from, end})
		}
	}
	for _, m := range marks {
		switch {
		case m.line < number:
			current.secret = m.secret
		case m.line == number:
			add(min(m.column-1, len(line)))
			current = m
		}
	}
	add(len(line))
	return spans
}

// without returns a part of a line in which something else stands for spans.
func without(spans []span, line string, from, to int) string {
	var b strings.Builder
	for _, s := range spans {
		if s.to <= from || s.from >= to {
			continue
		}
		b.WriteString(line[from:max(s.from, from)] + mask.Hidden)
		from = min(s.to, to)
	}
	return b.String() + line[from:to]
}
