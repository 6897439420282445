// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// TestEmbedStaysInside holds that a module reads no file outside its directory,
// neither by name nor through a symbolic link.
func TestEmbedStaysInside(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ file, want string }{
		"inside":           {"in.txt", "inside"},
		"link to inside":   {"link-in.txt", "inside"},
		"link to outside":  {"link-out.txt", ""},
		"linked directory": {"link-dir/secret.txt", ""},
		"parent":           {"../secret.txt", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			top := t.TempDir()
			dir := filepath.Join(top, "module")
			fixture.Files(t, dir, map[string]string{
				"../secret.txt":      "TOPSECRET",
				"in.txt":             "inside",
				"cue.mod/module.cue": "module: \"example.com/m\"\nlanguage: version: \"v0.9.0\"\n",
				"values.cue":         "package main\n\nvalues: {}\n",
				"timoni.cue": `@extern(embed)

package main

values: {}
content: string @embed(file="` + tc.file + `",type=text)
timoni: {
	apiVersion: "v1alpha1"
	instance: config: {}
	apply: app: [{apiVersion: "v1", kind: "ConfigMap", metadata: name: "a", data: text: content}]
}
`,
			})
			for link, to := range map[string]string{"link-in.txt": "in.txt", "link-out.txt": "../secret.txt", "link-dir": ".."} {
				if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
					t.Fatal(err)
				}
			}
			result, err := render.Build(context.Background(), render.Request{Dir: dir, Name: "a", Namespace: "b"})
			if tc.want == "" {
				if err == nil || strings.Contains(err.Error(), "TOPSECRET") {
					t.Fatalf("read a file outside: %v, %v", result, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			data := result.Objects()[0]["data"].(map[string]any)
			if data["text"] != tc.want {
				t.Errorf("got %v", data)
			}
		})
	}
}

// A module from a registry replaces no dependency by a directory of this machine.
func TestLocalModuleFile(t *testing.T) {
	t.Parallel()
	elsewhere := t.TempDir()
	fixture.Write(t, filepath.Join(elsewhere, "cue.mod", "module.cue"), "module: \"example.com/dep@v0\"\nlanguage: version: \"v0.17.0\"\n")
	fixture.Write(t, filepath.Join(elsewhere, "dep.cue"), "package dep\n\nsecret: \"geheim\"\n")
	dir := fixture.Module(t, map[string]string{
		"cue.mod/module.cue":       "module: \"timoni.sh/test@v0\"\nlanguage: version: \"v0.17.0\"\ndeps: \"example.com/dep@v0\": v: \"v0.1.0\"\n",
		"cue.mod/local-module.cue": "deps: \"example.com/dep@v0\": replaceWith: \"" + filepath.ToSlash(elsewhere) + "\"\n",
		"timoni.cue":               "package main\n\nimport \"example.com/dep\"\n\ntimoni: {apiVersion: \"v1alpha1\", instance: config: secret: dep.secret, apply: {}}\n",
	})
	req := render.Request{Dir: dir, Name: "app", Namespace: "apps"}
	if _, err := render.Build(t.Context(), req); err != nil {
		t.Errorf("a directory of the author's: %v", err)
	}
	req.Origin = "oci://registry.example.com/test"
	if _, err := render.Build(t.Context(), req); fail.CodeOf(err) != fail.Refused {
		t.Errorf("a module from a registry: error %v", err)
	}
}

// TestLinks holds that of the files of a module only those below cue.mod may be
// links to elsewhere, and those of a module of another party not even then.
func TestLinks(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		link, to string // in the module
		within   string // empty: the author's own
		want     string // in the error, none when empty
	}{
		"shared schemas":                {"cue.mod/gen", "../../shared", "", ""},
		"shared schemas, confined":      {"cue.mod/gen", "../../shared", "module", "leads outside through a link"},
		"shared schemas of a monorepo":  {"cue.mod/gen", "../../shared", ".", ""},
		"templates elsewhere":           {"templates", "../elsewhere", "", "leads out of the module through a link"},
		"templates in the repository":   {"templates", "../elsewhere", ".", "leads out of the module through a link"},
		"templates within the module":   {"templates", "real", "", ""},
		"a file of the package":         {"more.cue", "../elsewhere/main.cue", "", "leads out of the module through a link"},
		"the values":                    {"values.cue", "../elsewhere/values.cue", "", "leads out of the module through a link"},
		"a file of the package, within": {"more.cue", "real/main.txt", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			top := t.TempDir()
			dir := filepath.Join(top, "module")
			const templates = "package templates\n\ndata: from: \"there\"\n"
			fixture.Files(t, dir, map[string]string{
				"../shared/example.com/schema/s.cue": "package schema\n\n#Kind: \"ConfigMap\"\n",
				"../elsewhere/t.cue":                 templates,
				"../elsewhere/main.cue":              "package main\n",
				"../elsewhere/values.cue":            "package main\n\nvalues: {}\n",
				"real/t.cue":                         templates,
				"real/main.txt":                      "package main\n",
				"cue.mod/module.cue":                 "module: \"example.com/m\"\nlanguage: version: \"v0.9.0\"\n",
				"timoni.cue": `package main

import (
	"example.com/schema"
	"example.com/m/templates"
)

values: {}
timoni: {
	apiVersion: "v1alpha1"
	instance: config: {}
	apply: app: [{apiVersion: "v1", kind: schema.#Kind, metadata: name: "a", data: templates.data}]
}
`,
			})
			for name, content := range map[string]string{
				"cue.mod/gen/example.com/schema/s.cue": "package schema\n\n#Kind: \"ConfigMap\"\n",
				"templates/t.cue":                      templates,
				"values.cue":                           "package main\n\nvalues: {}\n",
			} {
				if !strings.HasPrefix(name, test.link) {
					fixture.Write(t, filepath.Join(dir, filepath.FromSlash(name)), content)
				}
			}
			if err := os.Symlink(filepath.FromSlash(test.to), filepath.Join(dir, filepath.FromSlash(test.link))); err != nil {
				t.Skip(err)
			}
			req := render.Request{Dir: dir, Name: "a", Namespace: "b"}
			if test.within != "" {
				req.Within = filepath.Join(top, test.within)
			}
			_, err := render.Build(t.Context(), req)
			if test.want == "" && err == nil {
				return
			}
			if test.want == "" || err == nil || !strings.Contains(err.Error(), test.want) || fail.CodeOf(err) != fail.Refused {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}
