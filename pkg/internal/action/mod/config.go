// SPDX-License-Identifier: Apache-2.0

package mod

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
)

// Field is a field of a module's values that a user may set.
type Field struct {
	Name     string
	Doc      string // its comment in the module
	Required bool   // the user has to set it
	Optional bool   // there is no such field unless the user sets it
	Fields   []Field

	value   cue.Value // of the schema
	typ     string    // of a field without Fields, as CUE
	initial string    // the default, as CUE; empty when there is none
}

// Config is the schema of a module's values.
type Config struct {
	ModulePath string
	Fields     []Field
}

// ReadConfig reads the schema of the values of a module. Left out are the
// fields that the module itself fills in, such as the instance's name, and those
// it computes. deps says how the CUE modules are fetched that it names; nil: none.
func ReadConfig(ctx context.Context, module ref.Reference, pkg string, options oci.Options, deps *render.CUERegistry) (config *Config, err error) {
	m, err := source.Open(ctx, module, source.Options{OCI: options})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	config, err = render.Inspect(ctx, render.Request{
		Dir: m.Dir, Origin: module.String(), Package: pkg, ModuleVersion: m.Version, CUERegistry: deps,
	}, func(s *render.Schema) *Config {
		return &Config{ModulePath: s.ModulePath, Fields: fieldsOf(s.Type, s.Defaults, s.Config)}
	})
	if err != nil {
		return nil, fmt.Errorf("module %s: %w", module, err)
	}
	return config, nil
}

// fieldsOf returns the fields of a struct: typ says what they may hold, defaults
// what they hold when nothing is set, and config what they then hold in an
// instance.
func fieldsOf(typ, defaults, config cue.Value) []Field {
	var fields []Field
	items, err := typ.Fields(cue.Optional(true))
	for err == nil && items.Next() {
		selector := items.Selector()
		path := cue.MakePath(cue.Str(selector.Unquoted()))
		f := Field{Name: selector.Unquoted(), Doc: doc(items.Value()), value: items.Value()}
		f.Optional = selector.ConstraintType() == cue.OptionalConstraint && !defaults.LookupPath(path).Exists()
		initial, filled := defaults.LookupPath(path), config.LookupPath(path)
		if hasFields(f.value) {
			if f.Fields = fieldsOf(f.value, initial, filled); len(f.Fields) > 0 {
				f.Required = selector.ConstraintType() == cue.RequiredConstraint && !initial.Exists()
				fields = append(fields, f)
			}
			continue
		}
		if isFixed(f.value) || !isKnown(initial) && isKnown(filled) {
			continue
		}
		f.typ = typeText(f.value)
		if isKnown(initial) && initial.IncompleteKind() != cue.StructKind {
			f.initial = text(initial)
		}
		f.Required = f.initial == "" && selector.ConstraintType() != cue.OptionalConstraint && f.value.IncompleteKind() != cue.StructKind
		fields = append(fields, f)
	}
	return fields
}

func hasFields(v cue.Value) bool {
	if v.IncompleteKind() != cue.StructKind {
		return false
	}
	items, err := v.Fields(cue.Optional(true))
	return err == nil && items.Next()
}

// isKnown says whether v is one value, by default at least.
func isKnown(v cue.Value) bool {
	if !v.Exists() {
		return false
	}
	v, _ = v.Default()
	return v.Validate(cue.Concrete(true)) == nil
}

// isFixed reports whether no user can set a field, since the module fixes its value
// or the expression that computes it.
func isFixed(v cue.Value) bool {
	if op, _ := v.Expr(); op == cue.InterpolationOp {
		return true
	}
	_, hasDefault := v.Default()
	return !hasDefault && isKnown(v) && v.IncompleteKind() != cue.StructKind && v.IncompleteKind() != cue.ListKind
}

// doc returns the comment of a field. Where a field is declared in several
// places, the first that has one counts.
func doc(v cue.Value) string {
	for _, group := range v.Doc() {
		if text := strings.TrimSpace(group.Text()); text != "" && !strings.HasPrefix(text, "SPDX-") {
			return text
		}
	}
	return ""
}

