// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/advice/moduleadvice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

func mustBuild(t *testing.T, dir string) *render.Result {
	t.Helper()
	result, err := render.Build(t.Context(), render.Request{Dir: dir, Name: "app", Namespace: "apps", ModuleVersion: "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

const healthModule = `package main

timoni: {
	apiVersion: "v1alpha1"
	instance: config: {}
	apply: {}
	healthChecks: {
		group: {
			group: "example.com"
			#object: {...}
			current: #object.status.ready
		}
		kind: #HealthCheckForCondition & {group: "example.com", kind: "Conditioned"}
		full: {
			group: "full.example.com"
			#object: {...}
			inProgress: #object.status.phase == "Pending"
			failed:     #object.status.phase == "Failed" || #object.status.phase == "Pending"
			current:    true
		}
		broken: {
			group: "broken.example.com"
			#object: {...}
			current: #object.status.n > 1
		}
	}
}
`

func TestHealth(t *testing.T) {
	t.Parallel()
	dir := fixture.Module(t, map[string]string{"timoni.cue": healthModule})
	t.Run("evaluated", func(t *testing.T) { t.Parallel(); testHealth(t, mustBuild(t, dir)) })
	t.Run("kept", func(t *testing.T) { t.Parallel(); testHealth(t, mustKeep(t, request(t, dir))) })
	t.Run("restored", func(t *testing.T) { t.Parallel(); testHealth(t, mustRestore(t, mustBuild(t, dir))) })
	t.Run("restored twice", func(t *testing.T) {
		t.Parallel()
		testHealth(t, mustRestore(t, mustRestore(t, mustBuild(t, dir))))
	})
}

// mustRestore returns what is left of a result when its module is gone.
func mustRestore(t *testing.T, result *render.Result) *render.Result {
	t.Helper()
	kept, ok := result.Rendering()
	if !ok {
		t.Fatal("a health check cannot be kept")
	}
	text, err := json.Marshal(kept)
	if err != nil {
		t.Fatal(err)
	}
	if kept, err = api.ParseRendering(text); err != nil {
		t.Fatal(err)
	}
	restored := render.Restore(kept, render.Limits{})
	if diff := cmp.Diff(result.Objects(), restored.Objects()); diff != "" {
		t.Errorf("(-rendered +restored)\n%s", diff)
	}
	return restored
}

func TestRestoreKeepsObjects(t *testing.T) {
	t.Parallel()
	dir := fixture.Module(t, map[string]string{"timoni.cue": `package main

timoni: {
	apiVersion: "v1alpha1"
	instance: config: {}
	apply: first: [{apiVersion: "v1", kind: "ConfigMap", metadata: name: "a", data: text: "<&>"}]
	apply: second: [{apiVersion: "example.com/v1", kind: "Widget", metadata: name: "w", spec: {n: 9007199254740993, x: 0.1, y: 2.0, on: true, none: null, big: 1e30}}]
}
`})
	result := mustBuild(t, dir)
	restored := mustRestore(t, result)
	for i, set := range result.Sets {
		if restored.Sets[i].Name != set.Name {
			t.Errorf("stage %d is %q, want %q", i, restored.Sets[i].Name, set.Name)
		}
	}
}

func testHealth(t *testing.T, result *render.Result) {
	t.Helper()
	object := func(apiVersion, kind string, status any) api.Object {
		o := api.Object{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": "x", "generation": int64(2)}}
		if status != nil {
			o["status"] = status
		}
		return o
	}
	condition := func(kind, status string, generation int64) map[string]any {
		return map[string]any{"conditions": []any{map[string]any{"type": kind, "status": status, "observedGeneration": generation}}}
	}
	for name, tc := range map[string]struct {
		object api.Object
		want   api.Health
		known  bool
		err    string
	}{
		"no check":          {object("v1", "ConfigMap", nil), "", false, ""},
		"incomplete":        {object("example.com/v1", "Thing", nil), api.HealthInProgress, true, ""},
		"not current":       {object("example.com/v1", "Thing", map[string]any{"ready": false}), api.HealthInProgress, true, ""},
		"current":           {object("example.com/v1beta1", "Thing", map[string]any{"ready": true}), api.HealthCurrent, true, ""},
		"kind before group": {object("example.com/v1", "Conditioned", map[string]any{"ready": true}), api.HealthInProgress, true, ""},
		"condition":         {object("example.com/v1", "Conditioned", condition("Ready", "True", 2)), api.HealthCurrent, true, ""},
		"old condition":     {object("example.com/v1", "Conditioned", condition("Ready", "True", 1)), api.HealthInProgress, true, ""},
		"failed condition":  {object("example.com/v1", "Conditioned", condition("Stalled", "True", 2)), api.HealthFailed, true, ""},
		"in progress first": {object("full.example.com/v1", "Thing", map[string]any{"phase": "Pending"}), api.HealthInProgress, true, ""},
		"failed second":     {object("full.example.com/v1", "Thing", map[string]any{"phase": "Failed"}), api.HealthFailed, true, ""},
		"current last":      {object("full.example.com/v1", "Thing", map[string]any{"phase": "x"}), api.HealthCurrent, true, ""},
		"error":             {object("broken.example.com/v1", "Thing", map[string]any{"n": "text"}), "", true, `health check "broken" of Thing.broken.example.com/x: current:`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Several at once, since the wait evaluates checks as events come in.
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					got, known, err := result.Health(tc.object)
					if got != tc.want || known != tc.known {
						t.Errorf("Health = %q, %v, want %q, %v", got, known, tc.want, tc.known)
					}
					if (err != nil) != (tc.err != "") || err != nil && !strings.Contains(err.Error(), tc.err) {
						t.Errorf("error %v, want %q", err, tc.err)
					}
				})
			}
			wg.Wait()
		})
	}
}

