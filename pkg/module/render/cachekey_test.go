// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"
	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

const keyModule = `@extern(embed)

package main

import (
	"example.com/lib"
	"example.com/linked"
)

values: {size: *1 | int, ...}

_text: string @embed(file=data.txt,type=text)

timoni: {
	apiVersion: "v1alpha1"
	instance: config: values & {metadata: {name: string @tag(name), namespace: string @tag(namespace)}}
	apply: app: [{
		apiVersion: "v1"
		kind:       "ConfigMap"
		metadata: name: instance.config.metadata.name
		data: {text: _text, fromLib: lib.#A, fromLink: linked.#A, size: "\(instance.config.size)"}
	}]
}
`

// keyRequest returns a request whose module has a file in each place that a
// module is read from, among them one behind a link.
func keyRequest(t *testing.T) render.Request {
	t.Helper()
	dir := fixture.Module(t, map[string]string{
		"timoni.cue": keyModule, "data.txt": "text", "debug_values.cue": "@if(debug)\n\npackage main\n\nvalues: {}\n",
		"cue.mod/pkg/example.com/lib/lib.cue": "package lib\n\n#A: \"a\"\n",
	})
	outer := fixture.Dir(t, map[string]string{"linked.cue": "package linked\n\n#A: \"a\"\n"})
	if err := os.Symlink(outer, filepath.Join(dir, "cue.mod", "pkg", "example.com", "linked")); err != nil {
		t.Fatal(err)
	}
	req := request(t, dir)
	req.Values = []values.Source{{Stored: true, Name: "v.yaml", Format: values.YAML, Data: []byte("size: 2\n")}}
	return req
}

// TestCacheKey changes one input at a time: what was kept is not used.
func TestCacheKey(t *testing.T) {
	t.Parallel()
	write := func(name, text string) func(*testing.T, *render.Request) {
		return func(t *testing.T, req *render.Request) {
			t.Helper()
			file, err := filepath.EvalSymlinks(filepath.Join(req.Dir, filepath.Dir(name)))
			if err != nil {
				t.Fatal(err)
			}
			fixture.Write(t, filepath.Join(file, filepath.Base(name)), text)
		}
	}
	change := func(do func(*render.Request)) func(*testing.T, *render.Request) {
		return func(_ *testing.T, req *render.Request) { do(req) }
	}
	for name, tc := range map[string]struct {
		change func(*testing.T, *render.Request)
		fails  bool // the changed request does
	}{
		"program":            {change(func(r *render.Request) { r.Cache = &render.Cache{Dir: r.Cache.Dir, Program: "other"} }), false},
		"origin":             {change(func(r *render.Request) { r.Origin = "./elsewhere" }), false},
		"name":               {change(func(r *render.Request) { r.Name = "other" }), false},
		"namespace":          {change(func(r *render.Request) { r.Namespace = "other" }), false},
		"module version":     {change(func(r *render.Request) { r.ModuleVersion = "2.0.0" }), false},
		"kube version":       {change(func(r *render.Request) { r.KubeVersion = "1.30.0" }), false},
		"package":            {change(func(r *render.Request) { r.Package = "other" }), true},
		"debug":              {change(func(r *render.Request) { r.Debug = true }), false},
		"whole":              {change(func(r *render.Request) { r.Whole = true }), false},
		"objects only":       {change(func(r *render.Request) { r.ObjectsOnly = true }), false},
		"time":               {change(func(r *render.Request) { r.Limits.Time = time.Hour }), false},
		"memory":             {change(func(r *render.Request) { r.Limits.Memory = 1 << 30 }), false},
		"scopes":             {change(func(r *render.Request) { r.Scopes = []render.Scope{{Group: "a", Kind: "B"}} }), false},
		"within":             {change(func(r *render.Request) { r.Within = "/" }), false},
		"values replaced":    {change(func(r *render.Request) { r.ReplaceValues = true }), false},
		"no values":          {change(func(r *render.Request) { r.Values = nil }), false},
		"value":              {change(func(r *render.Request) { r.Values[0].Data = []byte("size: 3\n") }), false},
		"comment in a value": {change(func(r *render.Request) { r.Values[0].Data = []byte("# Places move.\nsize: 2\n") }), false},
		"name of the values": {change(func(r *render.Request) { r.Values[0].Name = "w.yaml" }), false},
		"format":             {change(func(r *render.Request) { r.Values[0].Format = values.Detect }), false},
		"more values":        {change(func(r *render.Request) { r.Values = append(r.Values, r.Values[0]) }), false},
		"values as syntax": {change(func(r *render.Request) {
			r.Values = []values.Source{{Stored: true, Expr: ast.NewStruct("size", ast.NewLit(token.INT, "2"))}}
		}), false},
		"file of the package": {write("timoni.cue", strings.Replace(keyModule, "\"v1\"", "\"v2\"", 1)), false},
		"one more file":       {write("more.cue", "package main\n"), false},
		"values.cue":          {write("values.cue", "package main\n\nvalues: size: 9\n"), false},
		"debug values":        {write("debug_values.cue", "@if(debug)\n\npackage main\n\nvalues: {size: 9}\n"), false},
		"embedded file":       {write("data.txt", "other"), false},
		"module.cue":          {write("cue.mod/module.cue", "module: \"timoni.sh/other\"\nlanguage: version: \"v0.9.0\"\n"), false},
		"vendored package":    {write("cue.mod/pkg/example.com/lib/lib.cue", "package lib\n\n#A: \"b\"\n"), false},
		"file behind a link":  {write("cue.mod/pkg/example.com/linked/linked.cue", "package linked\n\n#A: \"b\"\n"), false},
		"link": {func(t *testing.T, req *render.Request) {
			t.Helper()
			link := filepath.Join(req.Dir, "cue.mod", "pkg", "example.com", "linked")
			other := fixture.Dir(t, map[string]string{"linked.cue": "package linked\n\n#A: \"a\"\n"})
			if err := errors.Join(os.Remove(link), os.Symlink(other, link)); err != nil {
				t.Fatal(err)
			}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := keyRequest(t)
			before := see(mustKeep(t, req))
			tc.change(t, &req)
			changed, err := render.Build(t.Context(), req)
			if (err != nil) != tc.fails {
				t.Fatal(err)
			}
			if err != nil {
				return
			}
			if render.IsKept(changed) {
				t.Error("what was kept before the change was used")
			}
			plain := req
			plain.Cache = nil
			want, err := render.Build(t.Context(), plain)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(see(want), see(changed)); diff != "" {
				t.Errorf("(-without a cache +with one):\n%s\nbefore: %v", diff, before)
			}
		})
	}
}

