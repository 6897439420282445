// SPDX-License-Identifier: Apache-2.0

// Package bundle reads bundle files: instances of modules, each with a
// namespace and values; and runtime files: clusters, and queries for values in
// them (docs/interop.md, section 5).
package bundle

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/cuefile"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
)

// Request says what a bundle is read from.
type Request struct {
	Files   []cuefile.File // which are unified
	Runtime Runtime
	Within  string // what nothing that is read leaves; empty: the CUE module around the files
}

// Bundle is several instances.
type Bundle struct {
	Name      string
	Instances []Instance // in the order of the fields
	Asked     []string   // the names that attributes ask the runtime for, sorted
	Used      Runtime    // the values of these names that are known
	Hidden    []string   // what no output shows: values of encrypted files
}

// Instance is an instance of a module.
type Instance struct {
	Name, Namespace string
	// Module is the module to render. A directory is relative to the working
	// directory of the process, computed from the file that names it.
	Module ref.Reference
	Values []values.Source
	// From are where further values come from, below Values: the caller reads
	// them.
	From []Origin

	// dependsOn are the names of the instances that have to be ready before this
	// one is applied.
	dependsOn []string
}

// DependsOn returns the names of the instances that have to be ready before
// this one is applied.
func (in Instance) DependsOn() []string { return in.dependsOn }

const apiVersion = "v1alpha1"

// Read evaluates the files. What is wrong with them is a *values.Error with the
// places; no value of the runtime is in it.
func Read(req Request) (b *Bundle, err error) {
	defer values.Recover("the bundle", &err)
	edit := &injection{runtime: req.Runtime, asked: map[string]bool{}}
	root, err := cuefile.Evaluate(req.Files, cuefile.Options{Within: req.Within, Edit: edit.file})
	used := req.Runtime.only(edit.asked)
	if err != nil {
		return nil, used.Hide(cuefile.Hide(req.Files, err))
	}
	r := &reader{files: req.Files}
	b = r.bundle(root)
	if len(r.problems) == 0 {
		r.order(b, root)
	}
	if len(r.problems) > 0 {
		return nil, used.Hide(cuefile.Hide(req.Files, values.NewError(r.problems)))
	}
	b.Asked, b.Used, b.Hidden = slices.Sorted(maps.Keys(edit.asked)), used, b.hidden(req.Files)
	return b, nil
}

// hidden returns the values of encrypted files. What names the bundle, the
// instances and their modules is shown all the same.
func (b *Bundle) hidden(files []cuefile.File) []string {
	shown := []string{apiVersion, b.Name}
	for _, in := range b.Instances {
		m := in.Module
		shown = append(shown, in.Name, in.Namespace, m.Source(), m.Range, m.Tag, m.Digest)
		shown = append(shown, in.dependsOn...)
	}
	var hidden []string
	for _, f := range files {
		for _, text := range f.Hidden {
			if !slices.Contains(shown, text) {
				hidden = append(hidden, text)
			}
		}
	}
	return hidden
}

// Select returns the instances of these names in the order of the bundle, all
// of them when there are no names. A name that the bundle does not have is an
// error.
func (b *Bundle) Select(names []string) ([]Instance, error) {
	if len(names) == 0 {
		return b.Instances, nil
	}
	var known []string
	var selected []Instance
	for _, in := range b.Instances {
		known = append(known, in.Name)
		if slices.Contains(names, in.Name) {
			selected = append(selected, in)
		}
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("the bundle %q has no instance %q%s", b.Name, name, fail.Suggest(name, known))
		}
	}
	return selected, nil
}

// reader reads a bundle from evaluated files and collects what is wrong with
// it, so that all of it is seen at once.
type reader struct {
	files    []cuefile.File
	problems []values.Problem
}

func (r *reader) bundle(root cue.Value) *Bundle {
	v := r.root(root, "bundle", "instances")
	if !v.Exists() {
		return nil
	}
	b := &Bundle{Name: r.text(v, "name", true)}
	r.name(field(v, "name"), b.Name)
	instances := r.child(v, "instances", true)
	if !instances.Exists() {
		return b
	}
	all, err := instances.Fields()
	if err != nil {
		r.add(err)
		return b
	}
	for all.Next() {
		b.Instances = append(b.Instances, r.instance(all.Selector().Unquoted(), all.Value()))
	}
	if len(b.Instances) == 0 {
		r.problem(instances, "there is no instance")
	}
	return b
}

// root returns the field in which a file of this kind says everything, and
// checks what all kinds have.
func (r *reader) root(root cue.Value, kind string, fields ...string) cue.Value {
	v := field(root, kind)
	if !v.Exists() {
		at := []token.Position{{Filename: r.files[0].Name, Line: 1}}
		r.problems = append(r.problems, values.Problem{
			Path: kind, Message: fmt.Sprintf("is missing: a %s file has the form %s: {…}", kind, kind), Positions: at,
		})
		return v
	}
	r.fields(v, append([]string{"apiVersion", "name"}, fields...)...)
	if version := r.text(v, "apiVersion", true); version != "" && version != apiVersion {
		r.problem(field(v, "apiVersion"), "%q is not %s", version, apiVersion)
	}
	return v
}

func (r *reader) instance(name string, v cue.Value) Instance {
	in := Instance{Name: name}
	r.name(v, name)
	if !r.isStruct(v) {
		return in
	}
	r.fields(v, "module", "namespace", "values", "valuesFrom", "dependsOn")
	in.Namespace = r.namespace(v)
	in.dependsOn = r.texts(v, "dependsOn")
	if module := r.child(v, "module", true); module.Exists() {
		in.Module = r.module(module)
	}
	in.From, in.Values = r.origins(v), r.values(r.child(v, "values", false))
	return in
}

