// SPDX-License-Identifier: Apache-2.0

// Package cuefile evaluates the files of a person that are no module: a
// bundle, a policy. Several make one configuration. They may import what is in
// the CUE module around them; nothing else is read: no environment, no
// registry, and no file outside a directory, also not through a link.
package cuefile

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/inject/embed"
	"cuelang.org/go/cue/load"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/input"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/sops"
)

// File is one of the files.
type File struct {
	Name   string // stands before line and column in errors
	Path   string // where it is; empty for what is no file, such as the standard input
	Format values.Format
	Data   []byte
	Hidden []string // the secrets of a file that was encrypted
	Stored bool     // as of a values.Source

	Workdir string // imports are those of the CUE module around it; empty: around the file
	Root    string // what the file belongs to and its paths do not leave, such as an artifact; empty: nothing
}

// Decrypted returns a file as it is before SOPS encrypts it; one that SOPS did not
// encrypt stays as it is.
func (f File) Decrypted(ctx context.Context, decrypt sops.Decrypter) (File, error) {
	if !sops.IsEncrypted(f.Data) {
		return f, nil
	}
	if decrypt == nil {
		return f, fmt.Errorf("file %q: %w", mask.Argument(f.Name), sops.ErrEncrypted)
	}
	plain, err := decrypt(ctx, f.Name, f.Data)
	if err != nil {
		return f, fmt.Errorf("file %q: %w", mask.Argument(f.Name), err)
	}
	f.Data, f.Hidden = plain.Data, plain.Secrets
	if plain.IsWhole {
		if filepath.Ext(f.Name) == "" || f.Name == values.StdinName {
			f.Format = values.DetectFormat(f.Name, f.Data)
		}
		if file, err := Syntax(f); err == nil { // else nothing of it gets anywhere
			f.Hidden = values.Literals(file)
		}
	}
	return f, nil
}

// Options say how files are evaluated. The zero value works.
type Options struct {
	// Within is the directory that nothing that is read leaves. When it is
	// empty, that is the CUE module around the files, or else their directory.
	Within string
	// Edit may change a file in CUE before it is evaluated.
	Edit func(*ast.File) error
	// Schema is a further file, in CUE, with a name of its own in errors.
	Schema File
}

// Evaluate returns what the files say together. Errors have the names that the
// files are given.
func Evaluate(files []File, o Options) (v cue.Value, err error) {
	if len(files) == 0 {
		return cue.Value{}, fail.Invalidf("there is no file")
	}
	defer values.Recover(files[0].Name, &err)
	l := &loader{options: o}
	for _, f := range files {
		if err = l.parse(f); err != nil {
			return cue.Value{}, err
		}
	}
	defer l.close()
	inst, err := l.instance()
	if err != nil {
		return cue.Value{}, err
	}
	root := cuecontext.New(cuecontext.WithInjection(embed.New())).BuildInstance(inst)
	return root, values.Check(root)
}

// loader reads the files of one configuration.
type loader struct {
	options Options
	syntax  []*ast.File
	imports []string  // packages that are not CUE's own
	first   token.Pos // of the first such import
	dir     string    // of the first file in CUE that is one, absolute
	display string    // the same as in the name of that file
	workdir string    // of the first file that has one, absolute
	typed   string    // the same as it was given
	root    string    // of the first file in CUE that is one
	roots   []*os.Root
}

func (l *loader) close() {
	for _, root := range l.roots {
		root.Close()
	}
}

func (l *loader) parse(f File) error {
	if sops.IsEncrypted(f.Data) {
		return fmt.Errorf("file %q: %w", mask.Argument(f.Name), sops.ErrEncrypted)
	}
	file, err := Syntax(f)
	if err != nil {
		return values.Explain(err)
	}
	l.syntax = append(l.syntax, file)
	if f.Format == values.YAML || f.Format == values.JSON {
		return nil
	}
	if l.options.Edit != nil {
		if err = l.options.Edit(file); err != nil {
			return values.Explain(err)
		}
	}
	if f.Workdir != "" && l.workdir == "" {
		if l.workdir, err = filepath.Abs(f.Workdir); err != nil {
			return err
		}
		l.typed = f.Workdir
	}
	for spec := range file.ImportSpecs() {
		name, _ := strconv.Unquote(spec.Path.Value)
		if first, _, _ := strings.Cut(name, "/"); !strings.Contains(first, ".") || slices.Contains(l.imports, name) {
			continue
		}
		if l.imports = append(l.imports, name); !l.first.IsValid() {
			l.first = spec.Pos()
		}
	}
	return l.confine(f, file)
}

