// SPDX-License-Identifier: Apache-2.0

package values

import (
	"slices"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/errors"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/order"
)

// Tree is what several sources say together.
type Tree struct {
	root    node
	sources []Source
}

type kind int

const (
	unknown kind = iota
	unset        // null: what values.cue says is taken out and nothing put in
	leaf         // a scalar or a list
	branch       // a map
)

// node is what the sources say about one path.
type node struct {
	kind     kind
	label    ast.Label // as it was written last
	value    ast.Expr  // of a leaf
	children []*node   // of a branch, in the order of their first appearance
	index    map[string]*node
	// replace: what values.cue says here is dropped, although this is a branch,
	// because a source in between put something else here.
	replace bool
}

// Merge merges sources in their order: a later one wins, maps are merged, lists
// replaced whole, and null takes a value away. Errors have the positions of the
// sources.
func Merge(sources []Source) (*Tree, error) {
	tree := &Tree{root: node{kind: branch}, sources: sources}
	for _, src := range sources {
		lit, err := src.parse()
		if err != nil {
			return nil, tree.Explain(err, Module{})
		}
		if lit == nil {
			continue
		}
		if err := tree.root.set(lit); err != nil {
			return nil, tree.Explain(err, Module{})
		}
	}
	return tree, nil
}

// Replace makes the tree stand in for the values of values.cue, instead of
// being merged over them.
func (t *Tree) Replace() { t.root.replace = true }

func (n *node) set(expr ast.Expr) errors.Error {
	lit, isStruct := expr.(*ast.StructLit)
	switch {
	case isStruct:
		return n.merge(lit)
	case isNull(expr):
		*n = node{kind: unset, label: n.label, replace: true}
	default:
		*n = node{kind: leaf, label: n.label, value: expr, replace: true}
	}
	return nil
}

func (n *node) merge(lit *ast.StructLit) errors.Error {
	n.kind, n.value = branch, nil
	seen := make(map[string]bool, len(lit.Elts))
	for _, decl := range lit.Elts {
		field, ok := decl.(*ast.Field)
		if !ok {
			continue // a comment
		}
		name, _, err := ast.LabelName(field.Label)
		if err != nil {
			return errors.Promote(err, "values")
		}
		if seen[name] {
			return errors.Newf(field.Pos(), "values: %q is given twice in one map", name)
		}
		seen[name] = true
		child := n.child(name)
		child.label = field.Label
		if err := child.set(field.Value); err != nil {
			return err
		}
	}
	return nil
}

func (n *node) child(name string) *node {
	child := n.index[name]
	if child == nil {
		child = &node{}
		if n.index == nil {
			n.index = map[string]*node{}
		}
		n.index[name] = child
		n.children = append(n.children, child)
	}
	return child
}

// literal returns the struct of a branch, without what is unset.
func (n *node) literal() *ast.StructLit {
	lit := &ast.StructLit{}
	for _, child := range n.children {
		var value ast.Expr
		switch child.kind {
		case leaf:
			value = child.value
		case branch:
			inner := child.literal()
			if len(inner.Elts) == 0 && len(child.children) > 0 && !child.replace {
				continue // it only unsets: it must not bring the map about
			}
			value = inner
		default:
			continue
		}
		lit.Elts = append(lit.Elts, &ast.Field{Label: child.label, Value: value})
	}
	return lit
}

// Defaults returns the paths at which a source gives a default, which the module
// may override.
func (t *Tree) Defaults() [][]string { return t.root.defaults(nil) }

func (n *node) defaults(path []string) [][]string {
	if n.kind == leaf && order.Default(n.value) != nil {
		return [][]string{path}
	}
	var all [][]string
	for _, child := range n.children {
		all = append(all, child.defaults(append(slices.Clone(path), order.LabelName(child.label)))...)
	}
	return all
}