// module returns the reference that a module's url, version and digest make.
func (r *reader) module(v cue.Value) ref.Reference {
	r.fields(v, "url", "version", "digest")
	url, version, digest := r.text(v, "url", true), r.text(v, "version", false), r.text(v, "digest", false)
	at := field(v, "url")
	if url == "" {
		return ref.Reference{}
	}
	reference, err := ref.Parse(url)
	switch {
	case err != nil:
		r.problem(at, "%v", err)
	case !strings.HasPrefix(url, "oci://") && !strings.HasPrefix(url, "file://"):
		r.problem(at, "%q begins with neither oci:// nor file://", mask.URL(url))
	case !reference.IsLocal():
		selected, err := reference.Select(version, digest)
		if err != nil {
			r.problem(at, "%v", err)
		}
		return selected
	case digest != "":
		r.problem(field(v, "digest"), "the module %q is a directory, which has no digest", url)
	default:
		reference.Dir = r.path(at, reference.Dir)
	}
	return reference
}

// path returns a path as it is from the working directory of the process: where
// it is relative, it begins at the file that names it. In an artifact nothing
// leads out of it.
func (r *reader) path(v cue.Value, name string) string {
	file := r.fileOf(v)
	if name = filepath.FromSlash(name); file.Root != "" && !filepath.IsLocal(name) {
		r.problem(v, "%q leads out of the artifact", name)
		return ""
	}
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(file.Path), name)
}

// fileOf returns the file that a value comes from. One from an imported package
// belongs to the artifact, if there is one.
func (r *reader) fileOf(v cue.Value) cuefile.File {
	var artifact cuefile.File
	name := position(v).Filename
	for _, f := range r.files {
		if f.Name == name {
			return f
		}
		if f.Root != "" {
			artifact = f
		}
	}
	return artifact
}

// values returns the values of an instance, and what is needed to quote the
// files in errors about them.
func (r *reader) values(v cue.Value) []values.Source {
	var lit ast.Expr = &ast.StructLit{}
	if v.Exists() {
		if !r.isStruct(v) {
			return nil
		}
		var err error
		if lit, err = values.Literal(v); err != nil {
			r.add(err)
			return nil
		}
	}
	sources := make([]values.Source, len(r.files))
	for i, f := range r.files {
		sources[i] = values.Source{Name: f.Name, Data: f.Data, Expr: &ast.StructLit{}, Secret: f.Hidden != nil, Hidden: f.Hidden, Stored: f.Stored}
	}
	sources[len(sources)-1].Expr = lit
	return sources
}

// fields adds a problem for each field that is not known.
func (r *reader) fields(v cue.Value, known ...string) {
	fields, err := v.Fields()
	if err != nil {
		r.add(err)
		return
	}
	for fields.Next() {
		if name := fields.Selector().Unquoted(); !slices.Contains(known, name) {
			r.problem(fields.Value(), "unknown field%s", fail.Suggest(name, known))
		}
	}
}

// child returns a field that is a map.
func (r *reader) child(v cue.Value, name string, required bool) cue.Value {
	c := field(v, name)
	switch {
	case !c.Exists():
		if required {
			r.problem(v, "%s is missing", name)
		}
	case r.isStruct(c):
		return c
	}
	return cue.Value{}
}

func (r *reader) isStruct(v cue.Value) bool {
	if v.IncompleteKind() == cue.StructKind {
		return true
	}
	r.problem(v, "expected a map, got %s", v.IncompleteKind())
	return false
}

// text returns a field that is a string, and "" where there is none.
func (r *reader) text(v cue.Value, name string, required bool) string {
	c := field(v, name)
	if !c.Exists() {
		if required {
			r.problem(v, "%s is missing", name)
		}
		return ""
	}
	s, err := c.String()
	switch {
	case err == nil:
		return s
	case c.IncompleteKind() == cue.StringKind:
		r.problem(c, "the value is not concrete")
	default:
		r.problem(c, "expected a string, got %s", c.IncompleteKind())
	}
	return ""
}

// texts returns a field that is a list of strings, nil where there is none.
func (r *reader) texts(v cue.Value, name string) []string {
	c := field(v, name)
	if !c.Exists() {
		return nil
	}
	items, err := c.List()
	if err != nil {
		r.problem(c, "expected a list of strings, got %s", c.IncompleteKind())
		return nil
	}
	var texts []string
	for items.Next() {
		text, err := items.Value().String()
		if err != nil {
			r.problem(items.Value(), "expected a string, got %s", items.Value().IncompleteKind())
			continue
		}
		texts = append(texts, text)
	}
	return texts
}

func (r *reader) name(v cue.Value, name string) {
	if name == "" {
		return
	}
	if err := api.CheckName(name); err != nil {
		r.problem(v, "name %v", err)
	}
}

func (r *reader) namespace(v cue.Value) string {
	namespace := r.text(v, "namespace", true)
	if namespace == "" {
		return ""
	}
	if err := api.CheckNamespace(namespace); err != nil {
		r.problem(field(v, "namespace"), "%v", err)
	}
	return namespace
}

func (r *reader) add(err error) {
	r.problems = append(r.problems, values.Problems(err)...)
}

func (r *reader) problem(v cue.Value, format string, args ...any) {
	p := values.Problem{Path: v.Path().String(), Message: fmt.Sprintf(format, args...)}
	if at := position(v); at.IsValid() {
		p.Positions = []token.Position{at}
	}
	r.problems = append(r.problems, p)
}

func field(v cue.Value, name string) cue.Value {
	c := v.LookupPath(cue.MakePath(cue.Str(name)))
	if d, ok := c.Default(); ok {
		return d
	}
	return c
}

func position(v cue.Value) token.Position {
	if pos := v.Pos(); pos.IsValid() {
		return pos.Position()
	}
	return token.Position{}
}
