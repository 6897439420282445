// SPDX-License-Identifier: Apache-2.0

// Package modules_test holds the sample modules against CUE itself, without
// the renderer.
package modules_test

import (
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/load"
	"cuelang.org/go/encoding/yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/schema"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/schema/kubernetes"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
	"github.com/kubectl-timoni/kubectl-timoni/test/golden"
)

// build returns the field timoni of a module, unified with #Timoni. The source
// extra, without a package clause, joins the package.
func build(dir, pkg, extra string, tags ...string) (cue.Value, error) {
	root, err := evaluate(dir, pkg, extra, tags...)
	if err != nil {
		return cue.Value{}, err
	}
	v := root.LookupPath(cue.ParsePath("timoni"))
	if err := v.Validate(); err != nil {
		return v, err
	}
	for _, path := range []string{"instance", "apply"} {
		if err := v.LookupPath(cue.ParsePath(path)).Validate(cue.Concrete(true), cue.Final()); err != nil {
			return v, err
		}
	}
	return v, nil
}

func evaluate(dir, pkg, extra string, tags ...string) (cue.Value, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return cue.Value{}, err
	}
	clause := "main"
	if pkg != "." {
		clause = filepath.Base(pkg)
	}
	inst := load.Instances([]string{pkg}, &load.Config{
		Dir:  abs,
		Tags: append([]string{"name=app", "namespace=apps"}, tags...),
		TagVars: map[string]load.TagVar{
			"moduleVersion": {Func: constant("0.0.0-devel")},
			"kubeVersion":   {Func: constant("1.36.3")},
		},
		Overlay: map[string]load.Source{
			filepath.Join(abs, pkg, "timoni.gen.cue"): load.FromBytes(schema.Module(clause)),
			filepath.Join(abs, pkg, "extra.gen.cue"):  load.FromString("package " + clause + "\n" + extra),
		},
	})[0]
	if inst.Err != nil {
		return cue.Value{}, inst.Err
	}
	return cuecontext.New().BuildInstance(inst), nil
}

func constant(s string) func() (ast.Expr, error) {
	return func() (ast.Expr, error) { return ast.NewString(s), nil }
}

// TestRender compares what the modules hold in timoni.apply. The objects that
// use the vendored definitions are checked against those on the way.
func TestRender(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		dir, pkg, extra string
		tags            []string
	}{
		"minimal":       {dir: "minimal", pkg: "."},
		"minimal-debug": {dir: "minimal", pkg: ".", tags: []string{"debug"}},
		"stages":        {dir: "stages", pkg: "."},
		"stages-values": {dir: "stages", pkg: ".", extra: `values: {report: enabled: true, widget: {wait: true, colour: "red"}}`},
		"embed":         {dir: "embed", pkg: "."},
		"embed-plain":   {dir: "embed", pkg: "./plain"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, err := build(tt.dir, tt.pkg, tt.extra, tt.tags...)
			if err != nil {
				t.Fatal(errors.Details(err, nil))
			}
			got, err := yaml.Encode(v.LookupPath(cue.ParsePath("apply")))
			if err != nil {
				t.Fatal(err)
			}
			golden.File(t, filepath.Join("testdata", name+".yaml"), got)
		})
	}
}

// TestIdioms evaluates what modules in the wild do with the core schemas, held
// against the definitions of Kubernetes.
func TestIdioms(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile("testdata/idioms.cue")
	if err != nil {
		t.Fatal(err)
	}
	_, extra, _ := strings.Cut(string(src), "package main\n")
	v, err := evaluate("minimal", ".", extra)
	if err != nil {
		t.Fatal(errors.Details(err, nil))
	}
	out := v.LookupPath(cue.ParsePath("out"))
	if err := out.Validate(cue.Concrete(true)); err != nil {
		t.Fatal(errors.Details(err, nil))
	}
	got, err := yaml.Encode(out)
	if err != nil {
		t.Fatal(err)
	}
	golden.File(t, "testdata/idioms.yaml", got)
}

func TestVersionConstraint(t *testing.T) {
	t.Parallel()
	_, err := build("minimal", ".", "", "kv=1.19.0")
	const want = "timoni.kubeMinorVersion: invalid value 19 (out of bound >=20)"
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	v, err := build("stages", ".", "")
	if err != nil {
		t.Fatal(errors.Details(err, nil))
	}
	check := v.LookupPath(cue.ParsePath("healthChecks.widget"))
	condition := map[string]any{"type": "Ready", "status": "True", "observedGeneration": 2}
	for generation, want := range map[int]bool{2: true, 3: false} {
		live := check.FillPath(cue.ParsePath("#object"), map[string]any{
			"metadata": map[string]any{"generation": generation},
			"status":   map[string]any{"conditions": []any{condition}},
		})
		got, err := live.LookupPath(cue.ParsePath("current")).Bool()
		if err != nil || got != want {
			t.Errorf("generation %d: current = %v, %v, want %v", generation, got, err, want)
		}
	}
}

// TestSchemas keeps the vendored schemas equal to those in the binaries; of
// those of Kubernetes there are some packages only. It is not parallel, so that
// UPDATE=1 is done before a module is rendered.
func TestSchemas(t *testing.T) {
	all, err := kubernetes.Schemas()
	if err != nil {
		t.Fatal(err)
	}
	some := tree(t, all)
	maps.DeleteFunc(some, func(name, _ string) bool {
		_, err := fs.Stat(os.DirFS("minimal/cue.mod/gen"), path.Dir(name))
		return err != nil
	})
	for dir, want := range map[string]map[string]string{
		"minimal/cue.mod/gen": some,
		"minimal/cue.mod/pkg": tree(t, schema.Core()),
	} {
		if os.Getenv("UPDATE") != "" {
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
			fixture.Files(t, dir, want)
		}
		if d := cmp.Diff(want, tree(t, os.DirFS(dir))); d != "" {
			t.Errorf("%s (-want +got, UPDATE=1 rewrites):\n%s", dir, d)
		}
	}
}

func tree(t *testing.T, fsys fs.FS) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(fsys, name)
		files[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestFormat holds the modules' own CUE files to 'cue fmt'.
func TestFormat(t *testing.T) {
	t.Parallel()
	var files []string
	for _, pattern := range []string{"*/*.cue", "*/*/*.cue"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(found), err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := format.Source(src)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), string(src)); d != "" {
			t.Errorf("%s is not formatted (-want +got):\n%s", file, d)
		}
	}
}

// BenchmarkMinimal loads and evaluates the minimal module with the CUE API
// alone: what the renderer is measured against.
func BenchmarkMinimal(b *testing.B) {
	for b.Loop() {
		if _, err := build("minimal", ".", ""); err != nil {
			b.Fatal(err)
		}
	}
}
