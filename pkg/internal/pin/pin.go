// SPDX-License-Identifier: Apache-2.0

// Package pin finds where bundle files and function configs write the versions and
// digests of modules, and changes these and nothing else.
package pin

import (
	"regexp"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/bundle"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/cuefile"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// Literal is a text in a file.
type Literal struct {
	At token.Position

	file          int               // its index
	rule          bundle.UpdateRule // zero when nothing is said
	start, end    int               // offsets, with the quotes
	before, after string            // the quotes, empty in YAML only
	isField       bool              // the value of a field of the module itself
}

// Module is where a module's version and digest are written, nil for what is
// written nowhere, or computed.
type Module struct{ Version, Digest *Literal }

// Rule returns what attributes say of its updates.
func (m Module) Rule() (rule bundle.UpdateRule) {
	for _, l := range []*Literal{m.Version, m.Digest} {
		if l != nil && rule == (bundle.UpdateRule{}) {
			rule = l.rule
		}
	}
	return rule
}

// Place returns where it is written.
func (m Module) Place() token.Position {
	if m.Version == nil {
		return m.Digest.At
	}
	return m.Version.At
}

// Artifact is where one of the files writes the address, version and digest of an
// artifact, nil for what is written nowhere, or computed.
type Artifact struct{ URL, Version, Digest *Literal }

// Files are files that were parsed.
type Files struct {
	data   [][]byte
	format []values.Format
	syntax []*ast.File
}

// Parse parses files.
func Parse(files []cuefile.File) (*Files, error) {
	p := &Files{}
	for _, f := range files {
		file, err := cuefile.Syntax(f)
		if err != nil {
			return nil, values.Explain(err)
		}
		p.syntax, p.data, p.format = append(p.syntax, file), append(p.data, f.Data), append(p.format, f.Format)
	}
	return p, nil
}

// Find returns where the module of an instance is written, with what its version
// and digest come to.
func (p *Files) Find(instance, version, digest string) Module {
	return Module{
		Version: p.literal([]string{"bundle", "instances", instance, "module", "version"}, version),
		Digest:  p.literal([]string{"bundle", "instances", instance, "module", "digest"}, digest),
	}
}

// At returns where the file with an index writes an artifact whose fields are at a
// path, with what they come to.
func (p *Files) At(i int, path []string, url, version, digest string) Artifact {
	field := func(name, value string) *Literal {
		return p.literalIn(i, append(slices.Clone(path), name), value)
	}
	return Artifact{field("url", url), field("version", version), field("digest", digest)}
}

func (p *Files) literal(path []string, value string) *Literal {
	for i := range p.syntax {
		if l := p.literalIn(i, path, value); l != nil {
			return l
		}
	}
	return nil
}

func (p *Files) literalIn(i int, path []string, value string) *Literal {
	if value == "" {
		return nil
	}
	for _, field := range fieldsBelow(p.syntax[i].Decls, path, 0) {
		if l := p.in(i, field, value); l != nil {
			return l
		}
	}
	return nil
}

// in returns the literal of a field, or of one that it refers to.
func (p *Files) in(i int, field *ast.Field, value string) *Literal {
	for _, found := range literals(field.Value, []*ast.Field{field}, 0) {
		l := p.at(i, found.lit, value)
		if l == nil {
			continue
		}
		l.isField = found.lit == field.Value
		for _, f := range found.fields {
			for _, attr := range f.Attrs {
				if rule, ok := bundle.UpdateRuleOf(attr); ok && l.rule == (bundle.UpdateRule{}) {
					l.rule = rule
				}
			}
		}
		if l.rule == (bundle.UpdateRule{}) {
			l.rule = p.comment(l)
		}
		return l
	}
	return nil
}

// commentRE matches the attribute in a comment of YAML, which has none.
var commentRE = regexp.MustCompile(`^[ \t]*,?[ \t]*#.*@timoni\((update:[^)]*)\)`)

func (p *Files) comment(l *Literal) bundle.UpdateRule {
	if p.format[l.file] != values.YAML {
		return bundle.UpdateRule{}
	}
	m := commentRE.FindSubmatch(p.data[l.file][l.end:])
	if m == nil {
		return bundle.UpdateRule{}
	}
	rule, _ := bundle.ParseUpdateRule(string(m[1]))
	return rule
}

// at returns the literal at the place of a node if it is the value as it is
// written there.
func (p *Files) at(i int, lit *ast.BasicLit, value string) *Literal {
	data := p.data[i]
	start := lit.Pos().Offset()
	if start < 0 || start >= len(data) {
		return nil
	}
	l := &Literal{file: i, At: lit.Pos().Position(), start: start}
	rest := string(data[start:])
	raw := "" // the signs of a raw string
	if p.format[i] == values.CUE {
		raw = rest[:len(rest)-len(strings.TrimLeft(rest, "#"))]
	}
	for _, quote := range []string{`"`, `'`, ""} {
		l.before, l.after = raw+quote, quote+raw
		written := l.before + value + l.after
		if strings.HasPrefix(rest, written) && (quote != "" || p.format[i] == values.YAML) {
			l.end = start + len(written)
			return l
		}
	}
	return nil
}

// found is a literal, and the fields on the way to it.
type found struct {
	lit    *ast.BasicLit
	fields []*ast.Field
}

// deepest is how many references are followed: they may go in a circle.
const deepest = 20

func literals(e ast.Expr, fields []*ast.Field, depth int) []found {
	if depth > deepest {
		return nil
	}
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			if _, err := literal.Unquote(e.Value); err == nil {
				return []found{{e, fields}}
			}
		}
	case *ast.ParenExpr:
		return literals(e.X, fields, depth+1)
	case *ast.UnaryExpr:
		return literals(e.X, fields, depth+1)
	case *ast.BinaryExpr:
		return append(literals(e.X, fields, depth+1), literals(e.Y, fields, depth+1)...)
	case *ast.Ident:
		if value, field := target(e); value != nil {
			if field != nil {
				fields = append(slices.Clip(fields), field)
			}
			return literals(value, fields, depth+1)
		}
	}
	return nil
}

