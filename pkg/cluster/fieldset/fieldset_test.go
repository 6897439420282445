// SPDX-License-Identifier: Apache-2.0

package fieldset_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/fieldset"
)

// live is an object with a field of every shape: of maps, lists with keys of
// one and of two fields, sets and atomic lists, with names that need escapes.
const live = `
apiVersion: v1
kind: Thing
metadata:
  name: a
  uid: u-1
  finalizers: [x/y, other]
  annotations: {"a.b/c<d": one, other: two}
  managedFields:
  - manager: timoni
    operation: Apply
    apiVersion: v1
    fieldsType: FieldsV1
    fieldsV1:
      f:metadata:
        f:annotations: {"f:a.b/c<d": {}}
        f:finalizers: {'v:"x/y"': {}, 'v:"gone"': {}}
      f:spec:
        f:empty: {}
        f:missing: {}
        f:atomic: {}
        f:byIndex: {'i:0': {}}
        f:ports:
          'k:{"port":80,"protocol":"TCP"}': {.: {}, f:port: {}, f:name: {}}
          'k:{"port":81,"protocol":"TCP"}': {.: {}, f:port: {}}
        f:containers:
          .: {}
          'k:{"name":"c\u003c"}': {.: {}, f:name: {}, f:image: {}}
  - manager: robot
    operation: Update
    apiVersion: v1
    fieldsType: FieldsV1
    fieldsV1:
      f:metadata: {f:annotations: {f:other: {}}}
      f:spec: {f:ports: {'k:{"port":80,"protocol":"TCP"}': {f:extra: {}}}}
  - manager: kubectl-edit
    operation: Update
    apiVersion: v1
    fieldsType: FieldsV1
    fieldsV1:
      f:spec: {f:byHand: {.: {}, f:a: {}}, f:containers: {'k:{"name":"h"}': {.: {}, f:name: {}}}}
spec:
  empty: {}
  atomic: [1, {a: 2.5}]
  byIndex: [x, z]
  byHand: {a: 1}
  ports: [{port: 80, protocol: TCP, name: web, extra: true}]
  containers: [{name: "c<", image: "i:1", other: x}, {name: h}]
`

func object(t *testing.T, text string) api.Object {
	t.Helper()
	var o map[string]any
	if err := yaml.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func manager() fieldset.Manager { return fieldset.Manager{Name: "timoni"} }

// TestLedgersOfEarlierVersionsMatch holds that fingerprints and values are what
// version 95b8ed5 has left in ledgers.
func TestLedgersOfEarlierVersionsMatch(t *testing.T) {
	t.Parallel()
	o := object(t, live)
	metadata := o["metadata"].(map[string]any)
	byHand := metadata["managedFields"].([]any)
	metadata["managedFields"] = byHand[:2]
	const fingerprint = "uxFzRI9WpN1pVm8gW11Thw"
	if got := manager().Fingerprint(api.Object{"kind": "Thing", "data": map[string]any{"a<b": 1.5}}, o); got != fingerprint {
		t.Errorf("fingerprint %q, earlier versions have %q", got, fingerprint)
	}
	const values = `{"f:metadata":{"f:annotations":{"f:a.b/c\u003cd":"one"},"f:finalizers":{"v:\"gone\"":false,"v:\"x/y\"":true}},"f:spec":{"f:atomic":[1,{"a":2.5}],"f:byIndex":{"i:0":["x","z"]},"f:containers":{"k:{\"name\":\"c\\u003c\"}":{"f:image":"i:1","f:name":"c\u003c"}},"f:empty":{},"f:ports":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{"f:name":"web","f:port":80}}}}`
	text, err := json.Marshal(manager().Values(o))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(values, string(text)); diff != "" {
		t.Errorf("values (-earlier +got):\n%s", diff)
	}
	secret := object(t, `
apiVersion: v1
kind: Secret
metadata: {managedFields: [{manager: timoni, operation: Apply, fieldsV1: {f:stringData: {.: {}, f:a: {}}, f:data: {f:b: {}}}}]}
data: {a: YQ==, b: Yg==, c: Yw==}
`)
	if diff := cmp.Diff(fieldset.Values{"f:data": map[string]any{"f:a": "YQ==", "f:b": "Yg=="}}, manager().Values(secret)); diff != "" {
		t.Errorf("values of a Secret (-want +got):\n%s", diff)
	}
}

// TestValuesComeBack holds that values put over an object that has lost or
// changed them make it what it was, whatever their shape.
func TestValuesComeBack(t *testing.T) {
	t.Parallel()
	o := object(t, live)
	text, err := json.Marshal(manager().Values(o))
	if err != nil {
		t.Fatal(err)
	}
	values := fieldset.DecodeValues(text)
	for name, spec := range map[string]string{
		"changed": `{empty: {x: 1}, atomic: [], byIndex: [], byHand: {a: 1}, ports: [{port: 80, protocol: TCP, name: other, extra: true}], containers: [{name: "c<", image: other, other: x}, {name: h}]}`,
	} {
		changed := o.DeepCopy()
		changed["spec"] = map[string]any(object(t, spec))
		got := values.Over(changed)
		want := o.DeepCopy()
		want["spec"].(map[string]any)["empty"] = map[string]any{"x": int64(1)}
		if diff := cmp.Diff(asJSON(t, want["spec"]), asJSON(t, got["spec"])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	bare := values.Over(api.Object{"kind": "Thing"})
	want := `{"kind":"Thing","metadata":{"annotations":{"a.b/c\u003cd":"one"},"finalizers":["x/y"]},"spec":{"atomic":[1,{"a":2.5}],"byIndex":["x","z"],` +
		`"containers":[{"image":"i:1","name":"c\u003c"}],"empty":{},"ports":[{"name":"web","port":80,"protocol":"TCP"}]}}`
	if diff := cmp.Diff(want, asJSON(t, bare)); diff != "" {
		t.Errorf("of nothing (-want +got):\n%s", diff)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestOwners(t *testing.T) {
	t.Parallel()
	o := object(t, live)
	owners, err := manager().Owners(o)
	if err != nil {
		t.Fatal(err)
	}
	rest := fieldset.Without(o, owners.Taken)
	if _, left := rest["spec"].(map[string]any)["byHand"]; left {
		t.Error("a field that kubectl edit added is left")
	}
	if got := asJSON(t, rest["spec"].(map[string]any)["containers"]); got != `[{"image":"i:1","name":"c\u003c","other":"x"}]` {
		t.Errorf("containers %s", got)
	}
	want := []fieldset.Addition{
		{Manager: "robot", Path: ".metadata.annotations.other"},
		{Manager: "robot", Path: ".spec.ports[port=80,protocol=TCP].extra"},
	}
	if diff := cmp.Diff(want, owners.Added(manager().Values(o))); diff != "" {
		t.Errorf("added (-want +got):\n%s", diff)
	}
}
