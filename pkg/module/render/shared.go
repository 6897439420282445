// SPDX-License-Identifier: Apache-2.0

package render

import (
	"maps"
	"path/filepath"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/order"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/partial"
)

// shared is what renderings of one module have in common: the packages that it
// imports, read once. The zero value is ready, nil shares nothing. The
// renderings are carried out one after the other, because what the loader
// returns is not safe for concurrent use.
//
// Of vendored packages it is what the first rendering refers to, until one
// refers to more or fails: from then on it is the whole of them.
type shared struct {
	whole bool
	first *build.Instance      // nil before the first rendering
	part  bool                 // of vendored packages is in it
	files map[string]parsed    // of the packages that are imported
	uses  map[partial.Use]bool // of those packages

	schema *order.Schema // of the values, for the order of their fields
}

// schemaOf returns what the module says the values may be.
func (s *shared) schemaOf(e *evaluation) *order.Schema {
	if s == nil {
		return order.NewSchema(e.schema())
	}
	if s.schema == nil {
		s.schema = order.NewSchema(e.schema())
	}
	return s.schema
}

// useWhole says whether to evaluate the whole of the vendored packages, now and
// from now on.
func (s *shared) useWhole(wanted bool) bool {
	if s == nil {
		return wanted
	}
	if wanted && !s.whole {
		*s = shared{whole: true}
	}
	return s.whole
}

// load returns the module's package with what it imports.
func (s *shared) load(req Request, root, dir string, files *files) *build.Instance {
	if s == nil || s.first == nil {
		return loadInstance(req, root, dir, files, false)
	}
	if s.part {
		files.part.After(s.uses)
	}
	maps.Copy(files.parsed, s.files)
	// Values and tags are written into the package's own files, so those are
	// read anew; what it imports has neither.
	own := loadInstance(req, root, dir, files, true)
	if own.Err != nil {
		return own
	}
	if !s.part && !s.imports(own.Files) { // values took the place of what used one
		s.first = nil
		return loadInstance(req, root, dir, files, false)
	}
	inst := siblingOf(s.first)
	for _, file := range own.Files {
		if err := inst.AddSyntax(file); err != nil {
			inst.ReportError(err)
		}
	}
	return inst
}

// imports says whether what the files import is among what the first rendering
// has loaded.
func (s *shared) imports(files []*ast.File) bool {
	known := map[string]bool{}
	for u := range s.uses {
		known[u.Path] = true
	}
	for u := range partial.UsesOf(files) {
		if !known[u.Path] {
			return false
		}
	}
	return true
}

// siblingOf returns a package without files that imports what another one does.
// It is not of the context of the other, which knows packages by their paths:
// in that they are whole where only a part is imported.
func siblingOf(other *build.Instance) *build.Instance {
	inst := build.NewContext().NewInstance(other.Dir, nil)
	inst.PkgName, inst.Module, inst.ModuleFile, inst.Root = other.PkgName, other.Module, other.ModuleFile, other.Root
	inst.ImportPath, inst.Imports = other.ImportPath, other.Imports
	return inst
}

// keep keeps what the first rendering has loaded and will evaluate.
func (s *shared) keep(inst *build.Instance, files *files) {
	if s == nil || s.first != nil {
		return
	}
	s.part, s.uses = files.part.IsPart(), partial.UsesOf(inst.Files)
	s.first, s.files = inst, maps.Clone(files.parsed)
	maps.DeleteFunc(s.files, func(name string, _ parsed) bool { return filepath.Dir(name) == inst.Dir })
	for _, file := range inst.BuildFiles { // some are in directories above
		delete(s.files, file.Filename)
	}
}