// typeText returns what a field may hold. Its default is left out where it is
// only one of many values.
func typeText(v cue.Value) string {
	if v.IncompleteKind() == cue.StructKind {
		return "{[string]: " + elementText(v) + "}"
	}
	whole := fmt.Sprint(v)
	expr, err := parser.ParseExpr("", whole)
	if err != nil {
		return whole
	}
	var marked, others []ast.Expr
	types := false
	for _, a := range alternatives(expr) {
		if mark, ok := a.(*ast.UnaryExpr); ok && mark.Op == token.MUL {
			marked = append(marked, mark.X)
			continue
		}
		_, isLiteral := a.(*ast.BasicLit)
		types = types || !isLiteral
		others = append(others, a)
	}
	if !types || len(others) == 0 {
		others = append(marked, others...)
	}
	texts := make([]string, len(others))
	for i, e := range others {
		out, err := format.Node(e)
		if err != nil {
			return whole
		}
		texts[i] = string(out)
	}
	return strings.Join(texts, " | ")
}

func alternatives(e ast.Expr) []ast.Expr {
	if or, ok := e.(*ast.BinaryExpr); ok && or.Op == token.OR {
		return append(alternatives(or.X), alternatives(or.Y)...)
	}
	return []ast.Expr{e}
}

// elementText returns the type of the fields of a map. CUE tells that of a
// pattern for all names; others are found with a name that most allow.
func elementText(v cue.Value) string {
	for _, selector := range []cue.Selector{cue.AnyString, cue.Str("example.com/name").Optional(), cue.Str("name0").Optional()} {
		if element := v.LookupPath(cue.MakePath(selector)); element.Exists() {
			return typeText(element)
		}
	}
	return "_"
}

// text returns a value as CUE, on one line where it fits.
func text(v cue.Value) string {
	if isKnown(v) {
		v, _ = v.Default()
		if out, err := format.Node(v.Syntax(cue.Final())); err == nil {
			return string(out)
		}
	}
	return fmt.Sprint(v)
}

// CUE returns the schema as CUE text, to be read.
func (c *Config) CUE() []byte {
	var b strings.Builder
	b.WriteString("// The values of " + c.ModulePath + ".\nvalues: {\n")
	writeCUE(&b, c.Fields)
	b.WriteString("}\n")
	if out, err := format.Source([]byte(b.String())); err == nil {
		return out
	}
	return []byte(b.String())
}

func writeCUE(b *strings.Builder, fields []Field) {
	for i, f := range fields {
		if f.Doc != "" {
			if i > 0 {
				b.WriteByte('\n')
			}
			b.WriteString("// " + strings.ReplaceAll(f.Doc, "\n", "\n// ") + "\n")
		}
		b.WriteString(cue.Str(f.Name).String())
		switch {
		case f.Required:
			b.WriteByte('!')
		case f.Optional:
			b.WriteByte('?')
		}
		b.WriteString(": ")
		switch {
		case f.Fields != nil:
			b.WriteString("{\n")
			writeCUE(b, f.Fields)
			b.WriteByte('}')
		case f.initial != "":
			b.WriteString("*" + f.initial + " | " + strings.TrimPrefix(f.typ, f.initial+" | "))
		default:
			b.WriteString(f.typ)
		}
		b.WriteByte('\n')
	}
}

// Markdown returns the schema as a table.
func (c *Config) Markdown() []byte {
	var b strings.Builder
	b.WriteString("| Value | Type | Default | Description |\n|---|---|---|---|\n")
	writeRows(&b, "", "", c.Fields)
	return []byte(b.String())
}

func writeRows(b *strings.Builder, prefix, about string, fields []Field) {
	for _, f := range fields {
		name := prefix + cue.Str(f.Name).String()
		if f.Fields != nil {
			writeRows(b, name+".", cmp.Or(f.Doc, about), f.Fields)
			about = ""
			continue
		}
		initial := code(f.initial)
		if f.Required {
			initial = "required"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", code(name), code(f.typ), initial, cell(cmp.Or(f.Doc, about)))
		about = "" // what a struct is for stands in the first of its rows
	}
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + cell(s) + "`"
}

// cell returns text that stays within a cell of a table.
func cell(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", `\|`)
}
