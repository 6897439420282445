// SPDX-License-Identifier: Apache-2.0

package cel_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd/cel"
)

const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  names: {kind: Thing, plural: things, singular: thing}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        x-kubernetes-validations: [{rule: "self.metadata.name != 'never'", message: another name}]
        properties:
          spec:
            type: object
            x-kubernetes-validations:
            - {rule: "self.min <= self.max", message: min must not be above max}
            - {rule: "!has(self.old) || self.old == oldSelf.old", message: old cannot be changed}
            properties:
              min: {type: integer}
              max: {type: integer, default: 3}
              old: {type: string}
              list: {type: array, maxItems: 5, items: {type: string, maxLength: 9, x-kubernetes-validations: [{rule: "self.startsWith('x')"}]}}
  - name: v2
    served: true
    storage: false
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object}}}}
  - name: v3
    served: true
    storage: false
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, x-kubernetes-validations: [{rule: "self.nothing"}]}}}}
`

func TestValidate(t *testing.T) {
	t.Parallel()
	definitions, err := crd.Parse([]byte(definition))
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		version, name string
		spec          map[string]any
		want          []string
	}{
		"right":        {"v1", "x", map[string]any{"min": int64(2), "list": []any{"x1"}}, nil},
		"a default":    {"v1", "x", map[string]any{"min": int64(4)}, []string{"Thing.example.com/ns/x: spec: min must not be above max (CRD things.example.com v1)"}},
		"no change":    {"v1", "x", map[string]any{"min": int64(2), "old": "x"}, nil},
		"an item":      {"v1", "x", map[string]any{"min": int64(2), "list": []any{"x1", "y1"}}, []string{"Thing.example.com/ns/x: spec.list[1]: failed rule: self.startsWith('x') (CRD things.example.com v1)"}},
		"the root":     {"v1", "never", map[string]any{"min": int64(2)}, []string{"Thing.example.com/ns/never: another name (CRD things.example.com v1)"}},
		"no rules":     {"v2", "x", map[string]any{}, nil},
		"no version":   {"v4", "x", map[string]any{}, nil},
		"a bad rule":   {"v3", "x", map[string]any{}, []string{"undefined field 'nothing'"}},
		"nothing else": {"v1", "x", map[string]any{"min": int64(3)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			object := api.Object{"apiVersion": "example.com/" + tc.version, "kind": "Thing",
				"metadata": map[string]any{"name": tc.name, "namespace": "ns"}, "spec": tc.spec}
			var got []string
			for _, p := range cel.New().Validate(t.Context(), definitions[0], object) {
				got = append(got, p.String())
			}
			if name == "a bad rule" && len(got) == 1 && strings.Contains(got[0], tc.want[0]) {
				return
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
