// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/outline"
)

// vendored is a file of a vendored package of which only the package clause and
// the imports were parsed.
type vendored struct {
	name    string // the path
	src     []byte
	config  parser.Config
	outline outline.File
	stub    *ast.File

	kept     map[int]bool // the fields that something refers to
	imported map[int]bool // the imports that those fields use
}

// isVendored says whether a file belongs to a package in cue.mod.
func (f *files) isVendored(name string) bool {
	dir := filepath.Join(f.root, "cue.mod") + string(filepath.Separator)
	return strings.HasPrefix(name, dir)
}

// outlined returns a vendored file by its outline, or nil if the whole of the
// file is needed, or its outline is not certain.
func (f *files) outlined(name string, src []byte) *vendored {
	if f.whole || !f.isVendored(name) {
		return nil
	}
	o, ok := outline.Of(src)
	if !ok {
		return nil
	}
	return &vendored{name: name, src: src, outline: o, kept: map[int]bool{}, imported: map[int]bool{}}
}

// parseStub parses what is before the fields of a vendored file. It is nil for
// a file that is to be parsed in whole.
func (f *files) parseStub(name string, src any, config parser.Config) *ast.File {
	data, ok := src.([]byte)
	if !ok {
		return nil
	}
	v := f.read[name]
	if v == nil {
		v = f.outlined(name, data)
	}
	if v == nil {
		return nil
	}
	stub, err := parser.ParseFile(f.display(name), v.src[:v.outline.Header], config)
	if err != nil {
		return nil
	}
	v.config, v.stub = config, stub
	f.vendored[stub] = v
	return stub
}

// parse parses the fields that are kept. Positions are in the lines and the
// columns of the whole file.
func (v *vendored) parse(display string) (*ast.File, error) {
	return parser.ParseFile(display, v.outline.Without(v.src, func(i int) bool { return v.kept[i] }), v.config)
}

// reach finds out which fields of the vendored packages a module refers to.
type reach struct {
	files    *files
	packages map[*build.Instance]*reached
	queue    []field
	unsure   bool
}

// reached is the state of a package.
type reached struct {
	instance *build.Instance
	declared map[string][]field // by name
	whole    bool               // is referred to as such
}

// field is a field of a vendored file.
type field struct {
	pkg   *reached
	file  *vendored
	index int
}

// isPart says that of vendored packages a part is evaluated.
func (f *files) isPart() bool { return len(f.vendored) > 0 || f.shared != nil }

// keepReached replaces the vendored packages that inst imports by those of the
// fields that something refers to. It is false where that cannot be known.
func (f *files) keepReached(inst *build.Instance) bool {
	if f.shared != nil {
		for u := range usesOf(inst.Files) {
			if u.path != "" && !f.shared[u] {
				return false
			}
		}
		return true
	}
	if len(f.vendored) == 0 {
		return true
	}
	r := &reach{files: f, packages: map[*build.Instance]*reached{}}
	r.add(inst)
	for len(r.queue) > 0 && !r.unsure {
		next := r.queue[len(r.queue)-1]
		r.queue = r.queue[:len(r.queue)-1]
		r.follow(next)
	}
	if r.unsure {
		return false
	}
	c := &copier{files: f, ctx: build.NewContext(), copies: map[*build.Instance]*build.Instance{}}
	c.redirect(inst)
	return !c.failed
}

// add takes a package in, with what it imports. What was parsed in whole is
// kept, and what it refers to.
func (r *reach) add(inst *build.Instance) *reached {
	if p := r.packages[inst]; p != nil {
		return p
	}
	p := &reached{instance: inst, declared: map[string][]field{}}
	r.packages[inst] = p
	for _, imported := range inst.Imports {
		r.add(imported)
	}
	for _, file := range inst.Files {
		v := r.files.vendored[file]
		if v == nil {
			continue
		}
		for i, f := range v.outline.Fields {
			p.declared[f.Name] = append(p.declared[f.Name], field{p, v, i})
		}
	}
	for _, file := range inst.Files {
		if r.files.vendored[file] == nil {
			r.followSyntax(p, file)
		}
	}
	return p
}

// need keeps the fields of a name, or all of them where the name is "".
func (r *reach) need(p *reached, name string) {
	if name != "" {
		r.keep(p.declared[name])
		return
	}
	if p.whole {
		return
	}
	p.whole = true
	for _, fields := range p.declared {
		r.keep(fields)
	}
}

func (r *reach) keep(fields []field) {
	for _, f := range fields {
		if !f.file.kept[f.index] {
			f.file.kept[f.index] = true
			r.queue = append(r.queue, f)
		}
	}
}

// followSyntax keeps what a file refers to that was parsed in whole.
func (r *reach) followSyntax(p *reached, file *ast.File) {
	for u := range usesOf([]*ast.File{file}) {
		if u.path == "" {
			r.keep(p.declared[u.name])
		} else {
			r.needImport(p, u.path, u.name)
		}
	}
}

// use is a name that a file refers to: a field of the package that it imports
// from a path, or where that is "", one that it does not import.
type use struct{ path, name string } // a name of "" stands for the whole package

