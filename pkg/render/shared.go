// SPDX-License-Identifier: Apache-2.0

package render

import (
	"maps"
	"path/filepath"
	"sync"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/inject/embed"
)

// Shared is what renderings of one module have in common: the packages that it
// imports, read and compiled once. The zero value is ready. Requests that name
// it have the same Dir, Package and Debug, and are carried out one after the
// other, because CUE's contexts are not safe for concurrent use.
type Shared struct {
	mu    sync.Mutex
	ctx   *cue.Context
	first *build.Instance   // nil before the first rendering
	files map[string]parsed // of the packages that are imported
}

// lock returns the lock that guards the values of a rendering.
func (s *Shared) lock() *sync.Mutex {
	if s == nil {
		return &sync.Mutex{}
	}
	return &s.mu
}

// context returns where to evaluate.
func (s *Shared) context() *cue.Context {
	if s != nil && s.ctx != nil {
		return s.ctx
	}
	ctx := cuecontext.New(cuecontext.WithInjection(embed.New()))
	if s != nil {
		s.ctx = ctx
	}
	return ctx
}

// load returns the module's package with what it imports.
func (s *Shared) load(req Request, root, dir string, files *files) *build.Instance {
	if s == nil {
		return loadInstance(req, root, dir, files, false)
	}
	if s.first == nil {
		inst := loadInstance(req, root, dir, files, false)
		if inst.Err == nil {
			s.keep(inst, files)
		}
		return inst
	}
	maps.Copy(files.parsed, s.files)
	// Values and tags are written into the package's own files, so those are
	// read anew; what it imports has neither.
	own := loadInstance(req, root, dir, files, true)
	if own.Err != nil {
		return own
	}
	inst := s.first.Context().NewInstance(s.first.Dir, nil)
	inst.PkgName, inst.Module, inst.ModuleFile, inst.Root = s.first.PkgName, s.first.Module, s.first.ModuleFile, s.first.Root
	inst.ImportPath, inst.Imports = s.first.ImportPath, s.first.Imports
	for _, file := range own.Files {
		if err := inst.AddSyntax(file); err != nil {
			inst.ReportError(err)
		}
	}
	return inst
}

func (s *Shared) keep(inst *build.Instance, files *files) {
	s.first, s.files = inst, maps.Clone(files.parsed)
	maps.DeleteFunc(s.files, func(name string, _ parsed) bool { return filepath.Dir(name) == inst.Dir })
	for _, file := range inst.BuildFiles { // some are in directories above
		delete(s.files, file.Filename)
	}
}