// target returns what an identifier refers to in its file.
func target(ident *ast.Ident) (ast.Expr, *ast.Field) {
	switch n := ident.Node.(type) {
	case *ast.Field:
		return n.Value, n
	case *ast.LetClause:
		return n.Expr, nil
	case ast.Expr:
		field, _ := ident.Scope.(*ast.Field)
		return n, field
	}
	return nil, nil
}

// fieldsBelow returns the fields at a path.
func fieldsBelow(decls []ast.Decl, path []string, depth int) (all []*ast.Field) {
	if depth > deepest {
		return nil
	}
	for _, decl := range decls {
		switch d := decl.(type) {
		case *ast.EmbedDecl:
			for _, lit := range structs(d.Expr, depth) {
				all = append(all, fieldsBelow(lit.Elts, path, depth+1)...)
			}
		case *ast.Field:
			if name, _, err := ast.LabelName(d.Label); err != nil || name != path[0] {
				continue
			}
			if len(path) == 1 {
				all = append(all, d)
				continue
			}
			for _, lit := range structs(d.Value, depth) {
				all = append(all, fieldsBelow(lit.Elts, path[1:], depth+1)...)
			}
		}
	}
	return all
}

// structs returns the structs that an expression unifies.
func structs(e ast.Expr, depth int) []*ast.StructLit {
	if depth > deepest {
		return nil
	}
	switch e := e.(type) {
	case *ast.StructLit:
		return []*ast.StructLit{e}
	case *ast.ParenExpr:
		return structs(e.X, depth+1)
	case *ast.BinaryExpr:
		return append(structs(e.X, depth+1), structs(e.Y, depth+1)...)
	case *ast.Ident:
		if value, _ := target(e); value != nil {
			return structs(value, depth+1)
		}
	}
	return nil
}
