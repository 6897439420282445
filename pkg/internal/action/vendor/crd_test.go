// SPDX-License-Identifier: Apache-2.0

package vendor_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/vendor"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// definition returns a CRD whose spec has the schema, in JSON.
func definition(scope, schema string) string {
	return `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  names: {kind: Thing, plural: things, singular: thing}
  scope: ` + scope + `
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: ` + schema + `}}}
`
}

// vendorCRD vendors a CRD into a new module.
func vendorCRD(t *testing.T, document string, limits render.Limits) error {
	t.Helper()
	dir := fixture.Module(t, nil)
	file := filepath.Join(t.TempDir(), "crd.yaml")
	fixture.Write(t, file, document)
	_, err := vendor.CRD(t.Context(), vendor.CRDRequest{
		Origin: vendor.Origin{Files: crd.Files{Names: []string{file}}}, Dir: dir, Limits: limits,
	})
	return err
}

// TestCRDLimits ends what takes too long.
func TestCRDLimits(t *testing.T) {
	t.Parallel()
	var properties strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&properties, "p%d: {type: string}, ", i)
	}
	err := vendorCRD(t, definition("Cluster", "{type: object, properties: {"+properties.String()+"}}"), render.Limits{Time: 1})
	const want = "things.example.com v1: its CUE definitions are not done after 1ns"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// TestCRDRules wants rules in CEL that compile.
func TestCRDRules(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ rule, err string }{
		"right":   {"self.a == 'x'", ""},
		"syntax":  {"self.a ==", "things.example.com v1: openAPIV3Schema.properties.spec.items.x-kubernetes-validations[0].rule: compilation failed: ERROR: <input>:1:10: Syntax error: "},
		"unknown": {"self.b == 'x'", "things.example.com v1: openAPIV3Schema.properties.spec.items.x-kubernetes-validations[0].rule: compilation failed: ERROR: <input>:1:5: undefined field 'b'"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			schema := fmt.Sprintf("{type: array, maxItems: 3, items: {type: object, properties: {a: {type: string, maxLength: 5}}, x-kubernetes-validations: [{rule: %q}]}}", tc.rule)
			err := vendorCRD(t, definition("Cluster", schema), render.Limits{})
			switch {
			case tc.err == "" && err != nil:
				t.Error(err)
			case tc.err != "" && (err == nil || !strings.HasPrefix(err.Error(), tc.err)):
				t.Errorf("error %v, want %s", err, tc.err)
			}
		})
	}
}