// TestCacheMoved renders a copy of a module in another directory: that of a
// pulled one is another each time.
func TestCacheMoved(t *testing.T) {
	t.Parallel()
	req := request(t, fixture.ManyObjects(t, 3))
	req.Origin, req.Within = "oci://example.com/app", req.Dir
	mustKeep(t, req)
	req.Dir = fixture.ManyObjects(t, 3)
	req.Within = req.Dir
	if result, err := render.Build(t.Context(), req); err != nil || !render.IsKept(result) {
		t.Errorf("error %v, or it was rendered again", err)
	}
}

// TestCacheNothing is about requests of which nothing is kept.
func TestCacheNothing(t *testing.T) {
	t.Parallel()
	const configMap = `{apiVersion: "v1", kind: "ConfigMap", metadata: name: "a"}`
	module := func(object string) string {
		return "package main\n\nvalues: {...}\n\ntimoni: {apiVersion: \"v1alpha1\", instance: config: values, apply: app: [" + object + "]}\n"
	}
	source := func(src values.Source) func(*testing.T, *render.Request) {
		return func(_ *testing.T, req *render.Request) { req.Values = []values.Source{src} }
	}
	yaml := func(text string) values.Source {
		return values.Source{Stored: true, Name: "v.yaml", Format: values.YAML, Data: []byte(text)}
	}
	file := func(name, text string) func(*testing.T, *render.Request) {
		return func(t *testing.T, req *render.Request) {
			t.Helper()
			fixture.Files(t, req.Dir, map[string]string{name: text})
		}
	}
	embeds := func(t *testing.T, req *render.Request) {
		t.Helper()
		dir := fixture.Dir(t, map[string]string{"v.json": `{"a": 1}`})
		req.Values = []values.Source{{
			Stored: true, Name: filepath.Join(dir, "v.cue"), Dir: dir, Format: values.CUE,
			Data: []byte("@extern(embed)\n\npackage main\n\nvalues: _ @embed(file=v.json)\n"),
		}}
	}
	for name, prepare := range map[string]func(*testing.T, *render.Request){
		"no cache":                         func(_ *testing.T, req *render.Request) { req.Cache = nil },
		"no directory":                     func(_ *testing.T, req *render.Request) { req.Cache.Dir = "" },
		"no program":                       func(_ *testing.T, req *render.Request) { req.Cache.Program = "" },
		"a CUE registry":                   func(_ *testing.T, req *render.Request) { req.CUERegistry = &render.CUERegistry{} },
		"images":                           func(_ *testing.T, req *render.Request) { req.CheckImages = true },
		"a Secret":                         file("timoni.cue", module(`{apiVersion: "v1", kind: "Secret", metadata: name: "a"}`)),
		"a Secret in a List":               file("timoni.cue", module(`{apiVersion: "v1", kind: "SecretList", items: [{apiVersion: "v1", kind: "Secret", metadata: name: "a"}]}`)),
		"a password":                       source(yaml("db: {password: x}\n")),
		"a token in a URL":                 source(yaml("url: https://example.com/?token=x\n")),
		"a URL with a password":            source(yaml("url: postgres://u:p@h\n")),
		"a name that may be a secret's":    source(yaml("dbPass: x\n")),
		"a URL with a password, made":      file("timoni.cue", module(`{apiVersion: "v1", kind: "ConfigMap", metadata: name: "a", data: url: "postgres://u:\("p")@h"}`)),
		"a URL with a password, its own":   file("values.cue", "package main\n\nvalues: url: \"postgres://u:p@h\"\n"),
		"a password, escaped":              source(yaml("\"pass\\x77ord\": x\n")),
		"a password in a let clause":       source(values.Source{Stored: true, Name: "v.cue", Format: values.CUE, Data: []byte("let password = \"x\"\nvalues: a: password\n")}),
		"a password of the module":         file("values.cue", "package main\n\nvalues: password: \"x\"\n"),
		"a password of another file of it": file("more.cue", "package main\n\nvalues: password: *\"x\" | string\n"),
		"a value of a Secret":              source(values.Source{Stored: true, Name: "v.yaml", Format: values.YAML, Data: []byte("a: x\n"), Secret: true}),
		"values that are stored nowhere":   source(values.Source{Name: "v.yaml", Data: []byte("a: x\n")}),
		"values that embed a file":         embeds,
		"replaced dependencies":            file("cue.mod/local-module.cue", "module: \"timoni.sh/test\"\nlanguage: version: \"v0.9.0\"\n"),
		"a dependency with a replacement":  file("cue.mod/pkg/example.com/cue.mod/module.cue", "// replaceWith\n"),
		"links in a circle": func(t *testing.T, req *render.Request) {
			t.Helper()
			if err := os.Symlink(req.Dir, filepath.Join(req.Dir, "cue.mod", "again")); err != nil {
				t.Fatal(err)
			}
		},
		"a cache in which others write": func(t *testing.T, req *render.Request) {
			t.Helper()
			if err := errors.Join(os.MkdirAll(req.Cache.Dir, 0o700), os.Chmod(req.Cache.Dir, 0o777)); err != nil {
				t.Fatal(err)
			}
		},
		"entries in which others write": func(t *testing.T, req *render.Request) {
			t.Helper()
			dir := filepath.Join(req.Cache.Dir, "render")
			if err := errors.Join(os.MkdirAll(dir, 0o700), os.Chmod(dir, 0o777)); err != nil {
				t.Fatal(err)
			}
		},
		"entries behind a link": func(t *testing.T, req *render.Request) {
			t.Helper()
			if err := errors.Join(os.MkdirAll(req.Cache.Dir, 0o700), os.Symlink(t.TempDir(), filepath.Join(req.Cache.Dir, "render"))); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := request(t, fixture.Module(t, map[string]string{"timoni.cue": module(configMap)}))
			dir := req.Cache.Dir
			prepare(t, &req)
			for range 2 {
				result, err := render.Build(t.Context(), req)
				if err != nil {
					t.Fatal(err)
				}
				if render.IsKept(result) {
					t.Error("it was kept")
				}
			}
			if files, _ := filepath.Glob(filepath.Join(dir, "render", "*")); len(files) > 0 {
				t.Errorf("there are files: %v", files)
			}
		})
	}
}

