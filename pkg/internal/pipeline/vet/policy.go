// SPDX-License-Identifier: Apache-2.0

// Package vet checks objects by definitions in CUE.
package vet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/token"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/cuefile"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// Policy is what files say of objects. It is not safe for concurrent use.
type Policy struct {
	root  cue.Value
	texts texts
}

// Options say how a policy is read.
type Options struct {
	Within string // nothing that is read leaves this directory
	Closed bool   // structs that the files write have no other fields, as in CUE
}

// Read evaluates files.
func Read(files []cuefile.File, o Options) (*Policy, error) {
	s := newSyntax(files)
	options := cuefile.Options{Within: o.Within}
	if !o.Closed {
		options.Edit = s.open
	}
	root, err := cuefile.Evaluate(files, options)
	return &Policy{root, s.texts}, s.texts.without(err)
}

// texts are the places where files have the text of an error: error("…").
type texts []token.Position

// places leaves of the places of a problem that of the text which it is shown
// with.
func (t texts) places(all []token.Position) []token.Position {
	for _, at := range all {
		if slices.Contains(t, at) {
			return []token.Position{at}
		}
	}
	return all
}

// without returns an error without what the files say of an object that they
// were not given yet: if x == _|_ {x: error("…")}.
func (t texts) without(err error) error {
	e, ok := errors.AsType[*values.Error](err)
	if !ok {
		return err
	}
	isText := func(p values.Problem) bool {
		return slices.ContainsFunc(p.Positions, func(at token.Position) bool { return slices.Contains(t, at) })
	}
	if slices.ContainsFunc(e.Problems, func(p values.Problem) bool { return !isText(p) }) {
		return err
	}
	return nil
}

// Files returns the files in CUE of a directory, named as they are below it,
// without those of its subdirectories.
func Files(ctx context.Context, dir, origin string) ([]cuefile.File, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []cuefile.File
	for _, e := range entries {
		if e.Type() != fs.FileMode(0) || filepath.Ext(e.Name()) != ".cue" || strings.HasSuffix(e.Name(), "_tool.cue") {
			continue
		}
		f, err := cuefile.Read(ctx, filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		f.Name = origin + "/" + e.Name()
		files = append(files, f)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s holds no file in CUE", origin)
	}
	return files, nil
}

// Definition is what objects are checked by.
type Definition struct {
	value   cue.Value
	path    string
	texts   texts
	context *cue.Context // of the objects
}

// Definition returns the one at a path, such as "#Workload". The error says
// which there are.
func (p *Policy) Definition(path string) (Definition, error) {
	parsed := cue.ParsePath(path)
	if err := parsed.Err(); err != nil {
		return Definition{}, fmt.Errorf("%q is no path of CUE's such as #Workload", path)
	}
	v := p.root.LookupPath(parsed)
	if v.Exists() {
		return Definition{v, parsed.String(), p.texts, cuecontext.New()}, nil
	}
	var known []string
	fields, err := p.root.Fields(cue.Definitions(true))
	if err != nil {
		return Definition{}, values.Explain(err)
	}
	for fields.Next() {
		known = append(known, fields.Selector().String())
	}
	return Definition{}, fmt.Errorf("the schema has no %q%s", path, fail.Suggest(path, known))
}
