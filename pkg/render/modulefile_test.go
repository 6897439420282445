// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/values"
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
	dir := f.TempDir()
	files := map[string]string{
		"values.cue": "package main\n\nvalues: {}\n",
		"timoni.cue": "package main\n\ntimoni: {apiVersion: \"v1alpha1\", instance: values, apply: {}}\n",
	}
	if err := os.Mkdir(filepath.Join(dir, "cue.mod"), 0o755); err != nil {
		f.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, module string) {
		if err := os.WriteFile(filepath.Join(dir, "cue.mod", "module.cue"), []byte(module), 0o600); err != nil {
			t.Fatal(err)
		}
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