// TestDeterministic holds that a module renders to the same bytes, with links
// in cue.mod, from an absolute and from a relative path.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	shared := t.TempDir()
	fixture.Write(t, filepath.Join(shared, "example.com", "gen", "a.cue"), "package gen\n\n#CM: {apiVersion: \"v1\", kind: \"ConfigMap\", ...}\n")
	dir := fixture.Module(t, map[string]string{"timoni.cue": `package main

import "example.com/gen"

timoni: {
	apiVersion: "v1alpha1"
	instance: config: {}
	apply: app: [for n in ["c", "a", "b"] {gen.#CM & {metadata: name: n, data: {z: "1", y: "2"}}}]
}
`})
	if err := os.Symlink(shared, filepath.Join(dir, "cue.mod", "gen")); err != nil {
		t.Fatal(err)
	}
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	relative, err := filepath.Rel(wd, dir)
	if err != nil {
		t.Fatal(err)
	}
	first := string(api.YAML(mustBuild(t, dir).Objects()))
	if !strings.Contains(first, "name: c\n") {
		t.Fatalf("rendered:\n%s", first)
	}
	for range 5 {
		if diff := cmp.Diff(first, string(api.YAML(mustBuild(t, relative).Objects()))); diff != "" {
			t.Fatalf("(-first +next):\n%s", diff)
		}
	}
}

func TestErrNoModule(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	fixture.Write(t, file, "")
	for name, dir := range map[string]string{"empty": dir, "file": file} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := render.Build(t.Context(), render.Request{Dir: dir})
			if !errors.Is(err, render.ErrNoModule) || fail.CodeOf(err) != fail.Failed {
				t.Errorf("error %v with code %d", err, fail.CodeOf(err))
			}
		})
	}
	_, err := render.Build(t.Context(), render.Request{Dir: dir})
	if hints := fail.HintsOf(fail.Advise(err, moduleadvice.For)); len(hints) != 1 || !strings.Contains(hints[0], "mod init") {
		t.Errorf("hints %q", hints)
	}
}

// TestTwiceNames holds that an error names the object, also when the words of its
// name stand in the user's values.
func TestTwiceNames(t *testing.T) {
	t.Parallel()
	req := request(t, fixture.Dir(t, map[string]string{
		"cue.mod/module.cue": "module: \"timoni.sh/test\"\nlanguage: version: \"v0.9.0\"\n",
		"values.cue":         "package main\n\nvalues: {objs: [...]}\n",
		"timoni.cue":         "package main\n\ntimoni: {apiVersion: \"v1alpha1\", instance: config: {}, apply: app: values.objs}\n",
	}))
	req.Values = []values.Source{{Name: "v.json", Format: values.JSON, Data: []byte(
		`{"objs": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "app"}, "data": {"x": "1", "password": "hunter2"}},
{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "app"}, "data": {"x": "2", "password": "hunter2"}}]}`)}}
	_, err := render.Build(t.Context(), req)
	if err == nil || !strings.Contains(err.Error(), "ConfigMap/") || !strings.Contains(err.Error(), "it is also timoni.apply.app[0]") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %v", err)
	}
}
