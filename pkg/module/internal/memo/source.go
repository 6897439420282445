// SPDX-License-Identifier: Apache-2.0

package memo

import (
	"fmt"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/token"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// AddSource adds all that decides what a source of values says, and where it says
// it. It is false where files decide it too, and for what may hold a secret, or
// is stored nowhere, as decrypted values and those of a pipe are.
func (d Digest) AddSource(s values.Source) bool {
	if !s.Stored || s.Secret || s.Hidden != nil || s.Reference != nil {
		return false
	}
	text, places := string(s.Data), ""
	if s.Expr != nil {
		syntax, err := format.Node(s.Expr)
		if err != nil {
			return false
		}
		text, places = string(syntax), placesIn(s.Expr)
	}
	if mask.IsWary(text) || strings.Contains(text, "@embed") {
		return false
	}
	d.Add("values", s.Name, string(s.Format), text, places)
	return true
}

// placesIn returns where the nodes of an expression were written.
func placesIn(expr ast.Expr) string {
	var b strings.Builder
	ast.Walk(expr, func(n ast.Node) bool {
		fmt.Fprintf(&b, "%v %v\n", n.Pos().Position(), n.Pos().RelPos())
		return true
	}, nil)
	return b.String()
}

// NameSecret says whether the values of a module may hold a secret, by the name of
// a field or the form of a text: in its own file of values wherever one is named,
// in other files where a named one gets a text.
func NameSecret(own *ast.File, files []*ast.File) bool {
	if own == nil || names(own, func(ast.Expr) bool { return true }) {
		return true
	}
	for _, file := range files {
		for _, decl := range file.Decls {
			field, ok := decl.(*ast.Field)
			if !ok || file == own {
				continue
			}
			if name, _, err := ast.LabelName(field.Label); err == nil && name == "values" && names(field.Value, givesText) {
				return true
			}
		}
	}
	return false
}

// names says whether a secret is named below a node, with a value that counts.
func names(n ast.Node, counts func(ast.Expr) bool) bool {
	found := false
	ast.Walk(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			name, _, err := ast.LabelName(n.Label)
			found = found || (err != nil || mask.IsWary(name)) && counts(n.Value)
		case *ast.BasicLit:
			found = found || mask.HasShape(n.Value)
		case *ast.LetClause:
			found = found || mask.IsWary(n.Ident.Name) && counts(n.Expr)
		}
		return !found
	}, nil)
	return found
}

// givesText says whether an expression holds a text that is not empty.
func givesText(e ast.Expr) bool {
	found := false
	ast.Walk(e, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		found = found || ok && lit.Kind == token.STRING && len(strings.Trim(lit.Value, "\"'#")) > 0
		return !found
	}, nil)
	return found
}
