// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// TestBuildAll holds that instances of a module are those that each is alone, be
// it objects or errors with their places: also when one refers to more of the
// vendored packages than those before, and when one before has failed.
func TestBuildAll(t *testing.T) {
	t.Parallel()
	minimal := []string{
		"", "values: test: enabled: true\n", "values: replicas: 3\n", "values: mesage: \"x\"\n",
		"import \"strings\"\n\nvalues: message: strings.ToUpper(\"hi\")\n", "values: message: 1\n", "values: message: \"bye\"\n",
	}
	for name, tc := range map[string]struct {
		dir    string
		values []string // of one instance each
	}{
		"minimal":  {"../../../test/modules/minimal", minimal},
		"stages":   {"../../../test/modules/stages", []string{"", "values: message: 1\n", "values: message: \"bye\"\n"}},
		"embed":    {"../../../test/modules/embed", []string{"", "values: nothing: 1\n", ""}},
		"more":     {fixture.Module(t, moreModule), []string{"values: {a: 1, b: 1}\n", "values: b: 1\n", "", "values: a: 2\n", "values: {a: 1, b: 2}\n"}},
		"mistaken": {fixture.Module(t, moreModule), []string{"values: {a: 1, b: 1}\n", "values: b: \"x\"\n", "values: c: 1\n", "values: {a: 1, b: 1}\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reqs := requests(tc.dir, tc.values)
			for i, together := range render.BuildAll(t.Context(), reqs) {
				want := describe(render.Build(t.Context(), reqs[i]))
				if diff := cmp.Diff(want, describe(together.Result, together.Err)); diff != "" {
					t.Errorf("instance %d (-alone +together):\n%s", i, diff)
				}
			}
		})
	}
}

// TestBuildMany holds the same of one evaluation, which BuildAll leaves out
// for modules that are slow, as all are on a busy machine, and after an error.
func TestBuildMany(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		dir     string
		values  []string // of one instance each
		mistake string
	}{
		"minimal": {"../../../test/modules/minimal", []string{"", "values: replicas: 3\n", "values: message: \"bye\"\n", ""}, "values: mesage: \"x\"\n"},
		"stages":  {"../../../test/modules/stages", []string{"", "values: widget: size: 2\n"}, "values: message: 1\n"},
		"embed":   {"../../../test/modules/embed", []string{"", ""}, "values: nothing: 1\n"},
		"more":    {fixture.Module(t, moreModule), []string{"", "values: a: 2\n", "values: b: 3\n"}, "values: b: \"x\"\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reqs := requests(tc.dir, tc.values)
			results, err := render.BuildMany(t.Context(), slices.Clone(reqs))
			if err != nil {
				t.Fatal(err)
			}
			for i, req := range reqs {
				if diff := cmp.Diff(describe(render.Build(t.Context(), req)), describe(results[i], nil)); diff != "" {
					t.Errorf("instance %d (-alone +together):\n%s", i, diff)
				}
			}
			if _, err := render.BuildMany(t.Context(), requests(tc.dir, []string{"", tc.mistake})); err == nil {
				t.Errorf("%q is no error", tc.mistake)
			}
		})
	}
}

// requests returns requests for instances of a module, each with its values.
// All have one name, which those in different namespaces may have.
func requests(dir string, texts []string) []render.Request {
	reqs := make([]render.Request, len(texts))
	for i, text := range texts {
		reqs[i] = render.Request{Dir: dir, Name: "app", Namespace: fmt.Sprintf("ns-%d", i), ModuleVersion: "1.0.0"}
		if text != "" {
			reqs[i].Values = []values.Source{sourceOf(text)}
		}
	}
	return reqs
}

// moreModule refers to fields of a vendored package in values that stand unless
// others take their place. That one is missing would be no error.
var moreModule = map[string]string{
	"cue.mod/gen/example.com/v/v.cue": "package v\n\nA: 10\nB: 20\n",
	"values.cue":                      "package main\n\nimport \"example.com/v\"\n\nvalues: {\n\ta: *v.A | 0\n\tb: *v.B | 0\n}\n",
	"timoni.cue": `package main

import "encoding/json"

values: {a: int, b: int}
timoni: {
	apiVersion: "v1alpha1"
	instance: config: metadata: name: string @tag(name)
	apply: app: [{
		apiVersion: "v1"
		kind:       "ConfigMap"
		metadata: name: instance.config.metadata.name
		data: used: json.Marshal(values)
	}]
}
`,
}
