// SPDX-License-Identifier: Apache-2.0

package values

import (
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/order"
)

// HasValues says whether the tree changes a values.cue.
func (t *Tree) HasValues() bool { return len(t.root.children) > 0 || t.root.replace }

// Overlay merges the tree over a parsed values.cue, which it changes.
func (t *Tree) Overlay(file *ast.File) {
	if !t.HasValues() {
		return
	}
	used := order.UsedImports(file)
	m := masker{}
	file.Decls = m.decls(file.Decls, &node{kind: branch, index: map[string]*node{fieldName: &t.root}})
	file.Decls = append(file.Decls, &ast.Field{Label: ast.NewIdent(fieldName), Value: t.root.literal()})
	order.Resolve(file)
	dropUnused(file, used)
}

// masker takes what a tree sets out of an expression. What remains and the
// tree's own literal then say nothing about the same path, so that their
// unification is the merge.
type masker struct{ names int }

func (m *masker) decls(decls []ast.Decl, n *node) []ast.Decl {
	for i, decl := range decls {
		switch d := decl.(type) {
		case *ast.Field:
			decls[i] = m.field(d, n)
		case *ast.EmbedDecl:
			d.Expr = m.expr(d.Expr, n)
		case *ast.Comprehension:
			d.Value = m.expr(d.Value, n)
			if d.Fallback != nil {
				d.Fallback.Body.Elts = m.decls(d.Fallback.Body.Elts, n)
			}
		}
	}
	return decls
}

func (m *masker) field(f *ast.Field, n *node) ast.Decl {
	if isDynamic(f.Label) {
		return &ast.EmbedDecl{Expr: m.opaque(&ast.StructLit{Elts: []ast.Decl{f}}, n)}
	}
	child := n.index[order.LabelName(f.Label)]
	switch {
	case child == nil || child.kind == unknown:
	case child.kind == branch && !child.replace:
		f.Value = m.expr(f.Value, child)
	default:
		// The field is not removed, since references may name it. Optional, it
		// is what the tree or the schema says, if they say anything.
		f.Value, f.Constraint, f.Attrs = top(), token.OPTION, nil
	}
	return f
}

// expr masks a value of which the tree sets a part.
func (m *masker) expr(e ast.Expr, n *node) ast.Expr {
	switch x := e.(type) {
	case *ast.StructLit:
		x.Elts = m.decls(x.Elts, n)
		return x
	case *ast.Alias:
		x.Expr = m.expr(x.Expr, n)
		return x
	case *ast.ParenExpr:
		x.X = m.expr(x.X, n)
		return x
	case *ast.BinaryExpr:
		if x.Op == token.AND || x.Op == token.OR {
			x.X, x.Y = m.expr(x.X, n), m.expr(x.Y, n)
			return x
		}
	case *ast.UnaryExpr:
		if x.Op == token.MUL { // the default of a disjunction
			x.X = m.expr(x.X, n)
			return x
		}
	case *ast.Ident, *ast.SelectorExpr, *ast.IndexExpr, *ast.CallExpr:
		switch {
		case isSchema(e):
			return e
		case !isType(e):
			return m.opaque(e, n)
		}
	}
	return top() // a map replaces a scalar and a list
}

