// SPDX-License-Identifier: Apache-2.0

package earlier

import (
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
)

// judge is an object that changes what the server admits: the configuration of
// webhooks, or a policy.
type judge struct {
	object api.Object
	by     string // the instance that brings it
}

// IsJudge says whether an object changes what the server admits.
func IsJudge(o api.Object) bool {
	if o.Group() != "admissionregistration.k8s.io" {
		return false
	}
	return strings.HasSuffix(o.Kind(), "WebhookConfiguration") || strings.HasSuffix(o.Kind(), "AdmissionPolicy")
}

// covers says whether the rules of a judge name a resource. Those on namespaces
// and labels are left out: an object is rather judged late than never.
func (j judge) covers(r kube.Resource) bool {
	return slices.ContainsFunc(j.rules(), func(rule map[string]any) bool {
		return names(rule["apiGroups"], r.Group) && (names(rule["resources"], r.Resource) || names(rule["resources"], "*/*"))
	})
}

// rules returns the rules of all webhooks, or those of a policy.
func (j judge) rules() []map[string]any {
	spec, _ := j.object["spec"].(map[string]any)
	constraints, _ := spec["matchConstraints"].(map[string]any)
	rules := mapsIn(constraints["resourceRules"])
	for _, webhook := range mapsIn(j.object["webhooks"]) {
		rules = append(rules, mapsIn(webhook["rules"])...)
	}
	return rules
}

// mapsIn returns the items of a list that are maps.
func mapsIn(list any) []map[string]any {
	var all []map[string]any
	items, _ := list.([]any)
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}

// names says whether a list of a rule has a name, or stands for all.
func names(list any, name string) bool {
	items, _ := list.([]any)
	return slices.Contains(items, any(name)) || slices.Contains(items, any("*"))
}
