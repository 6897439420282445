// SPDX-License-Identifier: Apache-2.0

package build_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// module writes a module whose one object says what it was told.
func module(t *testing.T) string {
	t.Helper()
	return fixture.Dir(t, map[string]string{
		"cue.mod/module.cue": "module: \"timoni.sh/test\"\n",
		"values.cue":         "package main\n\nvalues: message: \"hello\"\n",
		"timoni.cue": `package main

values: message: string
timoni: {
	apiVersion: "v1alpha1"
	instance: config: values & {version: string @tag(mv, var=moduleVersion)}
	instance: config: {message: string}
	apply: app: [{apiVersion: "v1", kind: "ConfigMap", metadata: name: "x", data: instance.config}]
	healthChecks: thing: {group: "example.com", #object: {...}, current: #object.ready}
}
`,
	})
}

func TestRenderLocal(t *testing.T) {
	t.Parallel()
	dir := module(t)
	var events []event.Event
	observer := event.Func(func(e event.Event) { events = append(events, e) })
	result, err := build.Render(t.Context(), build.Request{Module: fixture.Reference(t, dir), Name: "app", Namespace: "apps"}, observer)
	if err != nil {
		t.Fatal(err)
	}
	want := api.Module{Name: "timoni.sh/test", Repository: dir, Version: "0.0.0-devel", Digest: "unknown"}
	if diff := cmp.Diff(want, result.Module); diff != "" {
		t.Errorf("module (-want +got):\n%s", diff)
	}
	warning := event.Warning{Text: filepath.Join(dir, "cue.mod", "module.cue") + " names no language version: the oldest one is assumed"}
	if diff := cmp.Diff([]event.Event{event.Pulled{Reference: dir}, warning}, events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestRenderOCI(t *testing.T) {
	t.Parallel()
	repository := "oci://" + fixture.Registry(t) + "/test"
	digest := fixture.Push(t, module(t), fixture.Reference(t, repository+":1.2.3"))
	result, err := build.Render(t.Context(), build.Request{
		Module: fixture.Reference(t, repository+":1.2.3@"+digest), Name: "app", Namespace: "apps",
		Values: []values.Source{{Name: "user.yaml", Format: values.YAML, Data: []byte("message: bye")}},
	}, event.Discard())
	if err != nil {
		t.Fatal(err)
	}
	want := api.Module{Name: "timoni.sh/test", Repository: repository, Version: "1.2.3", Digest: digest}
	if diff := cmp.Diff(want, result.Module, cmpopts.IgnoreFields(api.Module{}, "Annotations")); diff != "" {
		t.Errorf("module (-want +got):\n%s", diff)
	}
	data := map[string]any{"message": "bye", "version": "1.2.3"}
	if diff := cmp.Diff(data, result.Sets[0].Objects[0]["data"]); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	// The pulled content is gone; the health checks are not.
	health, known, err := result.Health(api.Object{"apiVersion": "example.com/v1", "kind": "Thing", "ready": true})
	if health != api.HealthCurrent || !known || err != nil {
		t.Errorf("Health = %q, %v, %v", health, known, err)
	}

	// An error names the module as it was typed.
	_, err = build.Render(t.Context(), build.Request{
		Module: fixture.Reference(t, repository+":1.2.3"), Name: "app", Namespace: "apps",
		Values: []values.Source{{Name: "user.yaml", Format: values.YAML, Data: []byte("message: 1")}},
	}, event.Discard())
	if err == nil || !strings.Contains(err.Error(), "("+repository+":1.2.3/timoni.cue:3:9)") || !strings.Contains(err.Error(), "user.yaml:1:10: message: ") {
		t.Errorf("error %v", err)
	}
}
