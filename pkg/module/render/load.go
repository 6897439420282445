// SPDX-License-Identifier: Apache-2.0

package render

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/inject/embed"
	"cuelang.org/go/cue/load"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/mod/modfile"
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/order"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/partial"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/schema"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// evaluation is a module on its way through the evaluator.
type evaluation struct {
	req      Request
	path     string // the CUE module path
	warnings []string

	ctx        *cue.Context
	instance   *build.Instance
	files      *files
	tree       *values.Tree
	valuesFile *ast.File // values.cue with the user's values in it
	confined   io.Closer // what @embed reads through
}

// loadModule reads the module's package and what it imports, with the values merged
// into values.cue.
func loadModule(req Request, tree *values.Tree) (*evaluation, error) {
	root, err := filepath.Abs(req.Dir)
	if err != nil {
		return nil, err
	}
	dir := root
	if req.Package != DefaultPackage {
		dir = filepath.Join(root, req.Package)
	}
	files := &files{
		root: root, within: req.Within, origin: req.Origin, pkg: req.Package, values: filepath.Join(dir, req.valuesFile()), tree: tree,
		debug: req.Debug, comments: req.comments, parsed: map[string]parsed{},
	}
	if !req.Whole {
		files.part = partial.New(root, files.display)
	}
	if err = files.check(filepath.Join(root, filepath.FromSlash(moduleFile))); err != nil {
		return nil, err
	}
	inst := req.shared.load(req, root, dir, files)
	valuesFile := files.parsed[files.values].file
	if valuesFile != nil && valuesFile.PackageName() != req.Package {
		return nil, files.errPackage(valuesFile)
	}
	if inst.Err != nil {
		return nil, files.explain(inst.Err)
	}
	if !files.part.Keep(inst) {
		return nil, errPartial
	}
	for name, file := range files.part.Files() {
		files.parsed[name] = parsed{file: file}
	}
	req.shared.keep(inst, files)
	e := &evaluation{
		req: req, instance: inst, files: files, tree: tree, valuesFile: valuesFile,
		ctx: cuecontext.New(cuecontext.WithInjection(embed.New())),
	}
	e.arrange()
	schemaFile, err := parser.ParseFile(schemaName, schema.Module(req.Package))
	if err != nil {
		return nil, err
	}
	if err := inst.AddSyntax(schemaFile); err != nil {
		return nil, files.explain(err)
	}
	if e.confined, err = files.confine(); err != nil {
		return nil, err
	}
	e.path, _, _ = strings.Cut(inst.Module, "@") // without the major version
	if warning := languageWarning(filepath.Join(root, filepath.FromSlash(moduleFile))); warning != "" {
		e.warnings = append(e.warnings, files.display(filepath.Join(root, filepath.FromSlash(moduleFile)))+" "+warning)
	}
	return e, nil
}

var (
	languageRE        = regexp.MustCompile(`(?m)^\s*"?language"?\s*:`)
	languageVersionRE = regexp.MustCompile(`(?m)^\s*"?language"?\s*:\s*\{?\s*"?version"?\s*:\s*"([^"]*)"`)
)

// languageWarning returns what is to be said of the language version of a
// module file. The loader takes any, and none, without a word.
func languageWarning(name string) string {
	data, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	if !languageRE.Match(data) {
		return "names no language version: the oldest one is assumed"
	}
	m := languageVersionRE.FindSubmatch(data)
	if m == nil {
		return ""
	}
	known := cue.LanguageVersion()
	wanted, err := version.ParseSemantic(string(m[1]))
	if err != nil || m[1][0] != 'v' {
		return fmt.Sprintf("names the language version %q, which is not one such as %s", m[1], known)
	}
	if version.MustParseSemantic(known).LessThan(wanted) {
		return fmt.Sprintf("is written for the language version %s: this program knows %s, and takes it as that", m[1], known)
	}
	return ""
}

// overlay returns what the loader reads instead of files. One is a module file
// without a language version: where a module imports packages, the loader reads
// it again and wants a version.
func (f *files) overlay(dir string) map[string]load.Source {
	overlay := f.part.Overlay(dir)
	name := filepath.Join(f.root, filepath.FromSlash(moduleFile))
	data, err := os.ReadFile(name)
	if err != nil || languageRE.Match(data) {
		return overlay
	}
	file, err := modfile.FixLegacy(data, moduleFile)
	if err != nil {
		return overlay // the loader says so
	}
	if data, err = modfile.Format(file); err != nil {
		return overlay
	}
	if overlay == nil {
		overlay = map[string]load.Source{}
	}
	overlay[name] = load.FromBytes(data)
	return overlay
}

