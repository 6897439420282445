// SPDX-License-Identifier: Apache-2.0

package krm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/krm"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
	"github.com/kubectl-timoni/kubectl-timoni/test/golden"
)

// TestFunction runs the scripts of testdata/function. In each, "in" is the
// ResourceList, "out" the list that must come out, "error" the error, if any,
// with its exit code and hints; other files are in the base directory.
func TestFunction(t *testing.T) {
	t.Parallel()
	golden.Run(t, "testdata/function/*.txtar", runScript)
}

// runScript returns the archive with out and error as they are.
func runScript(t *testing.T, archive *txtar.Archive) *txtar.Archive {
	t.Helper()
	dir := t.TempDir()
	result := &txtar.Archive{Comment: archive.Comment}
	var in []byte
	for _, f := range archive.Files {
		if f.Name == "out" || f.Name == "error" {
			continue
		}
		result.Files = append(result.Files, f)
		if f.Name == "in" {
			in = f.Data
			continue
		}
		fixture.Write(t, filepath.Join(dir, f.Name), f.Data)
	}
	out, err := runAs(t.Context(), krm.Function{Dir: dir, Render: fakeRender, Trust: krm.Trust{
		Env: []string{"ALLOWED", "UNSET"}, Insecure: []string{"insecure.example.com:5000"}, CacheDir: filepath.Join(dir, "cache-of-the-user"),
		LookupEnv: func(name string) (string, bool) { return "value of " + name, name != "UNSET" },
	}}, in)
	result.Files = append(result.Files, txtar.File{Name: "out", Data: withoutDir(out, dir)})
	if err != nil {
		text := fmt.Sprintf("%d: %v\n", fail.CodeOf(err), err)
		for _, hint := range fail.HintsOf(err) {
			text += "hint: " + hint + "\n"
		}
		result.Files = append(result.Files, txtar.File{Name: "error", Data: withoutDir([]byte(text), dir)})
	}
	return result
}

func withoutDir(text []byte, dir string) []byte {
	return bytes.ReplaceAll(text, []byte(dir+string(filepath.Separator)), nil)
}

// run carries out a list and returns the document that is written.
func run(ctx context.Context, dir string, in []byte) ([]byte, error) {
	return runAs(ctx, krm.Function{Dir: dir, Render: fakeRender}, in)
}

func runAs(ctx context.Context, f krm.Function, in []byte) ([]byte, error) {
	list, err := krm.Read(bytes.NewReader(in))
	if err == nil {
		err = f.Run(ctx, list)
	}
	var out bytes.Buffer
	if writeErr := list.Write(&out); writeErr != nil {
		return nil, writeErr
	}
	return out.Bytes(), err
}

func fakeRender(_ context.Context, instances []krm.Instance) []render.Outcome {
	var outcomes []render.Outcome
	for _, in := range instances {
		result, err := fakeResult(in)
		outcomes = append(outcomes, render.Outcome{Result: result, Err: err})
	}
	return outcomes
}

