// SPDX-License-Identifier: Apache-2.0

package order

import (
	"slices"

	"cuelang.org/go/cue/ast"
)

// SchemaOf returns what the files of a package have to say of values: the field
// values, and what that refers to. The references of the files lead into what is
// returned until Resolve is called.
func SchemaOf(files []*ast.File) []*ast.File {
	kept := reachable(files)
	parts := make([]*ast.File, len(files))
	for i, file := range files {
		parts[i] = partOf(file, kept)
	}
	return parts
}

// reachable returns the declarations of the field values, and those that they
// refer to by name, in whatever file.
func reachable(files []*ast.File) map[ast.Decl]bool {
	declared := map[string][]ast.Decl{}
	kept := map[ast.Decl]bool{}
	var queue []ast.Decl
	for _, file := range files {
		for _, decl := range file.Decls {
			name := topName(decl)
			declared[name] = append(declared[name], decl)
			switch decl.(type) {
			case *ast.EmbedDecl, *ast.Comprehension: // may declare values, too
				queue = append(queue, decl)
			}
		}
	}
	queue = append(queue, declared[fieldName]...)
	for len(queue) > 0 {
		decl := queue[0]
		queue = queue[1:]
		if kept[decl] {
			continue
		}
		kept[decl] = true
		ast.Walk(decl, func(n ast.Node) bool {
			if ident, ok := n.(*ast.Ident); ok {
				queue = append(queue, declared[ident.Name]...)
			}
			return true
		}, nil)
	}
	return kept
}

// topName returns the name by which a file refers to a declaration of the
// package, empty for what has none.
func topName(decl ast.Decl) string {
	switch d := decl.(type) {
	case *ast.LetClause:
		return d.Ident.Name
	case *ast.Field:
		label := d.Label
		if alias, ok := label.(*ast.Alias); ok {
			return alias.Ident.Name
		}
		name, _, err := ast.LabelName(label)
		if err == nil {
			return name
		}
	}
	return ""
}

// partOf returns a file with the declarations that are kept, and the imports that
// those use.
func partOf(file *ast.File, kept map[ast.Decl]bool) *ast.File {
	part := *file
	part.Decls = nil
	for _, decl := range file.Decls {
		_, isImport := decl.(*ast.ImportDecl)
		if !isImport && (kept[decl] || isHead(decl)) {
			part.Decls = append(part.Decls, decl)
		}
	}
	used := UsedImports(&part)
	var imports []ast.Decl
	for decl := range file.ImportDecls() {
		copied := *decl
		copied.Specs = slices.DeleteFunc(slices.Clone(decl.Specs), func(spec *ast.ImportSpec) bool { return !used[spec] })
		if len(copied.Specs) > 0 {
			imports = append(imports, &copied)
		}
	}
	head := 0
	for head < len(part.Decls) && isHead(part.Decls[head]) {
		head++
	}
	part.Decls = slices.Insert(part.Decls, head, imports...)
	Resolve(&part)
	return &part
}

// isHead says whether a declaration stands before the imports of a file.
func isHead(decl ast.Decl) bool {
	switch decl.(type) {
	case *ast.Package, *ast.Attribute, *ast.CommentGroup:
		return true
	}
	return false
}
