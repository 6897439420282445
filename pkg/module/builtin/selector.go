// SPDX-License-Identifier: Apache-2.0

package builtin

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// selector holds the selector of a workload to the labels of its pods.
func (c *checker) selector(o api.Object) {
	labels := labelsAt(o, "spec.template.metadata.labels")
	switch o.Kind() {
	case "ReplicationController": // without one, it selects these labels
		c.matchLabels("spec.selector", labelsAt(o, "spec.selector"), labels)
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet":
		wanted := labelsAt(o, "spec.selector.matchLabels")
		expressions, _ := lookup(map[string]any(o), "spec.selector.matchExpressions").([]any)
		if _, given := lookup(map[string]any(o), "spec.selector").(map[string]any); given && len(wanted)+len(expressions) == 0 {
			c.addNew("spec.selector", "must select by a label: it is empty")
		}
		c.matchLabels("spec.selector.matchLabels", wanted, labels)
		for i, e := range expressions {
			if expression, ok := e.(map[string]any); ok && !holds(expression, labels) {
				c.add(fmt.Sprintf("spec.selector.matchExpressions[%d]", i), "the labels of spec.template do not match it")
			}
		}
	}
}

// labelsAt returns the labels at a path, each a string: null is the empty one for
// the server, and what else it may be is wrong already.
func labelsAt(o api.Object, path string) map[string]any {
	given, _ := lookup(map[string]any(o), path).(map[string]any)
	labels := make(map[string]any, len(given))
	for key, value := range given {
		if value == nil {
			value = ""
		}
		labels[key] = fmt.Sprint(value)
	}
	return labels
}

// matchLabels wants labels to be as those of a selector.
func (c *checker) matchLabels(at string, wanted, labels map[string]any) {
	var missing []string
	for key, value := range wanted {
		if labels[key] != value {
			missing = append(missing, fmt.Sprintf("%s=%v", key, value))
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		c.add(at, "the labels of spec.template do not have %s", strings.Join(missing, ", "))
	}
}

// holds says whether labels match an expression of a selector.
func holds(expression, labels map[string]any) bool {
	key, _ := expression["key"].(string)
	values, _ := expression["values"].([]any)
	value, has := labels[key]
	isIn := has && slices.Contains(values, value)
	switch expression["operator"] {
	case "In":
		return isIn
	case "NotIn":
		return !isIn
	case "Exists":
		return has
	case "DoesNotExist":
		return !has
	}
	return true // which is no operator
}