// fakeResult returns what it was asked for as two objects. The package decides
// what else happens.
func fakeResult(in krm.Instance) (*render.Result, error) {
	if _, err := values.Merge(in.Values); err != nil {
		return nil, err
	}
	var sources []any
	for _, src := range in.Values {
		text := string(src.Data)
		if src.Expr != nil {
			text = fmt.Sprint(in.Module.Dir, ": ", oneLine(src.Expr))
		}
		sources = append(sources, map[string]any{src.Name: text})
	}
	switch filepath.Base(in.Module.Dir) {
	case "same":
		in.Name = "same" // whatever the instance is called
	case "endless":
		return nil, fmt.Errorf("evaluate: %w", render.ErrLimit)
	}
	result := &render.Result{Sets: []render.Set{
		{Name: "z", Objects: []api.Object{object("Service", in, nil)}},
		{Name: "a", Objects: []api.Object{object("ConfigMap", in, map[string]any{
			"module": in.Module.String(), "package": in.Package, "kubeVersion": in.KubeVersion, "sources": sources,
		})}},
	}}
	if in.Access.Creds != "" || in.Access.Insecure || in.Access.Offline || in.Access.CacheDir != "" || in.Access.Key != nil {
		result.Sets[1].Objects[0]["access"] = fmt.Sprintf("creds %q, insecure %t, offline %t, cache %q, key %q",
			in.Access.Creds, in.Access.Insecure, in.Access.Offline, in.Access.CacheDir, in.Access.Key)
	}
	switch in.Package {
	case "warn":
		result.Warnings = []string{"first", "second"}
	case "reserved":
		annotate(result, "kustomize.config.k8s.io/behavior", "config.kubernetes.io/prefixes", "config.kubernetes.io/suffixes",
			"config.kubernetes.io/previousNames", "config.kubernetes.io/origin", "alpha.config.kubernetes.io/transformations",
			"internal.config.kubernetes.io/needsHashSuffix", "internal.config.kubernetes.io/previousNamespaces")
	case "claimed":
		annotate(result, "config.kubernetes.io/function", "config.k8s.io/function", "config.kubernetes.io/path", "config.kubernetes.io/index",
			"internal.config.kubernetes.io/path", "internal.config.kubernetes.io/index", "internal.config.kubernetes.io/id",
			"config.k8s.io/id", "kustomize.config.k8s.io/id",
			"kustomize.config.k8s.io/needs-hash", "config.kubernetes.io/depends-on", "config.kubernetes.io/apply-time-mutation", "config.kubernetes.io/local-config")
	case "panic":
		panic("no render survives this")
	case "fail":
		return nil, fail.Hint(errors.New("it is broken"), "mend it")
	case "refuse":
		two := fmt.Errorf("nor %w and %w", errors.New("that"), errors.New("that"))
		return nil, errors.Join(fail.Refusedf("not this"), two)
	}
	return result, nil
}

// annotate gives the Service annotations of the value true.
func annotate(result *render.Result, keys ...string) {
	for _, key := range keys {
		result.Sets[0].Objects[0].SetAnnotation(key, "true")
	}
}

func object(kind string, in krm.Instance, data map[string]any) api.Object {
	o := api.Object{
		"apiVersion": "v1", "kind": kind,
		"metadata": map[string]any{"name": in.Name, "namespace": in.Namespace},
	}
	if data != nil {
		o["data"] = data
	}
	return o
}

func TestFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"outside/v.yaml", "base/v.yaml", "base/sub/v.yaml", "repo/.git/HEAD", "repo/base/v.yaml", "repo/module/v.yaml"} {
		fixture.Write(t, filepath.Join(dir, name), "a: 1\n")
	}
	for link, target := range map[string]string{
		"base/out.yaml": "../outside/v.yaml", "base/in.yaml": "sub/v.yaml", "base/dir": "../outside",
		"base/absolute.yaml": filepath.Join(dir, "outside", "v.yaml"), "linked": "base",
		"repo/base/module": "../module", "repo/base/escape": "../../outside",
	} {
		if err := os.Symlink(filepath.FromSlash(target), filepath.Join(dir, filepath.FromSlash(link))); err != nil {
			t.Skip(err)
		}
	}
	for name, test := range map[string]struct {
		base, module, file string
		want               string // in the error, none when empty
	}{
		"a file":                           {"base", "", "v.yaml", ""},
		"a file in a subdirectory":         {"base", "", "sub/../sub/v.yaml", ""},
		"a link to a file below":           {"base", "", "in.yaml", ""},
		"a base that is a link":            {"linked", "", "v.yaml", ""},
		"a file outside":                   {"base", "", "../outside/v.yaml", "leaves the directory"},
		"a file outside in between":        {"base", "", "sub/../../outside/v.yaml", "leaves the directory"},
		"an absolute file":                 {"base", "", filepath.Join(dir, "base", "v.yaml"), "leaves the directory"},
		"a link to a file outside":         {"base", "", "out.yaml", "through a link"},
		"an absolute link":                 {"base", "", "absolute.yaml", "through a link"},
		"a file in a linked directory":     {"base", "", "dir/v.yaml", "through a link"},
		"a file of the same repository":    {"repo/base", "", "../module/v.yaml", "leaves the directory"},
		"a linked one of it":               {"repo/base", "", "module/v.yaml", "through a link"},
		"the standard input":               {"base", "", "-", "extension"},
		"a module":                         {"base", "./sub", "", ""},
		"the base as a module":             {"base", ".", "", ""},
		"a module that does not exist":     {"base", "../no", "", ""},
		"a module outside":                 {"base", "../outside", "", "lies outside"},
		"a linked module outside":          {"base", "dir", "", "lies outside"},
		"an absolute module outside":       {"base", filepath.Join(dir, "outside"), "", "lies outside"},
		"a module of the same repository":  {"repo/base", "../module", "", ""},
		"a linked one":                     {"repo/base", "module", "", ""},
		"a module outside the repository":  {"repo/base", "../../outside", "", "lies outside"},
		"a linked one outside of it":       {"repo/base", "escape", "", "lies outside"},
		"a module with a version":          {"base", "./sub\n    version: 1.0.0", "", "has no version"},
		"a module with a digest":           {"base", "./sub\n    digest: sha256:00", "", "has no digest"},
		"a module in a registry":           {"base", "oci://example.com/app\n    version: 1.0.0", "", ""},
		"a registry's bad version":         {"base", "oci://example.com/app\n    version: v1.0.0", "", "leave out the prefix v"},
		"a registry's contradictory one":   {"base", "oci://example.com/app:1.0.0\n    version: 1.0.1", "", `"1.0.1" is asked for`},
		"an unknown scheme of a module":    {"base", "https://example.com/app", "", "unknown scheme"},
		"an address that lacks its scheme": {"base", "example.com/app", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := "kind: ResourceList\nitems: []\nfunctionConfig:\n apiVersion: krm.timoni.sh/v1alpha1\n kind: Instance\n metadata: {name: a}\n spec:\n"
			if test.file != "" {
				test.module = "."
				in += fmt.Sprintf("  valuesFrom:\n  - {file: %q}\n", test.file)
			}
			in += "  module:\n    url: " + test.module + "\n"
			_, err := run(t.Context(), filepath.Join(dir, filepath.FromSlash(test.base)), []byte(in))
			if got := fmt.Sprint(err); test.want == "" && err != nil || !strings.Contains(got, test.want) {
				t.Errorf("error %s, want %q", got, test.want)
			}
			refused := strings.Contains(test.want, "leaves") || strings.Contains(test.want, "lies") || strings.Contains(test.want, "link")
			if refused && fail.CodeOf(err) != fail.Refused {
				t.Errorf("exit code %d", fail.CodeOf(err))
			}
		})
	}
}

// FuzzFunction feeds the function anything: it must not panic, must end with a
// list that can be read again, and never invents an instance.
func FuzzFunction(f *testing.F) {
	for _, archive := range golden.Scripts(f, "testdata/function/*.txtar") {
		i := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == "in" })
		f.Add(archive.Files[i].Data)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 1<<14 {
			return
		}
		dir := t.TempDir()
		out, err := run(t.Context(), dir, in)
		list, readErr := krm.Read(bytes.NewReader(out))
		if readErr != nil {
			t.Fatalf("%v: wrote what cannot be read: %v\n%s", err, readErr, out)
		}
		if err == nil && len(list.Items) == 0 && !bytes.Contains(in, []byte("Vet")) {
			t.Errorf("no error, but %d items", len(list.Items))
		}
		if err != nil && strings.Contains(err.Error(), "internal error: ") && !bytes.Contains(in, []byte("panic")) {
			t.Error(err)
		}
		if err != nil && !bytes.Contains(out, []byte("severity: error")) {
			t.Errorf("the error %q is not among the results", err)
		}
	})
}

// oneLine returns values of CUE on one line.
func oneLine(e ast.Expr) string {
	text, err := format.Node(e)
	if err != nil {
		return err.Error()
	}
	return strings.Join(strings.Fields(string(text)), " ")
}
