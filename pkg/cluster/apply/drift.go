// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/delta"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// Drift is how an object differs from what the last apply left of it.
type Drift struct {
	// Action is what another apply would do with it: Created, Configured,
	// Refused, or Unchanged when others have only added fields, which stay.
	Action event.Action
	Reason string

	Live     api.Object // nil when it does not exist
	Recorded api.Object // as the last apply left it
	Added    []Addition
}

// Addition is a field that an object has got from somebody else beside ours.
type Addition struct {
	Manager string `json:"manager"`
	Path    string `json:"path"` // as in delta.Change
}

// maxApplied is the size of the values of one object up to which they are kept
// in the ledger. What is larger, a dashboard in a ConfigMap for example, would
// cost more than it tells.
const maxApplied = 16 << 10

// applied returns, for the ledger, the values of the fields that are ours of
// each object of the plan: what later states of it are compared with.
func (p *Plan) applied() map[string]json.RawMessage {
	applied := map[string]json.RawMessage{}
	for _, s := range p.Steps {
		values := s.manager.ownedValues(s.live)
		if s.fingerprint == "" || values == nil {
			if old, ok := p.ledger.Applied[s.key()]; ok {
				applied[s.key()] = old // the run has not come to it
			}
			continue
		}
		text, err := json.Marshal(values)
		if err == nil && len(text) <= maxApplied {
			applied[s.key()] = text
		}
	}
	return applied
}

// driftOf compares a live object with the values that the ledger has of it,
// which may be empty: then only fields are known to have changed that a tool
// has written which the next apply overrides. It is nil when there is nothing
// to tell.
func (m fieldManager) driftOf(skeleton, live api.Object, applied json.RawMessage) (*Drift, error) {
	values := decodeApplied(applied)
	if live == nil {
		recorded, _ := overlay(map[string]any(skeleton.DeepCopy()), values).(map[string]any)
		return &Drift{Action: event.Created, Reason: "it does not exist", Recorded: recorded}, nil
	}
	if isEnabled(live, api.AnnotationOneOff) {
		return nil, nil
	}
	fields, err := m.splitFields(live)
	if err != nil {
		return nil, err
	}
	if m.replicasOwner(live) != "" { // left to the autoscaler
		unstructured.RemoveNestedField(values, "f:spec", "f:replicas")
	}
	recorded, _ := overlay(without(map[string]any(live.DeepCopy()), fields.taken), values).(map[string]any)
	d := &Drift{Action: event.Unchanged, Live: live, Recorded: recorded, Added: fields.added(values)}
	if changes := delta.Compare(live, recorded); len(changes) > 0 {
		d.Action, d.Reason = event.Configured, fields.blame(changes)
	} else if len(d.Added) == 0 {
		return nil, nil
	}
	return d, nil
}

func decodeApplied(text json.RawMessage) map[string]any {
	var values map[string]any
	if utiljson.Unmarshal(text, &values) != nil || values == nil {
		return map[string]any{}
	}
	return values
}

// fieldOwners says who has written which fields of an object.
type fieldOwners struct {
	manager fieldManager
	taken   map[string]any            // those of managers whose fields the next apply takes back
	others  map[string]map[string]any // by manager, what is not ours
}

func (m fieldManager) splitFields(live api.Object) (fieldOwners, error) {
	owners := fieldOwners{manager: m, others: map[string]map[string]any{}}
	ours := fieldpath.NewSet()
	for _, entry := range managers(live) {
		if entry["manager"] == m.name {
			set, err := fieldSet(entry)
			if err != nil {
				return owners, err
			}
			ours = ours.Union(set)
		}
	}
	taken := fieldpath.NewSet()
	for _, entry := range managers(live) {
		name := fmt.Sprint(entry["manager"])
		if name == m.name || entry["subresource"] == "status" {
			continue
		}
		set, err := fieldSet(entry)
		if err != nil {
			return owners, err
		}
		set = set.Difference(ours)
		if m.isOverridden(entry) {
			taken = taken.Union(set)
		}
		if owners.others[name], err = asMap(set); err != nil {
			return owners, err
		}
	}
	var err error
	owners.taken, err = asMap(taken)
	return owners, err
}

func asMap(set *fieldpath.Set) (map[string]any, error) {
	text, err := set.ToJSON()
	if err != nil {
		return nil, err
	}
	var m map[string]any
	err = json.Unmarshal(text, &m)
	return m, err
}

// added returns the fields of managers that stay beside ours. Those of
// Kubernetes itself are no news: it notes something on nearly every object.
func (f fieldOwners) added(values map[string]any) []Addition {
	var ours []string
	paths("", values, &ours)
	var added []Addition
	for _, name := range slices.Sorted(maps.Keys(f.others)) {
		if f.manager.isOverridden(map[string]any{"manager": name}) || isKubernetes(name) {
			continue
		}
		var theirs []string
		paths("", f.others[name], &theirs)
		for _, path := range theirs {
			if !slices.Contains(ours, path) {
				added = append(added, Addition{Manager: name, Path: path})
			}
		}
	}
	return added
}

func isKubernetes(manager string) bool {
	switch manager {
	case "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "cloud-controller-manager":
		return true
	}
	return false
}

// blame names the managers that have written one of the fields that changed.
func (f fieldOwners) blame(changes []delta.Change) string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(f.others)) {
		var theirs []string
		paths("", f.others[name], &theirs)
		if slices.ContainsFunc(changes, func(c delta.Change) bool { return touches(theirs, c.Path) }) {
			names = append(names, name)
		}
	}
	if names == nil {
		return "fields of ours were removed or changed"
	}
	return "changed by " + strings.Join(names, ", ")
}

// touches says whether one of the paths is the other one, lies in it or holds
// it. Items of lists that have no name are taken for each other.
func touches(paths []string, other string) bool {
	other = toList(other)
	return slices.ContainsFunc(paths, func(path string) bool {
		path = toList(path)
		return strings.HasPrefix(path, other) || strings.HasPrefix(other, path)
	})
}

// toList cuts a path behind the first list whose items are not told apart by
// name.
func toList(path string) string {
	for i := range len(path) {
		if path[i] == '[' && !strings.HasPrefix(path[i:], "[name=") && !strings.HasPrefix(path[i:], `["`) {
			return path[:i]
		}
	}
	return path
}

// paths appends the paths of the leaves of a set of fields, in the form of
// delta.Change.
func paths(prefix string, set map[string]any, into *[]string) {
	for _, key := range slices.Sorted(maps.Keys(set)) {
		kind, rest, _ := strings.Cut(key, ":")
		path := prefix
		switch kind {
		case "f":
			path += delta.Field(rest)
		case "k":
			path += "[" + keysOf(rest) + "]"
		case "v":
			path += "[" + rest + "]"
		default:
			continue
		}
		sub, _ := set[key].(map[string]any)
		before := len(*into)
		if isSet(sub) {
			paths(path, sub, into)
		}
		if len(*into) == before {
			*into = append(*into, path)
		}
	}
}

// keysOf returns the keys of an item of a list as delta writes them.
func keysOf(text string) string {
	var keys map[string]any
	if json.Unmarshal([]byte(text), &keys) != nil {
		return text
	}
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		parts = append(parts, fmt.Sprintf("%s=%v", k, keys[k]))
	}
	return strings.Join(parts, ",")
}
