// SPDX-License-Identifier: Apache-2.0

package ready

import (
	"fmt"
	"slices"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// statusGrace is how long a custom resource may go without a status before it
// is taken for one whose controller never writes any (docs/safety.md, S12).
const statusGrace = 30 * time.Second

// State is the readiness of one object.
type State struct {
	Health  api.Health
	Message string
	Cause   string    // what else the object says of why it is not ready
	Warning string    // why ready may not be the whole truth
	until   time.Time // when the answer changes by itself
}

// Health is what a module knows about the readiness of its objects. known is
// false for an object that the module has no check for.
type Health interface {
	Health(o api.Object) (health api.Health, known bool, err error)
}

// Criteria are what objects have to meet, in addition to the rules of kstatus.
type Criteria struct {
	Health      Health      // the module's own checks, nil when it has none
	Rules       []WaitRule  // the user's
	Expressions Expressions // evaluates what of Rules is in CEL

	// awaitsConsumer says whether a claim is bound only once a pod uses it. Nil
	// when the server cannot be asked.
	awaitsConsumer func(claim api.Object) bool
}

// Assess returns the state of an object: by the module's own check, else by
// the rules of kstatus, and then by the user's.
func (c Criteria) Assess(live api.Object, now time.Time) (State, error) {
	if live == nil {
		return State{Health: api.HealthInProgress, Message: "it does not exist"}, nil
	}
	rules := RulesFor(c.Rules, live.Ref())
	known, err := c.byKind(live, now, len(rules) > 0)
	if err != nil || known.Health != api.HealthCurrent {
		return known, err
	}
	for _, r := range rules {
		lack, err := r.holds(live, c.Expressions)
		if err != nil {
			return State{}, err
		}
		if lack != "" {
			return State{Health: api.HealthInProgress, Message: lack}, nil
		}
	}
	return known, nil
}

// byKind is Assess without the user's rules. With strict, an object that says
// nothing of itself is left to them.
func (c Criteria) byKind(live api.Object, now time.Time, strict bool) (State, error) {
	if c.Health != nil && !live.IsTerminating() {
		h, known, err := c.Health.Health(live)
		if err != nil {
			return State{}, fmt.Errorf("evaluate the health check: %w", err)
		}
		if known {
			return State{Health: h, Message: lastCondition(live)}, nil
		}
	}
	result, err := status.Compute(&unstructured.Unstructured{Object: live})
	if err != nil {
		return State{}, fmt.Errorf("compute the status: %w", err)
	}
	switch {
	case isFailedPod(live), result.Status == status.FailedStatus:
		// kstatus takes every Pod that has ended for ready.
		return State{Health: api.HealthFailed, Message: result.Message, Cause: causeOf(live)}, nil
	case c.awaitsConsumer != nil && result.Status == status.InProgressStatus && c.awaitsConsumer(live):
		return State{Health: api.HealthCurrent, Message: "it waits for its first consumer"}, nil
	case result.Status != status.CurrentStatus:
		return State{Health: api.HealthInProgress, Message: result.Message, Cause: causeOf(live)}, nil
	case isUnavailable(live):
		return State{Health: api.HealthInProgress, Message: unavailable(live)}, nil
	case isRunningJob(live):
		// kstatus takes a Job that has started for ready. What a module runs a
		// Job for, a migration or a test, is done only when it is complete.
		return State{Health: api.HealthInProgress, Message: result.Message}, nil
	case strict:
		return State{Health: api.HealthCurrent}, nil
	}
	return withoutStatus(live, now), nil
}

// withoutStatus judges an object that kstatus calls current, which it also
// does for a custom resource whose controller has not looked at it yet.
func withoutStatus(live api.Object, now time.Time) State {
	if live["status"] != nil || api.IsBuiltIn(live.Group()) {
		return State{Health: api.HealthCurrent}
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
		return State{Health: api.HealthInProgress, Message: "it has no status yet", until: until}
	}
	return State{Health: api.HealthCurrent, Warning: "it has no status and is taken for ready"}
}

// Text returns all that the state says.
func (s State) Text() string { return mask.Line(with(s.Message, s.Cause)) }

// causeOf returns what a workload says of why it has too few pods: that its
// controller does not try, or may not.
func causeOf(live api.Object) string {
	if live.Group() != "apps" {
		return ""
	}
	if paused, _, _ := unstructured.NestedBool(live, "spec", "paused"); paused {
		return "it is paused"
	}
	failure := condition(live, "ReplicaFailure")
	if message, _ := failure["message"].(string); failure["status"] == "True" {
		return firstLine(message)
	}
	return ""
}

// isUnavailable says whether an object is an APIService that does not serve its
// API, for which kstatus has no rule.
func isUnavailable(o api.Object) bool {
	return o.Is("apiregistration.k8s.io", "APIService") && !hasCondition(o, "Available")
}

func unavailable(o api.Object) string {
	if message, _ := condition(o, "Available")["message"].(string); message != "" {
		return message
	}
	return "it has no condition Available yet"
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
	return condition(o, conditionType)["status"] == "True"
}

// condition returns the condition of a type, nil when there is none.
func condition(o api.Object, conditionType string) map[string]any {
	conditions, _, _ := unstructured.NestedSlice(o, "status", "conditions")
	for _, c := range conditions {
		condition, _ := c.(map[string]any)
		if condition["type"] == conditionType {
			return condition
		}
	}
	return nil
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
