// SPDX-License-Identifier: Apache-2.0

package values

import (
	"slices"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/order"
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
// stands for it in errors, and hidden are the secrets in it.
func Recorded(name, text string, hidden ...string) Source {
	return Source{Name: name, Format: CUE, Data: []byte(fieldName + ": " + text), Secret: len(hidden) > 0, Hidden: hidden}
}

// Dropped returns the paths that earlier sources set and the present ones say
// nothing about, sorted. What they take away counts as said.
func Dropped(earlier, now []Source) ([]string, error) {
	old, err := Merge(earlier)
	if err != nil {
		return nil, err
	}
	tree, err := Merge(now)
	if err != nil {
		return nil, err
	}
	paths := old.root.missingIn(&tree.root, nil)
	slices.Sort(paths)
	return paths, nil
}

// missingIn returns the paths of leaves of which another node says nothing.
func (n *node) missingIn(other *node, path []cue.Selector) []string {
	switch {
	case n.kind == unset, other != nil && (other.kind != branch || other.replace):
		return nil
	case n.kind == leaf && other != nil:
		return nil
	case n.kind == leaf:
		return []string{cue.MakePath(path...).String()}
	}
	var all []string
	for name, child := range n.index {
		var inner *node
		if other != nil {
			inner = other.index[name]
		}
		all = append(all, child.missingIn(inner, append(slices.Clone(path), cue.Str(name)))...)
	}
	return all
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
		lit.Elts = append(lit.Elts, &ast.Field{Label: ast.NewStringLabel(order.LabelName(child.label)), Value: value})
	}
	return lit
}
