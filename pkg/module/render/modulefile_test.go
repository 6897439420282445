// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// FuzzModuleFile holds of any cue.mod/module.cue that rendering does not panic,
// and that the places of an error lie inside the files of the module.
func FuzzModuleFile(f *testing.F) {
	for _, seed := range []string{
		"module: \"timoni.sh/test\"\nlanguage: version: \"v0.9.0\"\n",
		"module: \"timoni.sh/test@v1\"\nlanguage: {version: \"v0.99.0\"}\nsource: kind: \"git\"\n",
		"language: version: \"x\"\ndeps: \"example.com/a@v0\": {v: \"v0.0.1\", default: true}\n",
		"module: timoni.sh/test", "module: {", "", "\x00", "language:\n\tversion: \"\"\n", "package x\n\n#a: 1\nmodule: #a\n",
	} {
		f.Add(seed)
	}
	files := map[string]string{
		"values.cue": "package main\n\nvalues: {}\n",
		"timoni.cue": "package main\n\ntimoni: {apiVersion: \"v1alpha1\", instance: values, apply: {}}\n",
	}
	dir := fixture.Dir(f, files)
	f.Fuzz(func(t *testing.T, module string) {
		fixture.Write(t, filepath.Join(dir, "cue.mod", "module.cue"), module)
		_, err := render.Build(t.Context(), render.Request{Dir: dir, Origin: "mod", Name: "app", Namespace: "apps", ModuleVersion: "1.2.3"})
		e, ok := errors.AsType[*values.Error](err)
		if !ok {
			return
		}
		for _, p := range e.Problems {
			for _, at := range p.Positions {
				name := strings.TrimPrefix(filepath.ToSlash(at.Filename), "mod/")
				text, given := files[name]
				if name == "cue.mod/module.cue" {
					text, given = module, true
				}
				if !given || at.Line < 1 || at.Line > 1+strings.Count(text, "\n") {
					t.Errorf("%s lies in no file: %v", at, err)
				}
			}
		}
	})
}
