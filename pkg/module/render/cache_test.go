// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/assignment"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// request returns a request with a cache of its own.
func request(t *testing.T, dir string) render.Request {
	t.Helper()
	return render.Request{
		Dir: dir, Name: "app", Namespace: "apps", ModuleVersion: "1.0.0",
		Cache: &render.Cache{Dir: filepath.Join(t.TempDir(), "cache"), Program: "test"},
	}
}

// mustKeep builds twice, and returns the second result, which was kept.
func mustKeep(t *testing.T, req render.Request) *render.Result {
	t.Helper()
	var result *render.Result
	for range 2 {
		var err error
		if result, err = render.Build(t.Context(), req); err != nil {
			t.Fatal(err)
		}
	}
	if !render.IsKept(result) {
		t.Fatal("the result was not kept")
	}
	return result
}

// seen is all that a caller sees of a result.
type seen struct {
	Module, Values, Objects          string
	Stages, Images, Warnings, Scopes []string
	Origins                          []render.Origin
	Health                           []string
}

func see(r *render.Result) seen {
	s := seen{
		Module: r.ModulePath, Values: r.Values, Objects: string(api.YAML(r.Objects())),
		Images: r.Images, Warnings: r.Warnings, Scopes: r.ScopeWarnings,
	}
	for _, set := range r.Sets {
		s.Stages = append(s.Stages, fmt.Sprint(set.Name, len(set.Objects)))
	}
	for i, o := range r.Objects() {
		s.Origins = append(s.Origins, r.Origin(i, ""), r.Origin(i, "metadata.name"), r.Origin(i, "data.size"))
		live := o.DeepCopy()
		live["status"] = map[string]any{"conditions": []any{map[string]any{"type": "Ready", "status": "True"}}}
		health, known, err := r.Health(live)
		check, condition := r.HealthCondition(live)
		s.Health = append(s.Health, fmt.Sprint(health, known, err, check, condition))
	}
	return s
}

// TestCacheSame renders random modules with random values, without a cache, into
// one and from it: everything that a caller sees is the same.
func TestCacheSame(t *testing.T) {
	t.Parallel()
	n := 200
	if testing.Short() {
		n = 30
	}
	for seed := range n {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			t.Parallel()
			req := randomRequest(t, rand.New(rand.NewPCG(uint64(seed), 16)))
			kept := see(mustKeep(t, req))
			req.Cache = nil
			evaluated, err := render.Build(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(see(evaluated), kept); diff != "" {
				t.Errorf("(-evaluated +kept):\n%s", diff)
			}
		})
	}
}

// randomRequest returns a request for a module that renders without errors.
func randomRequest(t *testing.T, r *rand.Rand) render.Request {
	t.Helper()
	oneOf := func(texts ...string) string { return texts[r.IntN(len(texts))] }
	files := map[string]string{
		"cue.mod/module.cue": "module: \"timoni.sh/test\"\n" + oneOf("", "language: version: \"v0.9.0\"\n"),
		"timoni.cue":         randomModule(oneOf),
		"values.cue": "package main\n\n" + oneOf("", "// How many.\n") + "values: {\n\tsize: *1 | int\n\tname: \"web\"\n" +
			"\timage: {repository: \"example.com/web\", tag: \"1\", digest: \"\"}\n" + oneOf("", "\tlist: [1, 2.5, null]\n") + "}\n",
		"data.txt":                            oneOf("text", "two\nlines\n", "ünïcödé"),
		"cue.mod/pkg/example.com/lib/lib.cue": "package lib\n\n#Labels: {[string]: string, app: \"" + oneOf("a", "b") + "\"}\nUnused: 1 + 1\n",
	}
	req := request(t, fixture.Module(t, files))
	req.Name, req.Namespace = oneOf("app", "web"), oneOf("apps", "default")
	req.ModuleVersion, req.KubeVersion = oneOf("1.0.0", "", "2.0.0-rc.1"), oneOf("", "1.30.0", "1.36.3-gke.1")
	req.ObjectsOnly, req.Whole = r.IntN(4) == 0, r.IntN(4) == 0
	if r.IntN(3) == 0 {
		req.Scopes = []render.Scope{{Group: "example.com", Kind: "Widget", Namespaced: true}}
	}
	for range r.IntN(3) {
		req.Values = append(req.Values, randomValues(t, oneOf))
	}
	return req
}

func randomModule(oneOf func(...string) string) string {
	return `@extern(embed)

package main

import (
	"example.com/lib"
	"strings"
)
values: {size: int, name: string, image: {repository: string, tag: string, digest: string, reference: "\(repository):\(tag)"}, ...}

_text: string @embed(file=data.txt,type=text)

timoni: {
	apiVersion: "v1alpha1"
	instance: config: values & {metadata: {name: string @tag(name), namespace: string @tag(namespace)}, mv: string @tag(mv, var=moduleVersion), kv: string @tag(kv, var=kubeVersion)}
	apply: ` + oneOf("app", `"0 first"`) + `: [for i in [` + oneOf("1", "1, 2", "3, 2, 1") + `] {
		apiVersion: "v1"
		kind:       "ConfigMap"
		metadata: {name: "cm-\(i)", labels: lib.#Labels, ` + oneOf("", `creationTimestamp: null, uid: "x"`) + `}
		data: {size: "\(instance.config.size)", text: strings.ToUpper(_text), versions: "\(instance.config.mv) \(instance.config.kv)"}
	}, ` + oneOf("null", `{apiVersion: "apps/v1", kind: "Deployment", metadata: name: instance.config.name, spec: replicas: instance.config.size}`) + `]
	apply: second: [{
		apiVersion: "` + oneOf("example.com/v1", "unknown.example.com/v1") + `"
		kind:       "Widget"
		metadata: name: instance.config.metadata.name
		spec: {numbers: [1, -2, 2.5, 1e30, 9223372036854775807], flags: [true, false, null], empty: [{}, [], ""], image: instance.config.image.reference}
	}]
` + oneOf("", `	healthChecks: widget: #HealthCheckForCondition & {group: "example.com", kind: "Widget"}`+"\n",
		`	healthChecks: group: {group: "example.com", #object: {...}, current: #object.spec.image == instance.config.image.reference}`+"\n") + "}\n"
}

func randomValues(t *testing.T, oneOf func(...string) string) values.Source {
	t.Helper()
	size := oneOf("2", "3", "40")
	switch oneOf("yaml", "json", "cue", "wrapped", "set") {
	case "yaml":
		return values.Source{Stored: true, Name: "v.yaml", Format: values.YAML, Data: []byte("# A comment.\nsize: " + size + "\nextra:\n- " + oneOf("a", "b") + "\n")}
	case "json":
		return values.Source{Stored: true, Name: "v.json", Format: values.JSON, Data: []byte(`{"name": "` + oneOf("x", "y") + `"}`)}
	case "cue":
		return values.Source{Stored: true, Name: "v.cue", Format: values.CUE, Data: []byte("package main\n\n_n: " + size + "\nvalues: size: _n + 1\n")}
	case "wrapped":
		return values.Source{Stored: true, Name: "w", Data: []byte("values:\n  image:\n    tag: \"" + size + "\"\n  list: null\n")}
	}
	src, err := assignment.AsScalar.Source(t.Context(), "--set", "size="+size)
	if err != nil {
		t.Fatal(err)
	}
	return src
}
