// SPDX-License-Identifier: Apache-2.0

package ready

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
		want   State
	}{
		"absent":         {"", nil, State{Health: api.HealthInProgress, Message: "it does not exist"}},
		"no status kind": {"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}", nil, State{Health: api.HealthCurrent}},
		"started Job": {
			"{apiVersion: batch/v1, kind: Job, metadata: {name: a}, status: {startTime: '2026-11-20T12:00:00Z'}}", nil,
			State{Health: api.HealthInProgress, Message: "Job in progress. success:0, active: 0, failed: 0"},
		},
		"suspended Job": {
			"{apiVersion: batch/v1, kind: Job, metadata: {name: a}, spec: {suspend: true}, status: {startTime: '2026-11-20T12:00:00Z'}}", nil,
			State{Health: api.HealthCurrent},
		},
		"complete Job": {
			"{apiVersion: batch/v1, kind: Job, metadata: {name: a}, status: {succeeded: 1, conditions: [{type: Complete, status: 'True'}]}}", nil,
			State{Health: api.HealthCurrent},
		},
		"Deployment that a quota stops": {
			"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: 1}, status: {conditions: [{type: Progressing, status: 'False', reason: ProgressDeadlineExceeded}, {type: ReplicaFailure, status: 'True', message: exceeded quota}]}}", nil,
			State{Health: api.HealthFailed, Message: "Progress deadline exceeded", Cause: "exceeded quota"},
		},
		"paused Deployment": {
			"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: 1, paused: true}, status: {conditions: [{type: Progressing, status: Unknown}]}}", nil,
			State{Health: api.HealthInProgress, Message: "Replicas: 0/1", Cause: "it is paused"},
		},
		"APIService that does not serve its API": {
			"{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: a}, status: {conditions: [{type: Available, status: 'False', message: no such service}]}}", nil,
			State{Health: api.HealthInProgress, Message: "no such service"},
		},
		"APIService that is new": {
			"{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: a}}", nil,
			State{Health: api.HealthInProgress, Message: "it has no condition Available yet"},
		},
		"APIService that serves its API": {
			"{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: a}, status: {conditions: [{type: Available, status: 'True'}]}}", nil,
			State{Health: api.HealthCurrent},
		},
		"failed Pod": {
			"{apiVersion: v1, kind: Pod, metadata: {name: a}, status: {phase: Failed}}", nil,
			State{Health: api.HealthFailed, Message: "Pod has completed, but not successfully"},
		},
		"custom resource that is new and has no status": {
			"{apiVersion: example.com/v1, kind: Widget, metadata: {name: a, creationTimestamp: '2026-11-20T11:59:50Z'}}", nil,
			State{Health: api.HealthInProgress, Message: "it has no status yet", until: now.Add(20 * time.Second)},
		},
		"custom resource of a server whose clock is ahead": {
			"{apiVersion: example.com/v1, kind: Widget, metadata: {name: a, creationTimestamp: '2026-11-20T13:00:00Z'}}", nil,
			State{Health: api.HealthInProgress, Message: "it has no status yet", until: now.Add(30 * time.Second)},
		},
		"custom resource that never gets a status": {
			"{apiVersion: example.com/v1, kind: Widget, metadata: {name: a, creationTimestamp: '2026-11-20T11:59:00Z'}}", nil,
			State{Health: api.HealthCurrent, Warning: "it has no status and is taken for ready"},
		},
		"the module's check wins": {
			"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, status: {conditions: [{type: Ready, status: 'False', message: broken}]}}", failing,
			State{Health: api.HealthFailed, Message: "broken"},
		},
		"being deleted, whatever the check says": {
			"{apiVersion: v1, kind: ConfigMap, metadata: {name: a, deletionTimestamp: '2026-11-20T11:59:00Z'}}", failing,
			State{Health: api.HealthInProgress, Message: "Resource scheduled for deletion"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var o map[string]any
			if err := yaml.Unmarshal([]byte(tc.object), &o); err != nil {
				t.Fatal(err)
			}
			got, err := Criteria{Health: tc.health}.Assess(o, now)
			if err != nil {
				t.Fatal(err)
			}
			if got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
	broken := checks(func(api.Object) (api.Health, bool, error) { return "", false, errors.New("broken") })
	if _, err := (Criteria{Health: broken}).Assess(api.Object{}, now); err == nil {
		t.Error("the error of a check is lost")
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
		"Secret=jsonpath={.data.key}=x": "Secret=jsonpath={.data.key}=x does not hold",
		"Secret=cel=int(self.data.key)": "Secret=cel=int(self.data.key): it cannot be evaluated; what is wrong might quote the Secret",
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
