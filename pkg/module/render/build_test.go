// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
	"github.com/kubectl-timoni/kubectl-timoni/test/golden"
)

// TestBuild runs the scripts of testdata/build. In each, the files below mod/
// are the module, the other ones values in the order in which they stand, and
// the lines "name: value" of the comment fields of the request. "want" is what
// is rendered, or the error. A module without cue.mod, timoni.cue or values.cue
// gets a plain one, or with "module: typed" testdata/typed.cue, unless the
// comment says "bare: true". It is rendered again with what other renderings have
// loaded, which must make no difference.
func TestBuild(t *testing.T) {
	t.Parallel()
	golden.Text(t, "testdata/build/*.txtar", build)
}

func build(t *testing.T, archive *txtar.Archive) string {
	t.Helper()
	dir := t.TempDir()
	sources := write(t, dir, archive)
	req := render.Request{
		Dir: filepath.Join(dir, "mod"), Origin: "./mod", Name: "app", Namespace: "apps",
		ModuleVersion: "1.2.3", Values: sources,
	}
	configure(&req, string(archive.Comment))
	text := describe(render.Build(t.Context(), req))
	other := req // comes before it
	other.Name, other.Namespace, other.Values = "other", "others", nil
	for i, outcome := range render.BuildAll(t.Context(), []render.Request{other, req, req, req})[1:] {
		if again := describe(outcome.Result, outcome.Err); again != text {
			t.Errorf("rendered with others, as number %d, it is another one:\n%s", i+1, again)
		}
	}
	checkReplacement(t, req)
	return filepath.ToSlash(strings.ReplaceAll(text, dir, "TMP"))
}

// checkReplacement renders again with the values that the record would have
// instead of those of values.cue, as a rollback does.
func checkReplacement(t *testing.T, req render.Request) {
	t.Helper()
	first, err := render.Build(t.Context(), req)
	if err != nil {
		return
	}
	want := describe(first, nil)
	req.Values = []values.Source{{Name: "revision 1", Format: values.CUE, Data: []byte("values: " + first.Values)}}
	req.ReplaceValues = true
	if again := describe(render.Build(t.Context(), req)); again != want {
		t.Errorf("rendered with the values of the record, it is another one (-want +got):\n%s", cmp.Diff(want, again))
	}
}

// configure sets the fields of the request that a script's comment names.
func configure(req *render.Request, comment string) {
	for line := range strings.Lines(comment) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			continue
		}
		switch key {
		case "package":
			req.Package = value
		case "kube":
			req.KubeVersion = value
		case "namespace":
			req.Namespace = value
		case "replace":
			req.ReplaceValues = true
		}
	}
}

// write writes the files of a script and returns its values.
func write(t *testing.T, dir string, archive *txtar.Archive) []values.Source {
	t.Helper()
	if !strings.Contains(string(archive.Comment), "bare: true") {
		source := "package main\n"
		if strings.Contains(string(archive.Comment), "module: typed") {
			data, err := os.ReadFile(filepath.Join("testdata", "typed.cue"))
			if err != nil {
				t.Fatal(err)
			}
			source = string(data)
		}
		fixture.Files(t, dir, map[string]string{
			"mod/cue.mod/module.cue": "module: \"timoni.sh/test\"\nlanguage: version: \"v0.9.0\"\n",
			"mod/timoni.cue":         source,
			"mod/values.cue":         "package main\n\nvalues: {}\n",
		})
	}
	var sources []values.Source
	for _, f := range archive.Files {
		if strings.HasPrefix(f.Name, "mod/") {
			fixture.Write(t, filepath.Join(dir, f.Name), f.Data)
		} else if f.Name != "want" {
			format := values.Format(strings.TrimPrefix(filepath.Ext(f.Name), "."))
			sources = append(sources, values.Source{Name: f.Name, Format: format, Data: f.Data})
		}
	}
	return sources
}

func describe(r *render.Result, err error) string {
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	var b strings.Builder
	for _, warning := range r.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", warning)
	}
	for _, warning := range r.ScopeWarnings {
		fmt.Fprintf(&b, "scope: %s\n", warning)
	}
	for _, set := range r.Sets {
		fmt.Fprintf(&b, "# stage %s\n%s", set.Name, api.YAML(set.Objects))
	}
	fmt.Fprintf(&b, "# module %s, values\n%s\n", r.ModulePath, r.Values)
	for _, image := range r.Images {
		fmt.Fprintf(&b, "# image %s\n", image)
	}
	return b.String()
}
