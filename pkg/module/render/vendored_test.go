// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
	"github.com/kubectl-timoni/kubectl-timoni/test/golden"
)

// TestPartIsWhole holds that it cannot be told from what comes out, be it
// objects or errors with their places, that of vendored packages only a part
// was evaluated: for the sample modules, and for every script of testdata/build.
func TestPartIsWhole(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"minimal", "embed", "raw", "stages"} {
		for source, text := range map[string]string{
			"defaults": "",
			"values":   "values: test: enabled: true\n",
			"typo":     "values: mesage: \"x\"\n",
			"type":     "values: {message: 1, replicas: \"many\", service: port: 99999}\n",
			"vendored": "values: {image: tag: 1, resources: limits: cpu: \"much\", pod: annotations: a: 1}\n",
		} {
			t.Run(name+"/"+source, func(t *testing.T) {
				t.Parallel()
				req := render.Request{Dir: "../../../test/modules/" + name, Name: "app", Namespace: "apps", ModuleVersion: "1.0.0"}
				if text != "" {
					req.Values = append(req.Values, sourceOf(text))
				}
				samePartAndWhole(t, req)
			})
		}
	}
	for path, archive := range golden.Scripts(t, "testdata/build/*.txtar") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			req := render.Request{
				Dir: filepath.Join(dir, "mod"), Origin: "./mod", Name: "app", Namespace: "apps",
				ModuleVersion: "1.2.3", Values: write(t, dir, archive),
			}
			configure(&req, string(archive.Comment))
			samePartAndWhole(t, req)
		})
	}
}

func samePartAndWhole(t *testing.T, req render.Request) {
	t.Helper()
	part, partErr := render.Build(t.Context(), req)
	req.Whole = true
	whole, wholeErr := render.Build(t.Context(), req)
	if diff := cmp.Diff(describe(whole, wholeErr), describe(part, partErr)); diff != "" {
		t.Errorf("(-whole +part):\n%s", diff)
	}
}

// TestPart holds that what nothing refers to is not evaluated, unless the whole
// is asked for, and that everything is that something refers to, however it
// does.
func TestPart(t *testing.T) {
	t.Parallel()
	const broken = "\n#Broken: {a: 1, a: 2, b: missing}\n"
	for name, tc := range map[string]struct {
		vendored string // the files of the package example.com/v, by "-- name --"
		use      string // what the module renders of it
		want     string // an error of the part, too; empty if only the whole has one
	}{
		"definition":    {"-- v.cue --\npackage v\n\n#A: #B\n#B: {x: 1}\n" + broken, "v.#A", ""},
		"field":         {"-- v.cue --\npackage v\n\na: {x: _b}\n_b: 1\n" + broken, "v.a", ""},
		"quoted":        {"-- v.cue --\npackage v\n\n\"a-b\": {x: 1}\n" + broken, "v.\"a-b\"", ""},
		"other file":    {"-- v.cue --\npackage v\n\n#A: {x: #B}\n-- w.cue --\npackage v\n\n#B: 1\n" + broken, "v.#A", ""},
		"several":       {"-- v.cue --\npackage v\n\n#A: {x: int}\n-- w.cue --\npackage v\n\n#A: {x: 1}\n" + broken, "v.#A", ""},
		"interpolation": {"-- v.cue --\npackage v\n\n#A: {x: \"\\(_b)\"}\n_b: 1\n" + broken, "v.#A", ""},
		"alias":         {"-- v.cue --\npackage v\n\n#A: X={x: #B, y: X.x}\n#B: 1\n" + broken, "v.#A", ""},
		"unused import": {"-- v.cue --\npackage v\n\nimport \"strings\"\n\n#A: {x: 1}\n#Broken: strings.ToUpper(missing)\n", "v.#A", ""},
		"builtin":       {"-- v.cue --\npackage v\n\nimport \"strings\"\n\n#A: {x: strings.ToUpper(\"a\")}\n" + broken, "v.#A", ""},

		"referred to":     {"-- v.cue --\npackage v\n\n#A: #Broken\n" + broken, "v.#A", "reference \"missing\" not found"},
		"the package":     {"-- v.cue --\npackage v\n\n#A: {x: 1}\n" + broken, "v", "reference \"missing\" not found"},
		"by index":        {"-- v.cue --\npackage v\n\n#A: {x: 1}\n" + broken, "v[\"x\"]", "reference \"missing\" not found"},
		"let at the top":  {"-- v.cue --\npackage v\n\nlet X = 1\n#A: {x: X}\n" + broken, "v.#A", "reference \"missing\" not found"},
		"undefined":       {"-- v.cue --\npackage v\n\n#A: {x: 1}\n", "v.#C", "undefined field: #C"},
		"import not used": {"-- v.cue --\npackage v\n\nimport \"strings\"\n\n#A: {x: 1}\n", "v.#A", "imported and not used"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{"timoni.cue": fmt.Sprintf(vendoringModule, tc.use)}
			for _, f := range txtar.Parse([]byte(tc.vendored)).Files {
				files["cue.mod/gen/example.com/v/"+f.Name] = string(f.Data)
			}
			req := render.Request{Dir: fixture.Module(t, files), Name: "app", Namespace: "apps"}
			_, err := render.Build(t.Context(), req)
			if (err != nil) != (tc.want != "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("part: error %v, want %q", err, tc.want)
			}
			req.Whole = true
			if _, err := render.Build(t.Context(), req); err == nil {
				t.Error("whole: no error")
			}
		})
	}
}