// usesOf returns what files that were parsed in whole refer to.
func usesOf(files []*ast.File) map[use]bool {
	uses := map[use]bool{}
	selected := map[*ast.Ident]string{}
	visit := func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.SelectorExpr:
			if id, ok := x.X.(*ast.Ident); ok {
				if name, _, err := ast.LabelName(x.Sel); err == nil {
					selected[id] = name
				}
			}
		case *ast.Ident:
			if spec, ok := x.Node.(*ast.ImportSpec); ok {
				uses[use{importPath(spec), selected[x]}] = true
			} else {
				uses[use{"", x.Name}] = true
			}
		}
		return true
	}
	for _, file := range files {
		ast.Walk(file, visit, nil)
	}
	return uses
}

func (r *reach) needImport(p *reached, path, name string) {
	if imported := p.instance.LookupImport(path); imported != nil {
		r.need(r.add(imported), name)
	}
}

func importPath(spec *ast.ImportSpec) string {
	path, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return "" // the loader has said so
	}
	return path
}

// follow keeps what a field refers to.
func (r *reach) follow(f field) {
	specs := slices.Collect(f.file.stub.ImportSpecs())
	r.unsure = r.unsure || !f.file.uses(f.index, func(use outline.Use) bool {
		r.keep(f.pkg.declared[use.Name])
		for i, spec := range specs {
			if imports(f.pkg.instance, spec, use.Name) {
				f.file.imported[i] = true
				r.needImport(f.pkg, importPath(spec), use.Selected)
			}
		}
		return true
	})
}

func (v *vendored) uses(index int, visit func(outline.Use) bool) bool {
	return outline.Uses(v.src, v.outline.Fields[index], visit)
}

// imports says whether a package that a file imports goes by a name in it. The
// name of a package may be other than the last element of its path.
func imports(inst *build.Instance, spec *ast.ImportSpec, name string) bool {
	if spec.Name != nil {
		return spec.Name.Name == name
	}
	path := importPath(spec)
	imported := inst.LookupImport(path)
	return ast.ParseImportPath(path).Qualifier == name || imported != nil && imported.PkgName == name
}

// copier puts packages of the kept fields in the place of the loaded ones.
type copier struct {
	files  *files
	ctx    *build.Context
	copies map[*build.Instance]*build.Instance
	failed bool
}

// redirect makes a package import the copies.
func (c *copier) redirect(inst *build.Instance) {
	for i, imported := range inst.Imports {
		inst.Imports[i] = c.copy(imported)
	}
}

// copy returns what is kept of a package: the package itself, if that is all.
func (c *copier) copy(inst *build.Instance) *build.Instance {
	if done := c.copies[inst]; done != nil {
		return done
	}
	if !slices.ContainsFunc(inst.Files, func(f *ast.File) bool { return c.files.vendored[f] != nil }) {
		c.copies[inst] = inst
		c.redirect(inst)
		return inst
	}
	kept := c.ctx.NewInstance(inst.Dir, func(_ token.Pos, path string) *build.Instance {
		if imported := inst.LookupImport(path); imported != nil {
			return c.copy(imported)
		}
		return nil // CUE's own
	})
	c.copies[inst] = kept
	kept.DirLoc, kept.Root, kept.RootLoc = inst.DirLoc, inst.Root, inst.RootLoc
	kept.PkgName, kept.ImportPath, kept.CanonicalID, kept.DisplayPath = inst.PkgName, inst.ImportPath, inst.CanonicalID, inst.DisplayPath
	kept.Module, kept.ModuleVersion, kept.ModuleFile = inst.Module, inst.ModuleVersion, inst.ModuleFile
	kept.CanonicalImportPath = inst.CanonicalImportPath
	for _, file := range inst.Files {
		c.add(kept, inst, file)
	}
	c.failed = c.failed || kept.Complete() != nil || kept.ResolutionErr != nil
	return kept
}

// add adds what is kept of a file.
func (c *copier) add(kept, inst *build.Instance, file *ast.File) {
	if v := c.files.vendored[file]; v != nil {
		var err error
		if file, err = v.parse(c.files.display(v.name)); err != nil {
			c.failed = true
			return
		}
		v.dropImports(inst, file)
		c.files.parsed[v.name] = parsed{file: file}
	}
	c.failed = kept.AddSyntax(file) != nil || c.failed
}

// dropImports removes the imports that only dropped fields use. One that no
// field uses stays, which is an error.
func (v *vendored) dropImports(inst *build.Instance, file *ast.File) {
	i := -1
	for _, decl := range file.Decls {
		if d, ok := decl.(*ast.ImportDecl); ok {
			d.Specs = slices.DeleteFunc(d.Specs, func(spec *ast.ImportSpec) bool {
				i++
				return !v.imported[i] && v.isImportUsed(inst, spec)
			})
		}
	}
	file.Decls = slices.DeleteFunc(file.Decls, func(decl ast.Decl) bool {
		d, ok := decl.(*ast.ImportDecl)
		return ok && len(d.Specs) == 0
	})
}

func (v *vendored) isImportUsed(inst *build.Instance, spec *ast.ImportSpec) bool {
	used := false
	for i := range v.outline.Fields {
		v.uses(i, func(use outline.Use) bool {
			used = imports(inst, spec, use.Name)
			return !used
		})
		if used {
			break
		}
	}
	return used
}

// errPartial says that something is wrong with a module of whose vendored
// packages a part was evaluated, or that the part is not certain. What is wrong,
// and where, is for the whole of them to say.
var errPartial = errors.New("the vendored packages were not evaluated in whole")