func loadInstance(req Request, root, dir string, files *files, withoutImports bool) *build.Instance {
	tags := []string{"name=" + req.Name, "namespace=" + req.Namespace}
	if req.Debug {
		tags = append(tags, debugTag)
	}
	constant := func(s string) load.TagVar {
		return load.TagVar{Func: func() (ast.Expr, error) { return ast.NewString(s), nil }}
	}
	return load.Instances([]string{"."}, &load.Config{
		Dir: dir, ModuleRoot: root, Package: req.Package,
		AcceptLegacyModules: true,
		Tags:                tags,
		TagVars: map[string]load.TagVar{
			"moduleVersion": constant(req.ModuleVersion),
			"kubeVersion":   constant(req.KubeVersion),
		},
		ParseFile:   files.parse,
		SkipImports: withoutImports,
		Overlay:     files.overlay(dir),
		Registry:    req.registry(root),
		Env:         []string{}, // not the process's
	})[0]
}

// evaluate evaluates the whole package, once.
func (e *evaluation) evaluate() (cue.Value, error) {
	root := e.ctx.BuildInstance(e.instance)
	return root, e.explain(values.Check(root))
}

// files parses the files of a module for the loader. It names them as the user
// would, and merges the values into values.cue.
type files struct {
	root   string // the module, absolute
	origin string // the module, as the user typed it
	pkg    string
	within string // what no file below cue.mod leaves through a link; empty: it may lead anywhere
	values string // the values.cue of the package, absolute
	tree   *values.Tree
	debug  bool // the build tag debug is set

	comments bool            // keep them
	part     *partial.Loader // of vendored packages; nil keeps what nothing refers to, too

	mu      sync.Mutex
	refused error             // of check, which the loader makes a text of
	parsed  map[string]parsed // by path: the loader asks for the imports first, then for the whole
}

type parsed struct {
	file *ast.File
	err  error
}

func (f *files) parse(name string, src any, config parser.Config) (*ast.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p, ok := f.parsed[name]; ok {
		return p.file, p.err
	}
	if err := f.check(name); err != nil {
		f.refused = cmp.Or(f.refused, err)
		f.parsed[name] = parsed{nil, err}
		return nil, err
	}
	config.Mode &^= parser.ImportsOnly | parser.ParseComments
	if f.comments {
		config.Mode |= parser.ParseComments
	}
	if stub := f.part.Parse(name, src, config); stub != nil {
		f.parsed[name] = parsed{file: stub}
		return stub, nil
	}
	file, err := parser.ParseFile(f.display(name), src, config)
	if err == nil && name == f.values {
		declareTags(file, f.debug)
		f.tree.Overlay(file)
	}
	f.parsed[name] = parsed{file, err}
	return file, err
}

// check returns an error when a file of the module is a link to somewhere else.
// Modules of one repository share schemas through links below cue.mod; all else
// is the module's own.
func (f *files) check(name string) error {
	if rel, err := filepath.Rel(f.root, name); err == nil && filepath.IsLocal(rel) && !partial.IsVendored(f.root, name) {
		inside, err := values.Within(f.root, name)
		if err == nil && !inside {
			err = fail.Refusedf("file %q leads out of the module through a link: only links below cue.mod may", f.display(name))
		}
		return err
	}
	if f.within == "" {
		return nil
	}
	inside, err := values.Within(f.within, name)
	if err == nil && !inside {
		err = fail.Refusedf("file %q of the module leads outside through a link", f.display(name))
	}
	return err
}

// errPackage returns the error for a values.cue of another package. One without
// a package clause is easily taken for a file of values, which needs none.
func (f *files) errPackage(file *ast.File) error {
	name := f.display(f.values)
	if file.PackageName() != "" {
		return fmt.Errorf("%s belongs to package %q, expected %q", name, file.PackageName(), f.pkg)
	}
	return &PackageError{File: name, Package: f.pkg}
}

// display returns the name of a file of the module as a user would write it, with
// slashes on Windows, too: an editor and a code review take them.
func (f *files) display(name string) string {
	rel, ok := strings.CutPrefix(name, f.root+string(filepath.Separator))
	if !ok {
		return name
	}
	if strings.Contains(f.origin, "://") {
		return f.origin + "/" + filepath.ToSlash(rel)
	}
	return strings.TrimSuffix(filepath.ToSlash(f.origin), "/") + "/" + filepath.ToSlash(rel)
}