// vendoringModule renders a ConfigMap that holds what is used of a package.
const vendoringModule = `package main

import (
	"encoding/json"

	"example.com/v"
)

timoni: {
	apiVersion: "v1alpha1"
	instance: config: {}
	apply: app: [{
		apiVersion: "v1"
		kind:       "ConfigMap"
		metadata: name: "a"
		data: used: json.Marshal(%s)
	}]
}
`

// FuzzPart holds for any vendored file that what comes out of a part of it is
// what comes out of the whole, if anything does.
func FuzzPart(f *testing.F) {
	f.Add("#A: #B\n#B: {x: 1}\n#C: 2\n", "v.#A")
	f.Add("#A: {x: \"\\(_b)\"}\n_b: c & >1\nc: *2 | int\n", "v.#A.x")
	f.Add("#A: {for k, v in #B {(k): v}}\n#B: {x: 1, [string]: int}\n", "[for x in [v.#A] {x}]")
	f.Add("#A: {#b: int, c: #b + #D}\n#b: 3\n#D: 4 // x: \"{\n", "v.#A & {#b: 1}")
	f.Add("let x = 1\n#A: {a: x}\n", "v.#A")
	f.Add("#A: len(#len)\n#len: \"\"\"\n\t} \\(#B)\n\t\"\"\"\n#B: 'x'\nlen: 1\n", "{v, a: v.#A}")
	f.Fuzz(func(t *testing.T, vendored, use string) {
		if len(vendored)+len(use) > 500 || strings.Contains(vendored, "@") {
			return
		}
		dir := fixture.Module(t, map[string]string{
			"timoni.cue":                        fmt.Sprintf(vendoringModule, use),
			"cue.mod/gen/example.com/v/v.cue":   "package v\n\n" + vendored,
			"cue.mod/gen/example.com/v/w.cue":   "package v\n\n#Z: 1\n",
			"cue.mod/pkg/example.com/other.txt": "",
		})
		req := render.Request{Dir: dir, Origin: "mod", Name: "app", Namespace: "apps", Whole: true, Limits: render.Limits{Time: 10 * time.Second}}
		whole, err := render.Build(t.Context(), req)
		if err != nil {
			return
		}
		req.Whole = false
		part, err := render.Build(t.Context(), req)
		if diff := cmp.Diff(describe(whole, nil), describe(part, err)); diff != "" {
			t.Errorf("(-whole +part):\n%s", diff)
		}
	})
}

// TestPartOfLinks holds that vendored files are found behind links.
func TestPartOfLinks(t *testing.T) {
	t.Parallel()
	shared := t.TempDir()
	fixture.Write(t, filepath.Join(shared, "v", "v.cue"), "package v\n\n#A: {x: 1}\n#Broken: missing\n")
	dir := fixture.Module(t, map[string]string{"timoni.cue": fmt.Sprintf(vendoringModule, "v.#A")})
	if err := os.MkdirAll(filepath.Join(dir, "cue.mod", "pkg"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(shared, filepath.Join(dir, "cue.mod", "pkg", "example.com")); err != nil {
		t.Fatal(err)
	}
	mustBuild(t, dir)
}

func sourceOf(text string) values.Source {
	return values.Source{Name: "mine.cue", Format: values.CUE, Data: []byte(text)}
}
