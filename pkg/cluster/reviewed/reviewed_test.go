// SPDX-License-Identifier: Apache-2.0

package reviewed_test

import (
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/reviewed"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

const live = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app
  uid: u
  resourceVersion: "1"
  generation: 1
  creationTimestamp: "2026-01-01T00:00:00Z"
  labels: {a: b}
  managedFields:
  - {manager: timoni, operation: Apply, apiVersion: apps/v1, time: "2026-01-01T00:00:00Z", fieldsType: FieldsV1, fieldsV1: {"f:spec": {"f:replicas": {}}}}
spec: {replicas: 1, paused: true}
status: {observedGeneration: 1}
`

func object(t *testing.T, text string) api.Object {
	t.Helper()
	var o map[string]any
	if err := yaml.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func step(before api.Object) reviewed.Step {
	outcome := event.Outcome{Object: before.Ref(), Action: event.Configured}
	return reviewed.StepOf(outcome, before, before, nil, func(api.Object) string { return "" })
}

// TestLive holds which changes of a live object count.
func TestLive(t *testing.T) {
	t.Parallel()
	metadata := func(o api.Object) map[string]any { return o["metadata"].(map[string]any) }
	entry := func(o api.Object) map[string]any { return metadata(o)["managedFields"].([]any)[0].(map[string]any) }
	add := func(o api.Object, entry map[string]any) {
		metadata(o)["managedFields"] = append(metadata(o)["managedFields"].([]any), entry)
	}
	for name, tc := range map[string]struct {
		change func(api.Object)
		counts bool
	}{
		"status":            {func(o api.Object) { o["status"] = map[string]any{"replicas": 1.0} }, false},
		"version":           {func(o api.Object) { metadata(o)["resourceVersion"] = "2" }, false},
		"generation":        {func(o api.Object) { metadata(o)["generation"] = 2.0 }, false},
		"time of a manager": {func(o api.Object) { entry(o)["time"] = "2026-02-02T00:00:00Z" }, false},
		"manager of the status": {func(o api.Object) {
			add(o, map[string]any{"manager": "c", "subresource": "status", "fieldsV1": map[string]any{"f:metadata": map[string]any{"f:annotations": map[string]any{"f:revision": map[string]any{}}}}})
			o.SetAnnotation("revision", "1")
		}, false},
		"manager of the scale": {func(o api.Object) {
			add(o, map[string]any{"manager": "hpa", "subresource": "scale", "fieldsV1": map[string]any{"f:spec": map[string]any{"f:replicas": map[string]any{}}}})
			entry(o)["fieldsV1"] = map[string]any{}
		}, false},
		"spec":             {func(o api.Object) { o["spec"].(map[string]any)["paused"] = false }, true},
		"label":            {func(o api.Object) { o.SetLabel("c", "d") }, true},
		"annotation":       {func(o api.Object) { o.SetAnnotation("c", "d") }, true},
		"another manager":  {func(o api.Object) { add(o, map[string]any{"manager": "other", "operation": "Update"}) }, true},
		"field of another": {func(o api.Object) { entry(o)["manager"] = "other" }, true},
	} {
		o := object(t, live)
		tc.change(o)
		if got := step(object(t, live)).Before != step(o).Before; got != tc.counts {
			t.Errorf("%s: it counts: %v", name, got)
		}
	}
}

// TestSecret holds that no digest depends on the data of a live Secret, which could
// be guessed from it, and that a change of it counts all the same.
func TestSecret(t *testing.T) {
	t.Parallel()
	secret := func(version, data string) api.Object {
		return object(t, "{apiVersion: v1, kind: Secret, metadata: {name: s, uid: u, resourceVersion: '"+version+
			"', annotations: {kubectl.kubernetes.io/last-applied-configuration: '"+data+"'}}, data: {password: "+data+"}}")
	}
	outcome := event.Outcome{Object: secret("1", "a").Ref(), Action: event.Deleted}
	of := func(o api.Object) string { return reviewed.StepOf(outcome, o, nil, nil, nil).Before }
	if of(secret("1", "a")) != of(secret("1", "b")) {
		t.Error("the digest depends on the data")
	}
	if of(secret("1", "a")) == of(secret("2", "b")) {
		t.Error("a change of the data does not count")
	}
}
