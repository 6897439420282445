// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/order"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/partial"
)

// meant returns what a reference to nothing may have been meant for: another
// name, or a string without quotes. Of vendored files it says nothing.
func (f *files) meant(name string, at token.Position) string {
	for path, p := range f.parsed {
		if p.file != nil && f.display(path) == at.Filename && !partial.IsVendored(f.root, path) {
			return meantBy(name, f.names(path, p.file, at.Offset))
		}
	}
	return ""
}

func meantBy(name string, known []string) string {
	var meant []string
	if nearest, ok := fail.Nearest(name, known); ok {
		meant = append(meant, nearest)
	}
	if !order.IsHiddenOrDefinition(name) {
		meant = append(meant, fmt.Sprintf("the string %q", name))
	}
	if meant == nil {
		return ""
	}
	return "did you mean " + strings.Join(meant, ", or ") + "?"
}

// names returns the names that a file of the module may refer to at a place:
// those of the structs around it, of its imports, and of the fields of its
// package.
func (f *files) names(path string, file *ast.File, offset int) []string {
	found := map[string]bool{}
	for spec := range file.ImportSpecs() {
		found[importName(spec)] = true
	}
	ast.Walk(file, func(n ast.Node) bool {
		if !isAround(n, offset) {
			_, isFile := n.(*ast.File)
			return isFile
		}
		addNames(found, n)
		return true
	}, nil)
	for other, q := range f.parsed {
		if q.file != nil && filepath.Dir(other) == filepath.Dir(path) && q.file.PackageName() == file.PackageName() {
			addDecls(found, q.file.Decls)
		}
	}
	delete(found, "")
	delete(found, "_timoniTags")
	return slices.Sorted(maps.Keys(found))
}

// isAround says whether a node stands around an offset in its file.
func isAround(n ast.Node, offset int) bool {
	from, to := n.Pos().Position(), n.End().Position()
	return from.IsValid() && to.IsValid() && from.Offset <= offset && offset <= to.Offset
}

func addNames(found map[string]bool, n ast.Node) {
	switch x := n.(type) {
	case *ast.StructLit:
		addDecls(found, x.Elts)
	case *ast.Comprehension:
		for _, clause := range x.Clauses {
			switch c := clause.(type) {
			case *ast.ForClause:
				addIdents(found, c.Key, c.Value)
			case *ast.LetClause:
				addIdents(found, c.Ident)
			}
		}
	}
}

func addDecls(found map[string]bool, decls []ast.Decl) {
	for _, decl := range decls {
		switch d := decl.(type) {
		case *ast.LetClause:
			addIdents(found, d.Ident)
		case *ast.Field:
			if name, isIdent, err := ast.LabelName(d.Label); err == nil && isIdent {
				found[name] = true
			}
		}
	}
}

func addIdents(found map[string]bool, idents ...*ast.Ident) {
	for _, ident := range idents {
		if ident != nil {
			found[ident.Name] = true
		}
	}
}

// importName returns the name by which a file refers to an import.
func importName(spec *ast.ImportSpec) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	path, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return "" // the loader says so
	}
	return ast.ParseImportPath(path).Qualifier
}