// explain turns an error of the loader into the project's. The loader knows the
// module by its absolute path, and where values.cue could not be read it misses
// the tags that declareTags would have put there.
func (f *files) explain(err error) error {
	if f.refused != nil {
		return f.refused
	}
	if f.part.IsPart() {
		return errPartial
	}
	if failed, ok := errors.AsType[*fs.PathError](err); ok && errors.Is(failed, fs.ErrPermission) {
		return fmt.Errorf("file %q of the module: %w", f.display(failed.Path), failed.Err)
	}
	var kept []values.Problem
	notVendored := false
	for _, p := range values.Problems(err) {
		notVendored = notVendored || strings.HasSuffix(p.Message, errNotAsked.Error())
		p = values.Problem{Path: p.Path, Message: p.Message, Positions: p.Positions}
		if strings.HasPrefix(p.Message, "import failed: ") {
			p.Path = "" // the package's own, which the place says
		}
		p.Message = strings.ReplaceAll(p.Message, f.root+string(filepath.Separator), f.display(f.root+string(filepath.Separator)))
		for i := range p.Positions {
			p.Positions[i].Filename = f.display(p.Positions[i].Filename)
		}
		if p.Message != `no tag for "name"` || len(kept) == 0 {
			kept = append(kept, p)
		}
	}
	explained := f.tree.Explain(values.NewError(kept), values.Module{Text: f.text, Meant: f.meant})
	if notVendored {
		return &NotVendoredError{explained}
	}
	return explained
}

// schemaName is what positions call the schema that every module is checked by.
const schemaName = "timoni.sh/core/v1alpha1/timoni.cue"

// declareTags declares the tags that every module is given, in a hidden field:
// the loader refuses a tag that nothing declares, and a module need not.
func declareTags(file *ast.File, debug bool) {
	lit := &ast.StructLit{}
	for _, name := range []string{"name", "namespace"} {
		lit.Elts = append(lit.Elts, &ast.Field{
			Label: ast.NewIdent(name), Value: ast.NewIdent("_"),
			Attrs: []*ast.Attribute{{Text: "@tag(" + name + ")"}},
		})
	}
	if debug {
		lit.Elts = append(lit.Elts, &ast.Field{
			Label: ast.NewIdent("mode"), Value: ast.NewIdent("_"),
			Attrs: []*ast.Attribute{{Text: "@tag(_timoniMode, short=" + debugTag + ")"}},
		})
	}
	file.Decls = append(file.Decls, &ast.Field{Label: ast.NewIdent("_timoniTags"), Value: lit})
}

// arrange puts the fields of the values into the order that the reference gives
// them.
func (e *evaluation) arrange() {
	if !e.tree.HasValues() || e.req.unordered {
		return
	}
	for i, file := range e.instance.Files {
		if file == e.valuesFile {
			e.instance.Files[i] = order.Arrange(file, e.req.shared.schemaOf(e))
		}
	}
}

// schema returns the field values of the package without its values.cue: what
// the module says the values may be. What does not need evaluation for that is
// left out; where something does need it after all, the schema is not known.
func (e *evaluation) schema() cue.Value {
	alone := siblingOf(e.instance)
	alone.ImportPath += "-schema"
	others := slices.DeleteFunc(slices.Clone(e.instance.Files), func(file *ast.File) bool { return file == e.valuesFile })
	alone.Files = order.SchemaOf(others)
	defer func() {
		for _, file := range e.instance.Files {
			order.Resolve(file)
		}
	}()
	return e.ctx.BuildInstance(alone).LookupPath(cue.MakePath(cue.Str("values")))
}

// valuesText returns the merged values as the instance record holds them:
// without what the schema adds, where values.cue can be evaluated alone.
func (e *evaluation) valuesText(root cue.Value) (string, error) {
	if v := e.valuesFileAlone(); v.Exists() {
		if v = e.settled(v, root); v.Validate(cue.Concrete(true)) == nil {
			return values.Text(v)
		}
	}
	return values.Text(root.LookupPath(cue.MakePath(cue.Str("values"))))
}

// valuesFileAlone returns the values of values.cue, evaluated without the rest of
// the package; they do not exist where it cannot be.
func (e *evaluation) valuesFileAlone() cue.Value {
	alone := siblingOf(e.instance)
	alone.ImportPath += "-values"
	file := e.valuesFile
	if e.tree.HasValues() {
		// In this order, the text renders to the same when it is the values.cue.
		file = order.Arrange(file, nil)
	}
	if alone.AddSyntax(file) != nil {
		return cue.Value{}
	}
	return e.ctx.BuildInstance(alone).LookupPath(cue.MakePath(cue.Str("values")))
}

// settled returns values in which the defaults that the user gives are what the
// instance's configuration makes of them.
func (e *evaluation) settled(v, root cue.Value) cue.Value {
	for _, names := range e.tree.Defaults() {
		var at []cue.Selector
		for _, name := range names {
			at = append(at, cue.Str(name))
		}
		taken := root.LookupPath(cue.MakePath(append([]cue.Selector{cue.Str("timoni"), cue.Str("instance"), cue.Str("config")}, at...)...))
		if expr, ok := taken.Syntax(cue.Final()).(ast.Expr); ok && taken.Validate(cue.Concrete(true)) == nil {
			v = v.FillPath(cue.MakePath(at...), expr)
		}
	}
	return v
}

// errPartial says that something is wrong with a module of whose vendored
// packages a part was evaluated, or that the part is not certain. What is wrong,
// and where, is for the whole of them to say.
var errPartial = errors.New("the vendored packages were not evaluated in whole")
