// SPDX-License-Identifier: Apache-2.0

package bundle

import (
	"cmp"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
)

// Format returns what the files and the runtime come to, as a bundle file in
// CUE. Values of the runtime are in it.
func (b *Bundle) Format() ([]byte, error) {
	instances := &ast.StructLit{}
	for _, in := range b.Instances {
		instances.Elts = append(instances.Elts, newField(in.Name, in.syntax()))
	}
	file := &ast.File{Decls: []ast.Decl{newField("bundle", ast.NewStruct(
		newField("apiVersion", ast.NewString(apiVersion)),
		newField("name", ast.NewString(b.Name)),
		newField("instances", instances),
	))}}
	return format.Node(file, format.Simplify())
}

// unplaced returns what values come to, defaults included, without the lines of
// the files in which they are written. What is not a value yet stays as it is.
func unplaced(lit ast.Expr) ast.Expr {
	if v := cuecontext.New().BuildExpr(lit); v.Validate(cue.Concrete(true)) == nil {
		if syntax, ok := v.Syntax(cue.Final()).(ast.Expr); ok {
			lit = syntax
		}
	}
	text, err := format.Node(lit)
	if err != nil {
		return lit
	}
	expr, err := parser.ParseExpr("", text)
	if err != nil {
		return lit
	}
	ast.Walk(expr, func(n ast.Node) bool {
		if s, ok := n.(*ast.StructLit); ok {
			s.Lbrace, s.Rbrace = token.NoPos, token.NoPos
		}
		ast.SetRelPos(n, token.NoRelPos)
		return true
	}, nil)
	return expr
}

func (in Instance) syntax() ast.Expr {
	lit := ast.NewStruct(newField("module", moduleSyntax(in.Module)), newField("namespace", ast.NewString(in.Namespace)))
	if len(in.dependsOn) > 0 {
		names := make([]ast.Expr, len(in.dependsOn))
		for i, name := range in.dependsOn {
			names[i] = ast.NewString(name)
		}
		lit.Elts = append(lit.Elts, newField("dependsOn", ast.NewList(names...)))
	}
	if len(in.From) > 0 {
		from := make([]ast.Expr, len(in.From))
		for i, o := range in.From {
			from[i] = o.syntax()
		}
		lit.Elts = append(lit.Elts, newField("valuesFrom", ast.NewList(from...)))
	}
	if n := len(in.Values); n > 0 {
		lit.Elts = append(lit.Elts, newField("values", unplaced(in.Values[n-1].Expr)))
	}
	return lit
}

func moduleSyntax(r ref.Reference) ast.Expr {
	lit := ast.NewStruct(newField("url", ast.NewString(r.Source())))
	if r.IsLocal() {
		return lit
	}
	if version := cmp.Or(r.Range, r.Tag); version != "" {
		lit.Elts = append(lit.Elts, newField("version", ast.NewString(version)))
	}
	if r.Digest != "" {
		lit.Elts = append(lit.Elts, newField("digest", ast.NewString(r.Digest)))
	}
	return lit
}

func newField(name string, value ast.Expr) *ast.Field {
	return &ast.Field{Label: ast.NewString(name), Value: value}
}
