// SPDX-License-Identifier: Apache-2.0

package fieldset

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/delta"
)

// Owners says who has written which fields of an object.
type Owners struct {
	// Taken holds the fields that the next apply takes back.
	Taken *fieldpath.Set

	manager Manager
	left    *fieldpath.Set            // what is left alone, whichever client wrote it
	others  map[string]*fieldpath.Set // by manager, what is not ours
}

// Addition is a field that another manager has added to an object.
type Addition struct {
	Manager string `json:"manager"`
	Path    string `json:"path"` // as in delta.Change
}

// Owners returns who has written which fields of a live object.
func (m Manager) Owners(live api.Object) (Owners, error) {
	owners := Owners{manager: m, Taken: fieldpath.NewSet(), others: map[string]*fieldpath.Set{}}
	ours := fieldpath.NewSet()
	for _, e := range entries(live) {
		if e.subresource() == "status" && e.manager() != m.Name {
			continue
		}
		set, err := e.fields()
		if err != nil {
			return owners, err
		}
		if e.manager() == m.Name {
			ours = ours.Union(set)
			continue
		}
		if m.isOverridden(e, live) {
			owners.Taken = owners.Taken.Union(set)
		}
		if old := owners.others[e.manager()]; old != nil {
			set = set.Union(old)
		}
		owners.others[e.manager()] = set
	}
	owners.left = left(live)
	if m.ReplicasOwner(live) != "" {
		owners.left.Insert(replicas())
	}
	owners.Taken = owners.Taken.Difference(ours).Difference(owners.left)
	for name, set := range owners.others {
		owners.others[name] = set.Difference(ours)
	}
	return owners, nil
}

// Added returns the fields that other managers have added to those of which
// there are values, and that stay. Those of Kubernetes itself are no news: it
// notes something on nearly every object.
func (o Owners) Added(values Values) []Addition {
	ours := pathsOf(values.fields())
	var added []Addition
	for _, name := range slices.Sorted(maps.Keys(o.others)) {
		if o.manager.overrides(name) || isKubernetes(name) {
			continue
		}
		for _, path := range pathsOf(o.others[name].Difference(o.left)) {
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

// Writers names the managers that have written one of the fields that changed.
func (o Owners) Writers(changes []delta.Change) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(o.others)) {
		theirs := pathsOf(o.others[name])
		if slices.ContainsFunc(changes, func(c delta.Change) bool { return touches(theirs, c.Path) }) {
			names = append(names, name)
		}
	}
	return names
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

// pathsOf returns the paths of the leaves of a set, in the form of
// delta.Change.
func pathsOf(set *fieldpath.Set) []string {
	var paths []string
	set.Leaves().Iterate(func(p fieldpath.Path) {
		var text strings.Builder
		for _, pe := range p {
			text.WriteString(stepOf(pe))
		}
		paths = append(paths, text.String())
	})
	return paths
}

// stepOf returns an element of a path as delta writes it.
func stepOf(pe fieldpath.PathElement) string {
	switch {
	case pe.FieldName != nil:
		return delta.Field(*pe.FieldName)
	case pe.Value != nil:
		return "[" + value.ToString(*pe.Value) + "]"
	case pe.Index != nil:
		return "[" + strconv.Itoa(*pe.Index) + "]"
	}
	var parts []string
	for _, key := range *pe.Key {
		parts = append(parts, fmt.Sprintf("%s=%v", key.Name, key.Value.Unstructured()))
	}
	return "[" + strings.Join(parts, ",") + "]"
}