// TestCacheErrors renders a module that has an error, and then has none.
func TestCacheErrors(t *testing.T) {
	t.Parallel()
	req := keyRequest(t)
	req.Values[0].Data = []byte("size: text\n")
	for range 2 {
		if _, err := render.Build(t.Context(), req); err == nil || !strings.Contains(err.Error(), "size") {
			t.Fatalf("error %v", err)
		}
	}
	if files, _ := filepath.Glob(filepath.Join(req.Cache.Dir, "render", "*")); len(files) > 0 {
		t.Errorf("there are files: %v", files)
	}
}

// TestCacheDamage damages what was kept: it is rendered again, and kept again.
func TestCacheDamage(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(data []byte) []byte{
		"empty":          func([]byte) []byte { return nil },
		"truncated":      func(data []byte) []byte { return data[:len(data)-1] },
		"only its head":  func(data []byte) []byte { return data[:len("timoni-render 1\n")+32] },
		"longer":         func(data []byte) []byte { return append(data, 0) },
		"one bit":        func(data []byte) []byte { data[len(data)-2] ^= 1; return data },
		"another format": func(data []byte) []byte { data[14] = '2'; return data },
		"another object": func(data []byte) []byte { return []byte(strings.Replace(string(data), "ConfigMap", "ConfigMop", 1)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := keyRequest(t)
			want := see(mustKeep(t, req))
			entry := entries(t, req)[0]
			data, err := os.ReadFile(entry)
			if err == nil {
				err = os.WriteFile(entry, damage(data), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			missed(t, req, want)
		})
	}
}

// TestCacheForeign puts an entry of another request under the name of one.
func TestCacheForeign(t *testing.T) {
	t.Parallel()
	req := keyRequest(t)
	other := req
	other.Name = "other"
	mustKeep(t, other)
	foreign := entries(t, req)[0]
	want := see(mustKeep(t, req))
	for _, entry := range entries(t, req) {
		if entry == foreign {
			continue
		}
		data, err := os.ReadFile(foreign)
		if err == nil {
			err = os.WriteFile(entry, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	missed(t, req, want)
}

// missed renders a request whose entry is none: it is evaluated, then kept.
func missed(t *testing.T, req render.Request, want seen) {
	t.Helper()
	result, err := render.Build(t.Context(), req)
	if err != nil || render.IsKept(result) {
		t.Fatalf("error %v, or the entry was used", err)
	}
	if diff := cmp.Diff(want, see(result)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if again, err := render.Build(t.Context(), req); err != nil || !render.IsKept(again) {
		t.Errorf("error %v, or the entry was not replaced", err)
	}
}

func entries(t *testing.T, req render.Request) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(req.Cache.Dir, "render", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no entries: %v", err)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v", file, info.Mode())
		}
	}
	return files
}

// TestCacheBounds keeps more than there is place for, and what was not used for
// long: the oldest goes.
func TestCacheBounds(t *testing.T) {
	t.Parallel()
	req := request(t, fixture.ManyObjects(t, 1))
	mustKeep(t, req)
	old := entries(t, req)[0]
	for i := range 300 {
		name := filepath.Join(filepath.Dir(old), strings.Repeat("0", 61)+strconv.Itoa(100+i))
		fixture.Write(t, name, "")
		if err := os.Chtimes(name, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-15 * 24 * time.Hour)
	if err := os.Chtimes(old, long, long); err != nil {
		t.Fatal(err)
	}
	req.Name = "another"
	mustKeep(t, req)
	files, err := filepath.Glob(filepath.Join(req.Cache.Dir, "render", "*"))
	if err != nil || len(files) != 256 {
		t.Errorf("%d files are kept, %v", len(files), err)
	}
	if _, err := os.Stat(old); err == nil {
		t.Error("what was not used for 15 days is kept")
	}
}

// TestCacheAll renders instances of a bundle: those that are kept are not
// evaluated, and all are as without a cache.
func TestCacheAll(t *testing.T) {
	t.Parallel()
	first := keyRequest(t)
	var with, without []render.Request
	for i := range 9 {
		req := first
		req.Name = "app-" + strconv.Itoa(i)
		with = append(with, req)
		req.Cache = nil
		without = append(without, req)
	}
	mustKeep(t, with[4])
	want := render.BuildAll(t.Context(), without)
	for _, kept := range []bool{false, true} {
		for i, got := range render.BuildAll(t.Context(), with) {
			if got.Err != nil || want[i].Err != nil {
				t.Fatal(got.Err, want[i].Err)
			}
			if render.IsKept(got.Result) != (kept || i == 4) {
				t.Errorf("instance %d: kept %v", i, render.IsKept(got.Result))
			}
			if diff := cmp.Diff(see(want[i].Result), see(got.Result)); diff != "" {
				t.Errorf("instance %d (-without +with):\n%s", i, diff)
			}
		}
	}
}

// TestCacheAtOnce renders the same and other instances at once.
func TestCacheAtOnce(t *testing.T) {
	t.Parallel()
	req := keyRequest(t)
	want := see(mustKeep(t, req))
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			mine := req
			if i%2 == 0 {
				mine.Name = "app-" + strconv.Itoa(i)
			}
			result, err := render.Build(t.Context(), mine)
			if err != nil {
				t.Error(err)
				return
			}
			if diff := cmp.Diff(want, see(result)); i%2 == 1 && diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	wg.Wait()
}
