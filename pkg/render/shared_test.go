// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/values"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// TestShared holds that renderings that share a module are those that each has
// alone, be it objects or errors with their places: also when a later one
// refers to more of the vendored packages, and when an earlier one failed.
func TestShared(t *testing.T) {
	t.Parallel()
	minimal := []string{
		"", "values: test: enabled: true\n", "values: replicas: 3\n", "values: mesage: \"x\"\n",
		"import \"strings\"\n\nvalues: message: strings.ToUpper(\"hi\")\n", "values: message: 1\n", "values: message: \"bye\"\n",
	}
	for name, tc := range map[string]struct {
		dir    string
		values []string // of one instance each
	}{
		"minimal":  {"../../test/modules/minimal", minimal},
		"stages":   {"../../test/modules/stages", []string{"", "values: message: 1\n", "values: message: \"bye\"\n"}},
		"embed":    {"../../test/modules/embed", []string{"", "values: nothing: 1\n", ""}},
		"more":     {fixture.Module(t, moreModule), []string{"values: {a: 1, b: 1}\n", "values: b: 1\n", "", "values: a: 2\n", "values: {a: 1, b: 2}\n"}},
		"mistaken": {fixture.Module(t, moreModule), []string{"values: {a: 1, b: 1}\n", "values: b: \"x\"\n", "values: c: 1\n", "values: {a: 1, b: 1}\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shared := &render.Shared{}
			for i, text := range tc.values {
				req := render.Request{Dir: tc.dir, Name: fmt.Sprintf("app-%d", i), Namespace: fmt.Sprintf("ns-%d", i), ModuleVersion: "1.0.0"}
				if text != "" {
					req.Values = []values.Source{sourceOf(text)}
				}
				alone, aloneErr := render.Build(t.Context(), req)
				req.Shared = shared
				together, err := render.Build(t.Context(), req)
				if diff := cmp.Diff(describe(alone, aloneErr), describe(together, err)); diff != "" {
					t.Errorf("instance %d (-alone +together):\n%s", i, diff)
				}
			}
		})
	}
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
