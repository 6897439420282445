// SPDX-License-Identifier: Apache-2.0

// Package partial loads of the vendored packages of a module the fields that the
// module refers to, and what those refer to: usually a small part. What cannot be
// told for certain is refused, and then the whole of them is to be evaluated.
// docs/benchmarks.md says what that saves.
package partial

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/outline"
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

// Loader makes CUE's loader see a part of the vendored packages. Nil, it leaves
// them whole: that is the switch.
type Loader struct {
	root    string              // the module, absolute
	display func(string) string // names a file as the user would

	read     map[string]*vendored    // by path: those that the loader sees the head of
	vendored map[*ast.File]*vendored // by what stands for the file until it is known what is needed of it
	earlier  map[Use]bool            // of packages of which an earlier rendering has kept a part; nil if of none
	parsed   map[string]*ast.File    // by path: what is kept
}

// New returns a loader for the module in root.
func New(root string, display func(string) string) *Loader {
	return &Loader{
		root: root, display: display,
		read: map[string]*vendored{}, vendored: map[*ast.File]*vendored{}, parsed: map[string]*ast.File{},
	}
}

// After makes the loader take what an earlier rendering has kept, for what it
// refers to.
func (l *Loader) After(uses map[Use]bool) { l.earlier = uses }

// Files returns the files that were parsed in part, by path.
func (l *Loader) Files() map[string]*ast.File {
	if l == nil {
		return nil
	}
	return l.parsed
}

// IsVendored says whether a file belongs to a package in the cue.mod of a module.
func IsVendored(root, name string) bool {
	dir := filepath.Join(root, "cue.mod") + string(filepath.Separator)
	return strings.HasPrefix(name, dir)
}

// outlined returns a vendored file by its outline, or nil if the outline is not
// certain.
func (l *Loader) outlined(name string, src []byte) *vendored {
	if !IsVendored(l.root, name) {
		return nil
	}
	o, ok := outline.Of(src)
	if !ok {
		return nil
	}
	return &vendored{name: name, src: src, outline: o, kept: map[int]bool{}, imported: map[int]bool{}}
}

// Parse parses what is before the fields of a vendored file. It is nil for a file
// that is to be parsed in whole.
func (l *Loader) Parse(name string, src any, config parser.Config) *ast.File {
	data, ok := src.([]byte)
	if l == nil || !ok {
		return nil
	}
	v := l.read[name]
	if v == nil {
		v = l.outlined(name, data)
	}
	if v == nil {
		return nil
	}
	stub, err := parser.ParseFile(l.display(name), v.src[:v.outline.Header], config)
	if err != nil {
		return nil
	}
	v.config, v.stub = config, stub
	l.vendored[stub] = v
	return stub
}

// parse parses the fields that are kept. Positions are in the lines and the
// columns of the whole file.
func (v *vendored) parse(display string) (*ast.File, error) {
	return parser.ParseFile(display, v.outline.Without(v.src, func(i int) bool { return v.kept[i] }), v.config)
}

// reach finds out which fields of the vendored packages a module refers to.
type reach struct {
	loader   *Loader
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

// IsPart says that of vendored packages a part is evaluated.
func (l *Loader) IsPart() bool { return l != nil && (len(l.vendored) > 0 || l.earlier != nil) }

// Keep replaces the vendored packages that inst imports by those of the
// fields that something refers to. It is false where that cannot be known.
func (l *Loader) Keep(inst *build.Instance) bool {
	if !l.IsPart() {
		return true
	}
	if l.earlier != nil {
		for u := range UsesOf(inst.Files) {
			if u.Path != "" && !l.earlier[u] {
				return false
			}
		}
		return true
	}
	r := &reach{loader: l, packages: map[*build.Instance]*reached{}}
	r.add(inst)
	for len(r.queue) > 0 && !r.unsure {
		next := r.queue[len(r.queue)-1]
		r.queue = r.queue[:len(r.queue)-1]
		r.follow(next)
	}
	if r.unsure {
		return false
	}
	c := &copier{loader: l, ctx: build.NewContext(), copies: map[*build.Instance]*build.Instance{}}
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
		v := r.loader.vendored[file]
		if v == nil {
			continue
		}
		for i, f := range v.outline.Fields {
			p.declared[f.Name] = append(p.declared[f.Name], field{p, v, i})
		}
	}
	for _, file := range inst.Files {
		if r.loader.vendored[file] == nil {
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
	for u := range UsesOf([]*ast.File{file}) {
		if u.Path == "" {
			r.keep(p.declared[u.Name])
		} else {
			r.needImport(p, u.Path, u.Name)
		}
	}
}

// Use is a name that a file refers to: a field of the package that it imports
// from a path, or where that is "", one that it does not import.
type Use struct{ Path, Name string } // a name of "" stands for the whole package

// UsesOf returns what files that were parsed in whole refer to.
func UsesOf(files []*ast.File) map[Use]bool {
	uses := map[Use]bool{}
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
				uses[Use{importPath(spec), selected[x]}] = true
			} else {
				uses[Use{"", x.Name}] = true
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
	loader *Loader
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
	if !slices.ContainsFunc(inst.Files, func(f *ast.File) bool { return c.loader.vendored[f] != nil }) {
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
	if v := c.loader.vendored[file]; v != nil {
		var err error
		if file, err = v.parse(c.loader.display(v.name)); err != nil {
			c.failed = true
			return
		}
		v.dropImports(inst, file)
		c.loader.parsed[v.name] = file
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
