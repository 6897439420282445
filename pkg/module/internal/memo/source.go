// SPDX-License-Identifier: Apache-2.0

package memo

import (
	"fmt"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// AddSource adds all that decides what a source of values says, and where it says
// it. It is false where files decide it too, and for what may hold a secret, or
// comes from a program, as decrypted values do.
func (d Digest) AddSource(s values.Source) bool {
	if s.Secret || s.Hidden != nil || s.Reference != nil || s.Name == values.StdinName || values.IsDevice(s.Name) {
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
	if mask.IsSecret(text) || strings.Contains(text, "@embed") {
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

// NamesSecret says whether a file gives a value to a field whose name tells that
// it may be a secret.
func NamesSecret(file *ast.File) bool {
	found := false
	ast.Walk(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			name, _, err := ast.LabelName(n.Label)
			found = found || err != nil || mask.IsSecret(name)
		case *ast.LetClause:
			found = found || mask.IsSecret(n.Ident.Name)
		}
		return !found
	}, nil)
	return found
}
