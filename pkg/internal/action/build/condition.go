// SPDX-License-Identifier: Apache-2.0

package build

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
)

// condition is the module's health check of a kind, as another language can say
// it: #HealthCheckForCondition, which decides by two conditions.
type condition struct {
	apiVersion, group, kind string
	render.Condition
}

// conditions returns the health checks of the kinds that the module renders, by
// group and kind, and a warning for each that decides by something else.
func (r *Result) conditions() (found []condition, warnings []string) {
	seen := map[[2]string]bool{}
	for _, o := range r.Objects() {
		key := [2]string{o.Group(), o.Kind()}
		check, names := r.HealthCondition(o)
		if check == "" || seen[key] {
			continue
		}
		seen[key] = true
		c := condition{apiVersion: o.APIVersion(), group: key[0], kind: key[1], Condition: names}
		if !r.decidesAs(c) {
			warnings = append(warnings, fmt.Sprintf("the health check %q decides on %s by more than a condition, which cannot be translated: write it by hand", check, c.kind))
			continue
		}
		found = append(found, c)
	}
	slices.SortFunc(found, func(a, b condition) int { return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.kind, b.kind)) })
	return found, warnings
}

// decidesAs compares the module's check with the condition on objects in every
// state that tells the two apart: a check may have the fields of
// #HealthCheckForCondition and decide by others.
func (r *Result) decidesAs(c condition) bool {
	if c.Ready == "" || c.Failed == "" {
		return false
	}
	for _, o := range c.states() {
		if health, _, err := r.Health(o); err != nil || health != c.health(o) {
			return false
		}
	}
	return true
}

// health is what the condition makes of an object of states.
func (c condition) health(o api.Object) api.Health {
	metadata, _ := o["metadata"].(map[string]any)
	generation, _ := metadata["generation"].(int64)
	status, _ := o["status"].(map[string]any)
	if observed, given := status["observedGeneration"].(int64); given && observed < generation {
		return api.HealthInProgress
	}
	health := api.HealthInProgress
	conditions, _ := status["conditions"].([]any)
	for _, e := range conditions {
		entry, _ := e.(map[string]any)
		observed, given := entry["observedGeneration"].(int64)
		if entry["status"] != "True" || given && observed < generation {
			continue
		}
		switch entry["type"] {
		case c.Failed:
			return api.HealthFailed
		case c.Ready:
			health = api.HealthCurrent
		}
	}
	return health
}

// states returns objects of the kind in the states that matter.
func (c condition) states() []api.Object {
	entry := func(name, status string, observed int64) any {
		e := map[string]any{"type": name, "status": status, "message": "as it is"}
		if observed > 0 {
			e["observedGeneration"] = observed
		}
		return e
	}
	var objects []api.Object
	add := func(status map[string]any) {
		o := api.Object{"apiVersion": c.apiVersion, "kind": c.kind, "metadata": map[string]any{"name": "x", "generation": int64(2)}}
		if status != nil {
			o["status"] = status
		}
		objects = append(objects, o)
	}
	add(nil)
	add(map[string]any{})
	for _, list := range [][]any{
		{},
		{entry(c.Ready, "True", 0)}, {entry(c.Ready, "False", 0)}, {entry(c.Ready, "Unknown", 0)},
		{entry(c.Ready, "True", 2)}, {entry(c.Ready, "True", 1)},
		{entry(c.Failed, "True", 0)}, {entry(c.Failed, "False", 0)}, {entry(c.Failed, "True", 1)},
		{entry(c.Ready, "True", 0), entry(c.Failed, "True", 0)}, {entry(c.Failed, "True", 2), entry(c.Ready, "True", 2)},
		{entry(c.Ready, "True", 2), entry(c.Failed, "True", 1)}, {entry("Other", "True", 0)},
	} {
		add(map[string]any{"conditions": list})
		add(map[string]any{"conditions": list, "observedGeneration": int64(2)})
		add(map[string]any{"conditions": list, "observedGeneration": int64(1)})
	}
	return objects
}
