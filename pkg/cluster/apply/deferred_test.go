// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// TestDeferred holds decision 1: what a dry run cannot decide yet is deferred,
// with the reason.
func TestDeferred(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	req := w.request(`
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: default, namespace: NS}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: v1
kind: Namespace
metadata: {name: NS-more}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: inside, namespace: NS-more}
`, strings.ReplaceAll(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.GROUP}
spec:
  group: GROUP
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
---
apiVersion: GROUP/v1
kind: Gadget
metadata: {name: a}
---
apiVersion: operator.example.com/v1
kind: Unheard
metadata: {name: a}
`, "GROUP", w.ns+".example.com"))
	plan, err := w.engine.Plan(t.Context(), req)
	if err != nil || plan.Refusal() != nil {
		t.Fatal(err, plan.Refusal())
	}
	want := map[string]string{
		"RoleBinding": "its role is changed by this run",
		"ConfigMap":   fmt.Sprintf("namespace %q is created by this run", w.ns+"-more"),
		"Gadget":      "its CustomResourceDefinition is changed by this run",
		"Unheard":     "its kind is unknown, an earlier stage may install it",
	}
	for _, o := range apply.Outcomes(plan.Steps) {
		if o.Reason != want[o.Kind] {
			t.Errorf("%s %s: %q, want %q", o.Object, o.Action, o.Reason, want[o.Kind])
		}
	}
}

// TestAllRefusalsAreTold holds that a refused plan names everything that is
// wrong, also with what goes into a namespace that does not exist yet, and that
// nothing is written.
func TestAllRefusalsAreTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	req := w.request(configMap("good", "x")+`---
apiVersion: v1
kind: Service
metadata: {name: bad}
spec: {ports: [{port: 99999}]}
---
apiVersion: nowhere.example.com/v1
kind: Unheard
metadata: {name: a}
---
apiVersion: v1
kind: Namespace
metadata: {name: NS-none}
`, `
apiVersion: v1
kind: Service
metadata: {name: inside, namespace: NS-none}
spec: {ports: [{port: 88888}]}
`)
	since := w.mark()
	_, err := w.engine.Apply(t.Context(), req)
	for _, part := range []string{"99999", "the server has no kind Unheard", "Service/" + w.ns + "-none/inside: ", "88888"} {
		if codeOf(err) != fail.Failed || !strings.Contains(fmt.Sprint(err), part) {
			t.Errorf("error %v (code %d), want one with %q", err, codeOf(err), part)
		}
	}
	if got := w.writes(since); got != nil {
		t.Errorf("a refused plan wrote %q", got)
	}
}
