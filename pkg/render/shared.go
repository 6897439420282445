// SPDX-License-Identifier: Apache-2.0

package render

import (
	"maps"
	"path/filepath"
	"sync"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
)

// Shared is what renderings of one module have in common: the packages that it
// imports, read once. The zero value is ready. Requests that name it have the
// same Dir, Package and Debug, and are carried out one after the other, because
// what the loader returns is not safe for concurrent use.
//
// Of vendored packages it is what the first rendering refers to, until one
// refers to more or fails: from then on it is the whole of them.
type Shared struct {
	mu    sync.Mutex
	whole bool
	first *build.Instance   // nil before the first rendering
	part  bool              // of vendored packages is in it
	files map[string]parsed // of the packages that are imported
	uses  map[use]bool      // of those packages
}

// lock returns the lock that guards the values of a rendering.
func (s *Shared) lock() *sync.Mutex {
	if s == nil {
		return &sync.Mutex{}
	}
	return &s.mu
}

// useWhole says whether to evaluate the whole of the vendored packages, now and
// from now on.
func (s *Shared) useWhole(wanted bool) bool {
	if s == nil {
		return wanted
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if wanted && !s.whole {
		s.whole, s.first, s.files, s.uses = true, nil, nil, nil
	}
	return s.whole
}

// load returns the module's package with what it imports.
func (s *Shared) load(req Request, root, dir string, files *files) *build.Instance {
	if s == nil || s.first == nil {
		return loadInstance(req, root, dir, files, false)
	}
	if s.part {
		files.shared = s.uses
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
func (s *Shared) imports(files []*ast.File) bool {
	known := map[string]bool{}
	for u := range s.uses {
		known[u.path] = true
	}
	for u := range usesOf(files) {
		if !known[u.path] {
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
func (s *Shared) keep(inst *build.Instance, files *files) {
	if s == nil || s.first != nil {
		return
	}
	s.part, s.uses = files.isPart(), usesOf(inst.Files)
	s.first, s.files = inst, maps.Clone(files.parsed)
	maps.DeleteFunc(s.files, func(name string, _ parsed) bool { return filepath.Dir(name) == inst.Dir })
	for _, file := range inst.BuildFiles { // some are in directories above
		delete(s.files, file.Filename)
	}
}