// confine makes @embed read through a root that no link leaves.
func (l *loader) confine(f File, file *ast.File) error {
	if f.Path == "" {
		if attr := embedded(file); attr != nil {
			return values.Explain(errors.Newf(attr.Pos(), "@embed needs a file, to whose directory it is relative"))
		}
		return nil
	}
	dir, err := filepath.Abs(filepath.Dir(f.Path))
	if err != nil {
		return err
	}
	if l.dir == "" {
		l.dir, l.display, l.root = dir, f.Name[:strings.LastIndex(filepath.ToSlash(f.Name), "/")+1], f.Root
	}
	if embedded(file) == nil {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	l.roots = append(l.roots, root)
	file.Pos().File().SetFSLoc(token.FSLoc{FS: root.FS(), Path: filepath.Base(f.Path)})
	return nil
}

// embedded returns an attribute that reads a file, if there is one.
func embedded(file *ast.File) (found *ast.Attribute) {
	ast.Walk(file, func(n ast.Node) bool {
		if attr, ok := n.(*ast.Attribute); ok && attr.Name() == "embed" {
			found = attr
		}
		return found == nil
	}, nil)
	return found
}

// instance returns the package that the files make.
func (l *loader) instance() (*build.Instance, error) {
	packages, err := l.load()
	if err != nil {
		return nil, err
	}
	inst := build.NewContext(build.Loader(func(_ token.Pos, name string) *build.Instance { return packages[name] })).NewInstance(l.dir, nil)
	inst.Module, inst.Root = "files.local", l.dir // @embed wants a module
	files := l.syntax
	if len(l.options.Schema.Data) > 0 {
		schema, err := Syntax(l.options.Schema)
		if err != nil {
			return nil, err
		}
		files = append(files, schema)
	}
	name := ""
	for _, file := range files {
		if p := file.PackageName(); name == "" {
			name = p
		} else if p != "" && p != name {
			return nil, values.Explain(errors.Newf(file.Pos(), "the file belongs to package %q, another one to %q", p, name))
		}
		if err := inst.AddSyntax(file); err != nil {
			return nil, values.Explain(err)
		}
	}
	inst.PkgName = name
	return inst, values.Explain(inst.Complete())
}

// NoModuleError says that a file imports a package, and no CUE module is around
// it.
type NoModuleError struct{ Err error }

// Error names the import and its place.
func (e *NoModuleError) Error() string { return e.Err.Error() }

// Unwrap returns the *values.Error.
func (e *NoModuleError) Unwrap() error { return e.Err }

// load returns the packages that the files import, by path.
func (l *loader) load() (map[string]*build.Instance, error) {
	if len(l.imports) == 0 {
		return nil, nil
	}
	within, module, err := l.module()
	if err != nil {
		return nil, err
	}
	if module == "" {
		err = values.Explain(errors.Newf(l.first, "import %q: there is no CUE module around the file", l.imports[0]))
		return nil, &NoModuleError{err}
	}
	root, err := os.OpenRoot(within)
	if err != nil {
		return nil, err
	}
	l.roots = append(l.roots, root)
	p := &packages{within: within, from: l.dir, display: l.display, fs: root.FS()}
	if l.workdir != "" {
		p.from, p.display = l.workdir, l.typed
	}
	if err := p.check(filepath.Join(module, "cue.mod", "module.cue")); err != nil {
		return nil, err
	}
	found := map[string]*build.Instance{}
	for i, inst := range load.Instances(l.imports, &load.Config{
		Dir: module, ModuleRoot: module, AcceptLegacyModules: true, ParseFile: p.parse,
		Registry: values.NoRegistry{}, Env: []string{}, // not the process's
	}) {
		if inst.Err != nil {
			return nil, l.explain(inst.Err)
		}
		found[l.imports[i]] = inst
	}
	return found, p.confine()
}

// explain returns an error of the loader, which has no place where it says
// that there is no such package.
func (l *loader) explain(err error) error {
	list := values.Problems(err)
	for i := range list {
		if len(list[i].Positions) == 0 {
			list[i].Positions = []token.Position{l.first.Position()}
		}
	}
	return values.NewError(list)
}

// packages parses the files of packages for the loader.
type packages struct {
	within, from string // absolute
	display      string // of from
	fs           fs.FS  // rooted in within

	mu     sync.Mutex
	parsed map[string]*ast.File // by path
}

func (p *packages) parse(name string, src any, config parser.Config) (*ast.File, error) {
	if err := p.check(name); err != nil {
		return nil, err
	}
	file, err := parser.ParseFile(p.name(name), src, config)
	if err == nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.parsed == nil {
			p.parsed = map[string]*ast.File{}
		}
		p.parsed[name] = file
	}
	return file, err
}

