// SPDX-License-Identifier: Apache-2.0

package vet

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/cuefile"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// syntax is what must be known of all files of a policy before one is
// evaluated.
type syntax struct {
	imported map[string]bool // names of what is a definition of another package, or embeds one
	holds    map[string]bool // names of what has one anywhere in it
	texts    texts
}

// newSyntax reads files in CUE. One that cannot be parsed is left to its
// evaluation.
func newSyntax(files []cuefile.File) syntax {
	s := syntax{imported: map[string]bool{}, holds: map[string]bool{}}
	var parsed []*ast.File
	for _, f := range files {
		if f.Format == values.YAML || f.Format == values.JSON {
			continue
		}
		if file, err := cuefile.Syntax(f); err == nil {
			parsed = append(parsed, file)
			s.texts = append(s.texts, textsOf(file)...)
		}
	}
	for before := -1; before < len(s.imported)+len(s.holds); {
		before = len(s.imported) + len(s.holds)
		for _, file := range parsed {
			s.follow(file)
		}
	}
	return s
}

// textsOf returns the places where a file has the text of an error.
func textsOf(file *ast.File) (at texts) {
	ast.Walk(file, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && isCallOf(call, "error") {
			at = append(at, call.Pos().Position())
		}
		return true
	}, nil)
	return at
}

func isCallOf(call *ast.CallExpr, function string) bool {
	name, ok := call.Fun.(*ast.Ident)
	return ok && name.Name == function
}

// follow finds the names of what is made of what is imported, directly or by way
// of another name: of definitions, of hidden and top-level fields, of let.
func (s syntax) follow(file *ast.File) {
	packages := importNames(file)
	ast.Walk(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			name, _, err := ast.LabelName(n.Label)
			isNamed := strings.HasPrefix(name, "#") || strings.HasPrefix(name, "_") || slices.Contains(file.Decls, ast.Decl(n))
			if err == nil && isNamed {
				s.name(name, n.Value, packages)
			}
		case *ast.LetClause:
			s.name(n.Ident.Name, n.Expr, packages)
		}
		return true
	}, nil)
}

// name notes what a name stands for.
func (s syntax) name(name string, value ast.Expr, packages []string) {
	if s.refers(value, packages, true) {
		s.holds[name] = true
	}
	if s.isImported(value, packages) {
		s.imported[name] = true
	}
}

// importNames returns the names by which a file calls packages that are not
// CUE's own.
func importNames(file *ast.File) []string {
	var names []string
	for spec := range file.ImportSpecs() {
		name, _ := strconv.Unquote(spec.Path.Value)
		if first, _, _ := strings.Cut(name, "/"); !strings.Contains(first, ".") {
			continue
		}
		if spec.Name != nil {
			names = append(names, spec.Name.Name)
			continue
		}
		name, qualifier, qualified := strings.Cut(path.Base(name), ":")
		if qualified {
			name = qualifier
		}
		name, _, _ = strings.Cut(name, "@")
		names = append(names, name)
	}
	return names
}

// isImported says whether an expression is a definition of another package, or
// one with more fields.
func (s syntax) isImported(n ast.Node, packages []string) bool {
	return s.refers(n, packages, false)
}

// refers says whether an expression refers to what is imported: anywhere in it, or
// not in the fields of its structs, which close themselves only.
func (s syntax) refers(n ast.Node, packages []string, anywhere bool) (found bool) {
	ast.Walk(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field: // whose label is no reference
			found = found || anywhere && s.refers(n.Value, packages, true)
			return false
		case *ast.SelectorExpr:
			found = found || s.refers(n.X, packages, true)
			return false
		case *ast.IndexExpr:
			found = found || s.refers(n.X, packages, true)
			return false
		case *ast.ForClause: // whose elements have no name that is known here
			found = found || s.refers(n.Source, packages, true)
			return false
		case *ast.Ident:
			found = found || s.imported[n.Name] || anywhere && s.holds[n.Name] || slices.Contains(packages, n.Name)
		}
		return !found
	}, nil)
	return found
}

// open lets every struct that a file writes have other fields. Definitions of
// other packages stay closed, also where a struct embeds one, and so does what
// close is called with.
func (s syntax) open(file *ast.File) error {
	packages := importNames(file)
	closed := map[ast.Node]bool{}
	ast.Walk(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			for _, arg := range n.Args {
				closed[arg] = isCallOf(n, "close")
			}
		case *ast.StructLit:
			if s.embedsImported(n, packages) {
				return false
			}
			if !closed[n] && !hasEllipsis(n) {
				n.Elts = append(n.Elts, &ast.Ellipsis{})
			}
		}
		return true
	}, nil)
	return nil
}

// embedsImported says whether a struct is one of another package, with more
// fields. An ellipsis would open that one, too.
func (s syntax) embedsImported(lit *ast.StructLit, packages []string) bool {
	return slices.ContainsFunc(lit.Elts, func(decl ast.Decl) bool {
		switch decl := decl.(type) {
		case *ast.EmbedDecl:
			if inner, ok := decl.Expr.(*ast.StructLit); ok {
				return s.embedsImported(inner, packages)
			}
			return s.isImported(decl.Expr, packages)
		case *ast.Comprehension:
			inner, ok := decl.Value.(*ast.StructLit)
			return ok && s.embedsImported(inner, packages)
		}
		return false
	})
}

func hasEllipsis(lit *ast.StructLit) bool {
	return slices.ContainsFunc(lit.Elts, func(decl ast.Decl) bool {
		_, ok := decl.(*ast.Ellipsis)
		return ok
	})
}
