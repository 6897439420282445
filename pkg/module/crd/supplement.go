// SPDX-License-Identifier: Apache-2.0

package crd

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"
)

// supplement adds to files what the packages lack of the files of known.
func (p Packages) supplement(files, known map[string][]byte) error {
	s := supplement{packages: p, names: map[string]map[string]bool{}}
	for in, definitions := range p {
		s.names[in] = map[string]bool{}
		for name := range definitions {
			s.names[in][name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if err := s.read(name, known[name]); err != nil {
			return err
		}
	}
	for s.dropBroken() {
	}
	for _, f := range s.files {
		if len(f.kept) == 0 {
			continue
		}
		text, err := f.source()
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		files[f.name] = text
	}
	return nil
}

// supplement is what is taken over.
type supplement struct {
	packages Packages
	names    map[string]map[string]bool // what is defined, by import path
	files    []*supplementFile
}

type supplementFile struct {
	name, in string
	file     *ast.File
	imports  map[string]string // local name to import path
	kept     []*ast.Field
}

// read takes what the cluster's packages may lack from a file. Structs of API
// groups are not taken: those that OpenAPI does not have are of another version
// or no part of an object.
func (s *supplement) read(name string, data []byte) error {
	in := path.Dir(name)
	machinery := strings.HasPrefix(in, "k8s.io/apimachinery/")
	if s.packages[in] == nil && !machinery {
		return nil
	}
	file, err := parser.ParseFile(name, data, parser.ParseComments)
	if err != nil {
		return err
	}
	f := &supplementFile{name: name, in: in, file: file, imports: map[string]string{}}
	for spec := range file.ImportSpecs() {
		local, from, err := imported(spec)
		if err != nil {
			return err
		}
		f.imports[local] = from
	}
	if s.names[in] == nil {
		s.names[in] = map[string]bool{}
	}
	for _, decl := range file.Decls {
		field, ok := decl.(*ast.Field)
		if !ok || !isIdent(field.Label) {
			continue
		}
		if definition := identName(field.Label); s.packages[in][definition] == nil && (machinery || !isObject(field.Value)) {
			f.kept = append(f.kept, field)
			s.names[in][definition] = true
		}
	}
	s.files = append(s.files, f)
	return nil
}

// imported returns the name that an import has in its file, and its path.
func imported(spec *ast.ImportSpec) (local, from string, err error) {
	if from, err = strconv.Unquote(spec.Path.Value); err != nil {
		return "", "", err
	}
	if spec.Name != nil {
		return spec.Name.Name, from, nil
	}
	return path.Base(from), from, nil
}

// isObject says whether an expression is a struct with fields of its own.
func isObject(e ast.Expr) bool {
	literal, ok := e.(*ast.StructLit)
	return ok && slices.ContainsFunc(literal.Elts, func(decl ast.Decl) bool {
		field, ok := decl.(*ast.Field)
		if !ok {
			return true
		}
		_, isPattern := field.Label.(*ast.ListLit)
		return !isPattern
	})
}

// dropBroken drops the definitions that refer to what there is not, and says
// whether there were any: others may refer to them.
func (s *supplement) dropBroken() (dropped bool) {
	for _, f := range s.files {
		f.kept = slices.DeleteFunc(f.kept, func(field *ast.Field) bool {
			broken := false
			f.references(field, func(in, name string) {
				broken = broken || strings.HasPrefix(in, "k8s.io/") && !s.names[in][name]
			})
			if broken {
				delete(s.names[f.in], identName(field.Label))
				dropped = true
			}
			return broken
		})
	}
	return dropped
}

// references calls yield for each definition that a field refers to.
func (f *supplementFile) references(field *ast.Field, yield func(in, name string)) {
	ast.Walk(field.Value, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if in, ok := f.imports[identName(n.X)]; ok {
				yield(in, identName(n.Sel))
				return false
			}
		case *ast.Attribute:
			return false
		case *ast.Ident:
			if strings.HasPrefix(n.Name, "#") || strings.HasPrefix(n.Name, "_#") {
				yield(f.in, n.Name)
			}
		}
		return true
	}, nil)
}

// source returns the text of what is kept of the file, with the imports that
// it needs.
func (f *supplementFile) source() ([]byte, error) {
	used := map[string]bool{}
	for _, field := range f.kept {
		ast.Walk(field.Value, func(n ast.Node) bool {
			if selector, ok := n.(*ast.SelectorExpr); ok {
				used[identName(selector.X)] = true
			}
			return true
		}, nil)
	}
	var decls []ast.Decl
	for _, decl := range f.file.Decls {
		switch decl := decl.(type) {
		case *ast.ImportDecl:
			decl.Specs = slices.DeleteFunc(decl.Specs, func(spec *ast.ImportSpec) bool {
				local, _, err := imported(spec)
				return err != nil || !used[local]
			})
			if len(decl.Specs) > 0 {
				decls = append(decls, decl)
			}
		case *ast.Field:
			if slices.Contains(f.kept, decl) {
				decls = append(decls, decl)
			}
		default:
			decls = append(decls, decl)
		}
	}
	f.file.Decls = decls
	return formatted(f.file)
}