// name returns the name of a file as seen from where the user's files are.
func (p *packages) name(file string) string {
	rel, err := filepath.Rel(p.from, file)
	if err != nil {
		return file
	}
	if scheme, dir, isURL := strings.Cut(p.display, "://"); isURL {
		return scheme + "://" + path.Join(dir, filepath.ToSlash(rel))
	}
	return filepath.Join(p.display, rel)
}

func (p *packages) check(name string) error {
	inside, err := values.Within(p.within, name)
	if err == nil && !inside {
		err = fail.Refusedf("%q leads outside through a link", p.name(name))
	}
	return err
}

// confine makes @embed of the packages read through a root that no link leaves.
func (p *packages) confine() error {
	for name, file := range p.parsed {
		rel, err := filepath.Rel(p.within, name)
		if err != nil {
			return err
		}
		if f := file.Pos().File(); f != nil {
			f.SetFSLoc(token.FSLoc{FS: p.fs, Path: filepath.ToSlash(rel)})
		}
	}
	return nil
}

// module returns the directory that nothing leaves, and the CUE module around
// the files or the working directory, which lies in or below it; empty when
// there is none.
func (l *loader) module() (within, module string, err error) {
	if within = l.options.Within; within == "" && l.workdir == "" {
		within = l.root
	}
	if within != "" {
		if within, err = filepath.Abs(within); err != nil {
			return "", "", err
		}
	}
	for at := cmp.Or(l.workdir, l.dir); at != ""; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "cue.mod")); err == nil {
			module = at
			break
		}
		if at == within || at == filepath.Dir(at) {
			break
		}
	}
	if within == "" {
		within = module
	}
	return within, module, nil
}

// Syntax parses a file.
func Syntax(f File) (*ast.File, error) {
	if f.Format != values.YAML && f.Format != values.JSON {
		return parser.ParseFile(f.Name, f.Data)
	}
	expr, err := values.Extract(f.Name, f.Format, f.Data)
	if err != nil {
		return nil, err
	}
	file := &ast.File{Filename: f.Name}
	switch lit := expr.(type) {
	case nil:
	case *ast.StructLit:
		file.Decls = lit.Elts
	default:
		return nil, fmt.Errorf("%s: expected a map of names to values", f.Name)
	}
	return file, nil
}

// Hide returns an error about the files without their secrets. Where one of them
// was not parsed, no word of them is shown.
func Hide(files []File, err error) error {
	if err == nil {
		return nil
	}
	var text strings.Builder
	var parsed []*ast.File
	for _, f := range files {
		text.Write(f.Data)
		if file, broken := Syntax(f); broken == nil {
			parsed = append(parsed, file)
		}
	}
	var hidden []string
	for _, f := range files {
		hidden = append(hidden, f.Hidden...)
	}
	return values.HideIn(values.HiderOf(hidden))(values.MaskSyntax(text.String(), len(parsed) == len(files), parsed...)(err))
}

// FormatOf returns the format that a file name says; CUE for any other.
func FormatOf(name string) values.Format {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yaml", ".yml":
		return values.YAML
	case ".json":
		return values.JSON
	}
	return values.CUE
}

// Read reads a file from the disk, by its name.
func Read(ctx context.Context, name string) (File, error) {
	in, err := input.Read(ctx, name)
	if err != nil {
		return File{}, fmt.Errorf("file %q: %w", mask.Argument(name), err)
	}
	return File{Name: name, Path: name, Format: FormatOf(name), Data: in.Data, Stored: in.Stored}, nil
}
