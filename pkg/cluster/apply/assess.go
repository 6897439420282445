// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"fmt"
	"slices"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// statusGrace is how long a custom resource may go without a status before it
// is taken for one whose controller never writes any (docs/safety.md, S12).
const statusGrace = 30 * time.Second

// state is what is known of the readiness of one object.
type state struct {
	health  api.Health
	message string
	warning string    // why ready may not be the whole truth
	until   time.Time // when the answer changes by itself
}

// criteria are what objects are held to beside the rules of kstatus.
type criteria struct {
	health Health      // the module's own checks, nil when it has none
	rules  []WaitRule  // the user's
	cel    Expressions // of the rules
}

// assess returns the state of an object: by the module's own check, else by
// the rules of kstatus, and then by the user's.
func (c criteria) assess(live api.Object, now time.Time) (state, error) {
	if live == nil {
		return state{health: api.HealthInProgress, message: "it does not exist"}, nil
	}
	rules := rulesFor(c.rules, refOf(live))
	known, err := c.byKind(live, now, len(rules) > 0)
	if err != nil || known.health != api.HealthCurrent {
		return known, err
	}
	for _, r := range rules {
		lack, err := r.holds(live, c.cel)
		if err != nil {
			return state{}, err
		}
		if lack != "" {
			return state{health: api.HealthInProgress, message: lack}, nil
		}
	}
	return known, nil
}

// byKind is assess without the user's rules. With strict, an object that says
// nothing of itself is left to them.
func (c criteria) byKind(live api.Object, now time.Time, strict bool) (state, error) {
	if c.health != nil && !isTerminating(live) {
		h, known, err := c.health.Health(live)
		if err != nil {
			return state{}, fmt.Errorf("evaluate the health check: %w", err)
		}
		if known {
			return state{health: h, message: lastCondition(live)}, nil
		}
	}
	result, err := status.Compute(&unstructured.Unstructured{Object: live})
	if err != nil {
		return state{}, fmt.Errorf("compute the status: %w", err)
	}
	switch {
	case isFailedPod(live):
		// kstatus takes every Pod that has ended for ready.
		return state{health: api.HealthFailed, message: result.Message}, nil
	case result.Status == status.FailedStatus:
		return state{health: api.HealthFailed, message: result.Message}, nil
	case result.Status != status.CurrentStatus:
		return state{health: api.HealthInProgress, message: result.Message}, nil
	case isRunningJob(live):
		// kstatus takes a Job that has started for ready. What a module runs a
		// Job for, a migration or a test, is done only when it is complete.
		return state{health: api.HealthInProgress, message: result.Message}, nil
	case strict:
		return state{health: api.HealthCurrent}, nil
	}
	return withoutStatus(live, now), nil
}

// withoutStatus judges an object that kstatus calls current, which it also
// does for a custom resource whose controller has not looked at it yet.
func withoutStatus(live api.Object, now time.Time) state {
	if live["status"] != nil || isBuiltIn(live.Group()) {
		return state{health: api.HealthCurrent}
	}
	metadata, _ := live["metadata"].(map[string]any)
	text, _ := metadata["creationTimestamp"].(string)
	created, err := time.Parse(time.RFC3339, text)
	if err != nil {
		created = now
	}
	// The creation has the server's clock, which may be ahead of ours.
	until := created.Add(statusGrace)
	if latest := now.Add(statusGrace); until.After(latest) {
		until = latest
	}
	if now.Before(until) {
		return state{health: api.HealthInProgress, message: "it has no status yet", until: until}
	}
	return state{health: api.HealthCurrent, warning: "it has no status and is taken for ready"}
}

func isFailedPod(o api.Object) bool {
	phase, _, _ := unstructured.NestedString(o, "status", "phase")
	return o.Group() == "" && o.Kind() == "Pod" && phase == "Failed"
}

func isRunningJob(o api.Object) bool {
	if o.Group() != "batch" || o.Kind() != "Job" {
		return false
	}
	suspended, _, _ := unstructured.NestedBool(o, "spec", "suspend")
	return !suspended && !hasCondition(o, "Complete")
}

func hasCondition(o api.Object, conditionType string) bool {
	conditions, _, _ := unstructured.NestedSlice(o, "status", "conditions")
	for _, c := range conditions {
		condition, _ := c.(map[string]any)
		if condition["type"] == conditionType && condition["status"] == "True" {
			return true
		}
	}
	return false
}

// lastCondition returns the text of the last condition that is not true, for
// checks that have no text of their own.
func lastCondition(o api.Object) string {
	conditions, _, _ := unstructured.NestedSlice(o, "status", "conditions")
	for _, c := range slices.Backward(conditions) {
		condition, _ := c.(map[string]any)
		message, _ := condition["message"].(string)
		if condition["status"] != "True" && message != "" {
			return message
		}
	}
	return "the module's health check is not fulfilled"
}

// isBuiltIn says whether Kubernetes itself serves a group. Everything else is
// an extension, whose objects some controller has to look at.
func isBuiltIn(group string) bool {
	switch group {
	case "", "apps", "batch", "autoscaling", "policy", "extensions",
		"admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io",
		"authentication.k8s.io", "authorization.k8s.io", "certificates.k8s.io",
		"coordination.k8s.io", "discovery.k8s.io", "events.k8s.io",
		"flowcontrol.apiserver.k8s.io", "internal.apiserver.k8s.io", "networking.k8s.io",
		"node.k8s.io", "rbac.authorization.k8s.io", "resource.k8s.io", "scheduling.k8s.io",
		"storage.k8s.io", "storagemigration.k8s.io":
		return true
	}
	return false
}
