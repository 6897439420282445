// SPDX-License-Identifier: Apache-2.0

package values

import (
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
)

// UserText returns what sources say together as the text of a CUE struct, null
// where they take a value of the module away. Recorded gives it back.
func UserText(sources []Source) (string, error) {
	tree, err := Merge(sources)
	if err != nil {
		return "", err
	}
	text, err := format.Node(tree.root.given())
	return string(text), err
}

// Recorded returns the source of values as a record or UserText has them. name
// stands for it in errors.
func Recorded(name, text string) Source {
	return Source{Name: name, Format: CUE, Data: []byte(fieldName + ": " + text)}
}

// given returns the struct of a branch, with null for what is unset.
func (n *node) given() *ast.StructLit {
	lit := &ast.StructLit{}
	for _, child := range n.children {
		var value ast.Expr
		switch child.kind {
		case leaf:
			value = child.value
		case branch:
			value = child.given()
		case unset:
			value = ast.NewNull()
		default:
			continue
		}
		lit.Elts = append(lit.Elts, &ast.Field{Label: child.label, Value: value})
	}
	return lit
}
