// SPDX-License-Identifier: Apache-2.0

package fieldset_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/fieldset"
)

// TestPrepare holds what is left out of an object that is applied, and that it
// is nothing else.
func TestPrepare(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ object, want string }{
		"stringData wins": {
			"{apiVersion: v1, kind: Secret, data: {a: YQ==, b: Yg==}, stringData: {a: x, c: ''}}",
			"{apiVersion: v1, kind: Secret, data: {a: eA==, b: Yg==, c: ''}}",
		},
		"stringData that the server refuses": {
			"{apiVersion: v1, kind: Secret, stringData: {a: 1}}", "{apiVersion: v1, kind: Secret, stringData: {a: 1}}",
		},
		"data that the server refuses": {
			"{apiVersion: v1, kind: Secret, data: x, stringData: {a: x}}", "{apiVersion: v1, kind: Secret, data: x, stringData: {a: x}}",
		},
		"stringData of another kind": {
			"{apiVersion: v1, kind: ConfigMap, stringData: {a: x}}", "{apiVersion: v1, kind: ConfigMap, stringData: {a: x}}",
		},
		"aggregated role": {
			"{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, aggregationRule: {}, rules: [{verbs: [get]}]}",
			"{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, aggregationRule: {}}",
		},
		"role": {
			"{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, rules: []}",
			"{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, rules: []}",
		},
		"webhooks": {
			"{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, webhooks: [{name: a, clientConfig: {url: '', caBundle: ''}}, {name: b, clientConfig: {caBundle: YQ==}}, {name: c, clientConfig: {caBundle: null}}, x]}",
			"{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, webhooks: [{name: a, clientConfig: {url: ''}}, {name: b, clientConfig: {caBundle: YQ==}}, {name: c, clientConfig: {}}, x]}",
		},
		"mutating webhooks": {
			"{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, webhooks: [{clientConfig: {service: {}, caBundle: ''}}]}",
			"{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, webhooks: [{clientConfig: {service: {}}}]}",
		},
		"aggregated API": {
			"{apiVersion: apiregistration.k8s.io/v1, kind: APIService, spec: {caBundle: '', group: ''}}",
			"{apiVersion: apiregistration.k8s.io/v1, kind: APIService, spec: {group: ''}}",
		},
		"conversion": {
			"{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, spec: {conversion: {webhook: {clientConfig: {caBundle: '', url: ''}}}}}",
			"{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, spec: {conversion: {webhook: {clientConfig: {url: ''}}}}}",
		},
		"no conversion": {
			"{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, spec: {conversion: x}}",
			"{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, spec: {conversion: x}}",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := object(t, tc.object)
			fieldset.Prepare(o)
			if diff := cmp.Diff(object(t, tc.want), o); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestMove holds which fields become ours before an apply, and what the apply
// then leaves of the object.
func TestMove(t *testing.T) {
	t.Parallel()
	const restarted = "{manager: kubectl-rollout, operation: Update, fieldsV1: {f:spec: {f:template: {f:metadata: {f:annotations: {.: {}, f:kubectl.kubernetes.io/restartedAt: {}}}}}}}"
	for name, tc := range map[string]struct{ object, ours, reason, after string }{
		"ours and a controller's": {
			object: "{metadata: {managedFields: [{manager: timoni, operation: Apply, fieldsV1: {f:a: {}}}, {manager: robot, operation: Update, fieldsV1: {f:b: {}}}]}}",
		},
		"a tool's": {
			object: "{metadata: {managedFields: [{manager: timoni, operation: Apply, fieldsV1: {f:a: {}}}, {manager: kubectl-edit, operation: Update, fieldsV1: {f:b: {}, f:c: {}}}, {manager: robot, operation: Update, fieldsV1: {f:c: {}}}]}, a: 1, b: 1, c: 1}",
			ours:   `{"f:a":{},"f:b":{},"f:c":{}}`, reason: "fields written by kubectl-edit are taken back", after: `{"c":1}`,
		},
		"a restart": {object: "{metadata: {managedFields: [" + restarted + "]}}"},
		"a restart and an edit": {
			object: "{metadata: {managedFields: [" + restarted + ", {manager: kubectl-edit, operation: Update, fieldsV1: {f:b: {}}}]}, b: 1, spec: {template: {metadata: {annotations: {kubectl.kubernetes.io/restartedAt: x}}}}}",
			ours:   `{"f:b":{}}`, reason: "fields written by kubectl-edit are taken back", after: `{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"x"}}}}}`,
		},
		"stringData": {
			object: "{apiVersion: v1, kind: Secret, metadata: {managedFields: [{manager: timoni, operation: Apply, fieldsV1: {f:type: {}, f:stringData: {.: {}, f:a: {}}, f:data: {f:b: {}}}}]}, data: {a: YQ==, b: Yg==, c: Yw==}}",
			ours:   `{"f:data":{"f:a":{},"f:b":{}},"f:type":{}}`, reason: "what was applied as stringData is applied as data", after: `{"apiVersion":"v1","kind":"Secret"}`,
		},
		"stringData of another kind": {
			object: "{apiVersion: v1, kind: Other, metadata: {managedFields: [{manager: timoni, operation: Apply, fieldsV1: {f:stringData: {f:a: {}}}}]}}",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := object(t, tc.object)
			move, err := manager().Move(o, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := move.Reason(); got != tc.reason {
				t.Errorf("reason %q, want %q", got, tc.reason)
			}
			if (move.Entries != nil) != (tc.ours != "") {
				t.Fatalf("entries %v", move.Entries)
			}
			if tc.ours == "" {
				return
			}
			last := move.Entries[len(move.Entries)-1].(map[string]any)
			if got := asJSON(t, last["fieldsV1"]); got != tc.ours {
				t.Errorf("ours %s, want %s", got, tc.ours)
			}
			// Nothing is applied: of what moved, only the others' is left.
			got := o.DeepCopy()
			entries := got["metadata"].(map[string]any)["managedFields"].([]any)
			if first := entries[0].(map[string]any); first["manager"] == "timoni" {
				got["metadata"].(map[string]any)["managedFields"] = entries[1:]
			}
			after, err := manager().After(move, got)
			if err != nil {
				t.Fatal(err)
			}
			delete(after, "metadata")
			if got := asJSON(t, after); got != tc.after {
				t.Errorf("after %s, want %s", got, tc.after)
			}
		})
	}
}

// TestExpected holds what of the values of the last apply a controller may
// change without a word.
func TestExpected(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ object, values, want string }{
		"aggregated role": {
			"{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, aggregationRule: {}}", `{"f:rules":[],"f:aggregationRule":{}}`, `{"f:aggregationRule":{}}`,
		},
		"role": {"{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole}", `{"f:rules":[]}`, `{"f:rules":[]}`},
		"webhooks": {
			"{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, webhooks: [{name: a, clientConfig: {caBundle: YQ==}}, {name: b, clientConfig: {caBundle: YQ==}}]}",
			`{"f:webhooks":{"k:{\"name\":\"a\"}":{"f:clientConfig":{"f:caBundle":"","f:url":""}},"k:{\"name\":\"b\"}":{"f:clientConfig":{"f:caBundle":"Yg=="}}}}`,
			`{"f:webhooks":{"k:{\"name\":\"a\"}":{"f:clientConfig":{"f:url":""}},"k:{\"name\":\"b\"}":{"f:clientConfig":{"f:caBundle":"Yg=="}}}}`,
		},
		"scaled": {
			"{metadata: {managedFields: [{manager: a, operation: Update, subresource: scale, fieldsV1: {f:spec: {f:replicas: {}}}}]}}",
			`{"f:spec":{"f:replicas":1,"f:other":1}}`, `{"f:spec":{"f:other":1}}`,
		},
		"not scaled": {"{}", `{"f:spec":{"f:replicas":1}}`, `{"f:spec":{"f:replicas":1}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := manager().Expected(fieldset.DecodeValues(json.RawMessage(tc.values)), object(t, tc.object))
			if diff := cmp.Diff(tc.want, asJSON(t, got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestDefaults holds which fields of an object may be dropped when the server
// refuses an apply: what it has defaulted, and neither what a manager has
// written nor what the apply sets.
func TestDefaults(t *testing.T) {
	t.Parallel()
	const pods = "spec: {template: {spec: {volumes: [{name: a, emptyDir: {}}, {name: b, emptyDir: {}}]}}}"
	for name, tc := range map[string]struct {
		object, applied string
		refused         []string
		want            string
	}{
		"a field that is named": {
			"{spec: {strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1}}}}",
			"{f:spec: {f:strategy: {f:type: {}}}}", []string{"spec.strategy.rollingUpdate"}, "{f:spec: {f:strategy: {f:rollingUpdate: {}}}}",
		},
		"one that a manager has written": {
			"{metadata: {managedFields: [{manager: robot, operation: Update, fieldsV1: {f:spec: {f:strategy: {f:rollingUpdate: {f:maxSurge: {}}}}}}]}, spec: {strategy: {rollingUpdate: {maxSurge: 1}}}}",
			"{f:spec: {f:strategy: {f:type: {}}}}", []string{"spec.strategy.rollingUpdate"}, "",
		},
		"one that the apply sets": {
			"{spec: {strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}}}",
			"{f:spec: {f:strategy: {f:type: {}, f:rollingUpdate: {f:maxSurge: {}}}}}", []string{"spec.strategy.rollingUpdate"}, "",
		},
		"next to one that the apply sets": {
			"{" + pods + "}", `{f:spec: {f:template: {f:spec: {f:volumes: {'k:{"name":"a"}': {.: {}, f:name: {}, f:secret: {}}, 'k:{"name":"b"}': {.: {}, f:name: {}}, 'k:{"name":"c"}': {.: {}, f:name: {}}}}}}}`,
			[]string{"spec.template.spec.volumes[7].secret"}, `{f:spec: {f:template: {f:spec: {f:volumes: {'k:{"name":"a"}': {f:emptyDir: {}}}}}}}`,
		},
		"a field at the top":          {"{spec: {a: 1}, data: {}}", "{f:spec: {}}", []string{"spec", "data", ""}, ""},
		"metadata":                    {"{metadata: {generation: 1}}", "{}", []string{"metadata.generation"}, ""},
		"a field that does not exist": {"{spec: {a: x}}", "{f:spec: {f:b: {}}}", []string{"spec.a.b.c", "spec.c", "spec[0].a", "[]", "a[[0].b"}, ""},
		"the parent of an index":      {"{spec: {ips: [x], other: x}}", "{f:spec: {f:ip: {}}}", []string{"spec.ips[0]"}, "{f:spec: {f:ips: {}}}"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set := func(text string) *fieldpath.Set {
				s := fieldpath.NewSet()
				if err := s.FromJSON(strings.NewReader(asJSON(t, object(t, text)))); err != nil {
					t.Fatal(err)
				}
				return s
			}
			got := manager().Defaults(object(t, tc.object), set(tc.applied), tc.refused)
			if tc.want == "" {
				if got != nil {
					t.Errorf("dropped %s", got)
				}
				return
			}
			if got == nil || !got.Equals(set(tc.want)) {
				t.Errorf("dropped %s, want %s", got, set(tc.want))
			}
		})
	}
}
