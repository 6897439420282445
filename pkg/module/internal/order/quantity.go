// SPDX-License-Identifier: Apache-2.0

package order

import (
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"
)

// quantity returns a number of the user as the string that it stands for where
// the module wants a quantity, such as #CPUQuantity: cpu: 1 is what Kubernetes
// itself takes. Anything else is returned as it is.
func (s *Schema) quantity(e ast.Expr) ast.Expr {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.INT && lit.Kind != token.FLOAT || lit.Pos().Filename() == s.own {
		return e
	}
	if !slices.ContainsFunc(s.alternatives, IsQuantity) {
		return e
	}
	var number literal.NumInfo
	if literal.ParseNum(lit.Value, &number) != nil {
		return e
	}
	return &ast.BasicLit{ValuePos: lit.ValuePos, Kind: token.STRING, Value: strconv.Quote(number.String())}
}

// maxReferences is how many references in a row lead to the name of a quantity
// at most.
const maxReferences = 4

// IsQuantity says whether a type is a string by a definition that is called a
// quantity, such as #CPUQuantity or #Quantity.
func IsQuantity(v cue.Value) bool { return isQuantity(v, maxReferences) }

func isQuantity(v cue.Value, depth int) bool {
	if depth == 0 || v.IncompleteKind() != cue.StringKind {
		return false
	}
	if _, path := v.ReferencePath(); len(path.Selectors()) > 0 {
		name := path.Selectors()[len(path.Selectors())-1].String()
		return strings.HasPrefix(name, "#") && strings.HasSuffix(name, "Quantity") || isQuantity(cue.Dereference(v), depth-1)
	}
	op, parts := v.Expr()
	return (op == cue.AndOp || op == cue.OrOp || op == cue.NoOp) && slices.ContainsFunc(parts, func(part cue.Value) bool {
		return isQuantity(part, depth-1)
	})
}