// opaque masks a struct that is known only when it is evaluated: a reference,
// a call, a field with a computed name. For a tree that sets the whole of a and
// a part of b, it becomes
//
//	{
//		let base = e
//		if (base & {...}) != _|_ {
//			for key, value in base {
//				if key != "a" if key != "b" {(key): value}
//				if key == "b" {(key): <value masked>}
//			}
//		}
//	}
func (m *masker) opaque(e ast.Expr, n *node) ast.Expr {
	m.names++
	// The names need to differ from those that e itself brings into scope only.
	suffix := strconv.Itoa(m.names)
	base, key, value := "timoniBase"+suffix, "timoniKey"+suffix, "timoniValue"+suffix
	copied := func(value ast.Expr, conditions ...ast.Clause) ast.Decl {
		field := &ast.Field{Label: &ast.ParenExpr{X: ast.NewIdent(key)}, Value: value}
		body := &ast.StructLit{Elts: []ast.Decl{field}}
		if len(conditions) == 0 {
			return &ast.EmbedDecl{Expr: body}
		}
		return &ast.Comprehension{Clauses: conditions, Value: body}
	}
	var untouched []ast.Clause
	var parts []ast.Decl
	for _, child := range n.children {
		name, _, _ := ast.LabelName(child.label)
		untouched = append(untouched, when(token.NEQ, ast.NewIdent(key), ast.NewString(name)))
		if child.kind == branch && !child.replace {
			masked := m.opaque(ast.NewIdent(value), child)
			parts = append(parts, copied(masked, when(token.EQL, ast.NewIdent(key), ast.NewString(name))))
		}
	}
	fields := &ast.Comprehension{
		Clauses: []ast.Clause{&ast.ForClause{Key: ast.NewIdent(key), Value: ast.NewIdent(value), Source: ast.NewIdent(base)}},
		Value:   &ast.StructLit{Elts: append(parts, copied(ast.NewIdent(value), untouched...))},
	}
	anyStruct := &ast.StructLit{Elts: []ast.Decl{&ast.Ellipsis{}}}
	isStruct := when(token.NEQ, &ast.ParenExpr{X: ast.NewBinExpr(token.AND, ast.NewIdent(base), anyStruct)}, &ast.BottomLit{})
	return &ast.StructLit{Elts: []ast.Decl{
		&ast.LetClause{Ident: ast.NewIdent(base), Expr: e},
		&ast.Comprehension{Clauses: []ast.Clause{isStruct}, Value: &ast.StructLit{Elts: []ast.Decl{fields}}},
	}}
}

func when(op token.Token, x, y ast.Expr) ast.Clause {
	return &ast.IfClause{Condition: ast.NewBinExpr(op, x, y)}
}

func top() ast.Expr { return ast.NewIdent("_") }

// isDynamic says whether a field's name has to be computed.
func isDynamic(l ast.Label) bool {
	var n ast.Node = l
	if alias, ok := l.(*ast.Alias); ok {
		n = alias.Expr
	}
	switch n.(type) {
	case *ast.ParenExpr, *ast.Interpolation:
		return true
	}
	return false
}

// isSchema says whether a reference leads to a definition. A definition says
// what values may be, and goes on to hold for those of the user.
func isSchema(e ast.Expr) bool {
	switch x := e.(type) {
	case *ast.Ident:
		return strings.HasPrefix(x.Name, "#") || strings.HasPrefix(x.Name, "_#")
	case *ast.SelectorExpr:
		sel, ok := x.Sel.(*ast.Ident)
		return ok && isSchema(sel) || isSchema(x.X)
	case *ast.IndexExpr:
		return isSchema(x.X)
	}
	return false
}

// isType says whether e is the name of a type, or "_".
func isType(e ast.Expr) bool {
	ident, ok := e.(*ast.Ident)
	if !ok || ident.Node != nil {
		return false
	}
	switch ident.Name {
	case "_", "string", "bytes", "bool", "number", "int", "float", "rune",
		"int8", "int16", "int32", "int64", "int128",
		"uint", "uint8", "uint16", "uint32", "uint64", "uint128", "float32", "float64":
		return true
	}
	return false
}

// dropUnused removes the imports that were used before the file was changed
// and are not any more: CUE does not accept them.
func dropUnused(file *ast.File, before map[*ast.ImportSpec]bool) {
	if len(before) == 0 {
		return
	}
	after := order.UsedImports(file)
	for decl := range file.ImportDecls() {
		kept := decl.Specs[:0]
		for _, spec := range decl.Specs {
			if after[spec] || !before[spec] {
				kept = append(kept, spec)
			}
		}
		decl.Specs = kept
	}
}
