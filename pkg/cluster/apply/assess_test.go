// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

type checks func(o api.Object) (api.Health, bool, error)

func (c checks) Health(o api.Object) (api.Health, bool, error) { return c(o) }

func TestAssess(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	failing := checks(func(api.Object) (api.Health, bool, error) { return api.HealthFailed, true, nil })
	for name, tc := range map[string]struct {
		object string
		health Health
		want   state
	}{
		"absent":         {"", nil, state{health: api.HealthInProgress, message: "it does not exist"}},
		"no status kind": {"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}", nil, state{health: api.HealthCurrent}},
		"started Job": {
			"{apiVersion: batch/v1, kind: Job, metadata: {name: a}, status: {startTime: '2026-11-20T12:00:00Z'}}", nil,
			state{health: api.HealthInProgress, message: "Job in progress. success:0, active: 0, failed: 0"},
		},
		"suspended Job": {
			"{apiVersion: batch/v1, kind: Job, metadata: {name: a}, spec: {suspend: true}, status: {startTime: '2026-11-20T12:00:00Z'}}", nil,
			state{health: api.HealthCurrent},
		},
		"complete Job": {
			"{apiVersion: batch/v1, kind: Job, metadata: {name: a}, status: {succeeded: 1, conditions: [{type: Complete, status: 'True'}]}}", nil,
			state{health: api.HealthCurrent},
		},
		"failed Pod": {
			"{apiVersion: v1, kind: Pod, metadata: {name: a}, status: {phase: Failed}}", nil,
			state{health: api.HealthFailed, message: "Pod has completed, but not successfully"},
		},
		"custom resource that is new and has no status": {
			"{apiVersion: example.com/v1, kind: Widget, metadata: {name: a, creationTimestamp: '2026-11-20T11:59:50Z'}}", nil,
			state{health: api.HealthInProgress, message: "it has no status yet", until: now.Add(20 * time.Second)},
		},
		"custom resource of a server whose clock is ahead": {
			"{apiVersion: example.com/v1, kind: Widget, metadata: {name: a, creationTimestamp: '2026-11-20T13:00:00Z'}}", nil,
			state{health: api.HealthInProgress, message: "it has no status yet", until: now.Add(30 * time.Second)},
		},
		"custom resource that never gets a status": {
			"{apiVersion: example.com/v1, kind: Widget, metadata: {name: a, creationTimestamp: '2026-11-20T11:59:00Z'}}", nil,
			state{health: api.HealthCurrent, warning: "it has no status and is taken for ready"},
		},
		"the module's check wins": {
			"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, status: {conditions: [{type: Ready, status: 'False', message: broken}]}}", failing,
			state{health: api.HealthFailed, message: "broken"},
		},
		"being deleted, whatever the check says": {
			"{apiVersion: v1, kind: ConfigMap, metadata: {name: a, deletionTimestamp: '2026-11-20T11:59:00Z'}}", failing,
			state{health: api.HealthInProgress, message: "Resource scheduled for deletion"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var o map[string]any
			if err := yaml.Unmarshal([]byte(tc.object), &o); err != nil {
				t.Fatal(err)
			}
			got, err := criteria{health: tc.health}.assess(o, now)
			if err != nil {
				t.Fatal(err)
			}
			if got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
	broken := checks(func(api.Object) (api.Health, bool, error) { return "", false, errors.New("broken") })
	if _, err := (criteria{health: broken}).assess(api.Object{}, now); err == nil {
		t.Error("the error of a check is lost")
	}
}

func TestOwnerOf(t *testing.T) {
	t.Parallel()
	for metadata, want := range map[string]string{
		"{}": "",
		"{labels: {instance.timoni.sh/name: a, instance.timoni.sh/namespace: b}}":                   "instance b/a",
		"{labels: {app.kubernetes.io/managed-by: Helm}}":                                            "Helm",
		"{annotations: {meta.helm.sh/release-name: a, meta.helm.sh/release-namespace: b}}":          "Helm release b/a",
		"{labels: {kustomize.toolkit.fluxcd.io/name: a, kustomize.toolkit.fluxcd.io/namespace: b}}": "Flux Kustomization b/a",
		"{labels: {helm.toolkit.fluxcd.io/name: a, helm.toolkit.fluxcd.io/namespace: b}}":           "Flux HelmRelease b/a",
		"{annotations: {argocd.argoproj.io/tracking-id: a}}":                                        "Argo CD application a",
		"{labels: {argocd.argoproj.io/instance: a}}":                                                "Argo CD application a",
		"{labels: {applyset.kubernetes.io/part-of: a}}":                                             "ApplySet a",
		"{ownerReferences: [{kind: ReplicaSet, name: a, controller: true}]}":                        "ReplicaSet/a",
		"{ownerReferences: [{kind: ReplicaSet, name: a}]}":                                          "",
	} {
		t.Run(metadata, func(t *testing.T) {
			t.Parallel()
			var o map[string]any
			if err := yaml.Unmarshal([]byte("metadata: "+metadata), &o); err != nil {
				t.Fatal(err)
			}
			if got := ownerOf(o); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestKeepReason(t *testing.T) {
	t.Parallel()
	for object, kept := range map[string]bool{
		"{apiVersion: v1, kind: ConfigMap}": false,
		"{apiVersion: v1, kind: ConfigMap, metadata: {annotations: {action.timoni.sh/prune: disabled}}}": true,
		"{apiVersion: v1, kind: Namespace}":                                     true,
		"{apiVersion: v1, kind: PersistentVolumeClaim}":                         true,
		"{apiVersion: v1, kind: PersistentVolume}":                              true,
		"{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition}": true,
		"{apiVersion: example.com/v1, kind: Namespace}":                         false,
	} {
		var o map[string]any
		if err := yaml.Unmarshal([]byte(object), &o); err != nil {
			t.Fatal(err)
		}
		if got := keepReason(o, Unprotected{}); (got != "") != kept {
			t.Errorf("%s: %q, want a reason: %v", object, got, kept)
		}
	}
}

// quoting are Expressions that fail with what the object holds.
type quoting struct{}

func (quoting) Compile(string) error { return nil }

func (quoting) Holds(_ string, o api.Object) (bool, string, error) {
	return false, "", fmt.Errorf("%v is no number", o["data"])
}

// TestRulesQuoteNoSecret holds that neither what a Secret lacks nor an error
// says what is in it.
func TestRulesQuoteNoSecret(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Secret=jsonpath={.data.key}=x": "--wait-for=Secret=jsonpath={.data.key}=x does not hold",
		"Secret=cel=int(self.data.key)": "--wait-for=Secret=cel=int(self.data.key): it cannot be evaluated; what is wrong might quote the Secret",
	} {
		r, err := ParseWaitRule(text)
		if err != nil {
			t.Fatal(err)
		}
		secret := api.Object{"apiVersion": "v1", "kind": "Secret", "data": map[string]any{"key": "cGFzc3dvcmQ="}}
		lack, err := r.holds(secret, quoting{})
		if err != nil {
			lack = err.Error()
		}
		if lack != want {
			t.Errorf("got %q, want %q", lack, want)
		}
	}
}
