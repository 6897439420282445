// SPDX-License-Identifier: Apache-2.0

package mod

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/parser"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/blueprint"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/link"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
)

// InitRequest says which module to make.
type InitRequest struct {
	// Name is the last element of the CUE module path, or the whole of it.
	Name    string
	Dir     string
	Minimal bool // the embedded blueprint is the smallest one

	// Blueprint is a module to start from instead of an embedded one, unless
	// it is zero.
	Blueprint ref.Reference
	OCI       oci.Options
	Observer  event.Observer
}

// Created is a module that was made.
type Created struct {
	Name  string // the last element of Path
	Path  string // CUE's
	Files []string
}

var modulePathRE = regexp.MustCompile(`^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\.[a-z0-9]+/([a-z0-9][-a-z0-9._]*/)*)?[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)

// Init writes a module. A file that is there already is not overwritten: the
// error, of exit code fail.Refused, names it, and nothing is written then.
func Init(ctx context.Context, req InitRequest) (created Created, err error) {
	if !modulePathRE.MatchString(req.Name) {
		return created, fail.Hint(fail.Usagef("%q is not the name of a module", req.Name),
			"use lower case letters, digits and -, or a whole CUE module path such as example.com/app")
	}
	created = Created{Name: path.Base(req.Name), Path: req.Name}
	if !strings.Contains(req.Name, "/") {
		created.Path = "timoni.sh/" + req.Name
	}
	files, err := req.files(ctx)
	if err != nil {
		return created, err
	}
	if err = rename(files, created); err != nil {
		return created, err
	}
	created.Files = slices.Sorted(maps.Keys(files))
	for _, name := range created.Files {
		file := filepath.Join(req.Dir, filepath.FromSlash(name))
		if err = link.Check(req.Dir, filepath.FromSlash(path.Dir(name))); err != nil {
			return created, err
		}
		if _, err = os.Lstat(file); err == nil {
			return created, fail.Hint(fail.Refusedf("%s exists, and is not overwritten", file),
				"choose a directory that is empty or new")
		} else if !errors.Is(err, fs.ErrNotExist) {
			return created, err
		}
	}
	for _, name := range created.Files {
		if err = link.Create(req.Dir, filepath.FromSlash(name), files[name], 0o644); err != nil {
			return created, err
		}
	}
	return created, nil
}

func (req InitRequest) files(ctx context.Context) (files map[string][]byte, err error) {
	switch {
	case req.Blueprint != ref.Reference{}:
		m, err := source.Open(ctx, req.Blueprint, source.Options{OCI: req.OCI, Observer: req.Observer})
		if err != nil {
			return nil, fmt.Errorf("blueprint: %w", err)
		}
		files, err = copyOf(m.Dir)
		return files, errors.Join(err, m.Close())
	case req.Minimal:
		return blueprint.Minimal()
	}
	return blueprint.Starter()
}

// copyOf returns the files of a module. Directories with schemas may be symbolic
// links in a local one.
func copyOf(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := blueprint.Collect(files, "", os.DirFS(dir))
	for _, schemas := range []string{"cue.mod/gen", "cue.mod/pkg", "cue.mod/usr"} {
		linked := filepath.Join(dir, filepath.FromSlash(schemas))
		if _, missing := os.Stat(linked); missing == nil {
			err = errors.Join(err, blueprint.Collect(files, schemas, os.DirFS(linked)))
		}
	}
	maps.DeleteFunc(files, func(name string, _ []byte) bool { return strings.HasPrefix(name, ".git/") })
	return files, err
}

const (
	moduleFile = "cue.mod/module.cue"
	readmeFile = "README.md"
)

// rename makes the files of a blueprint those of a module of another path: in
// cue.mod/module.cue, in the imports, and in the README.
func rename(files map[string][]byte, to Created) error {
	from, err := renameModule(files, to.Path)
	if err != nil {
		return err
	}
	for name, data := range files {
		switch {
		case strings.HasPrefix(name, "cue.mod/"):
		case path.Ext(name) == ".cue":
			if files[name], err = renameImports(name, data, from, to.Path); err != nil {
				return err
			}
		case name == readmeFile:
			files[name] = bytes.ReplaceAll(data, []byte(blueprint.NameToken), []byte(to.Name))
		}
	}
	return nil
}

// majorRE matches a major version as it stands in the path of a module.
var majorRE = regexp.MustCompile(`^v(?:0|[1-9][0-9]*)$`)

// renameModule changes the path in cue.mod/module.cue and returns what it was,
// without a major version.
func renameModule(files map[string][]byte, to string) (from string, err error) {
	file, err := parser.ParseFile(moduleFile, files[moduleFile], parser.ParseComments)
	if err != nil {
		return "", fmt.Errorf("blueprint: %w", err)
	}
	for _, decl := range file.Decls {
		field, ok := decl.(*ast.Field)
		if !ok {
			continue
		}
		name, _, _ := ast.LabelName(field.Label)
		lit, ok := field.Value.(*ast.BasicLit)
		if name != "module" || !ok {
			continue
		}
		if from, err = literal.Unquote(lit.Value); err != nil {
			return "", fmt.Errorf("blueprint: %s: module path %s: %w", moduleFile, lit.Value, err)
		}
		path, major, hasMajor := strings.Cut(from, "@")
		if hasMajor {
			if !majorRE.MatchString(major) {
				return "", fmt.Errorf("blueprint: %s: module path %q: expected PATH or PATH@vN", moduleFile, from)
			}
			to += "@" + major
		}
		files[moduleFile] = splice(files[moduleFile], lit, to)
		return path, nil
	}
	return "", fmt.Errorf("blueprint: %s names no module", moduleFile)
}

// renameImports changes the imports of the module's own packages. The last
// goes first, so that the places of the others stay true.
func renameImports(name string, data []byte, from, to string) ([]byte, error) {
	file, err := parser.ParseFile(name, data, parser.ImportsOnly)
	if err != nil {
		return nil, fmt.Errorf("blueprint: %w", err)
	}
	for _, spec := range slices.Backward(slices.Collect(file.ImportSpecs())) {
		imported, err := literal.Unquote(spec.Path.Value)
		if err != nil {
			return nil, fmt.Errorf("blueprint: %s: import %s: %w", name, spec.Path.Value, err)
		}
		rest, ours := strings.CutPrefix(imported, from)
		if ours && (rest == "" || strings.ContainsAny(rest[:1], "/:@")) {
			data = splice(data, spec.Path, to+rest)
		}
	}
	return data, nil
}

// splice puts the string s where a literal stands in data.
func splice(data []byte, at *ast.BasicLit, s string) []byte {
	start := at.Pos().Offset()
	return slices.Concat(data[:start], []byte(literal.String.Quote(s)), data[start+len(at.Value):])
}
