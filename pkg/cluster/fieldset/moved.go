// SPDX-License-Identifier: Apache-2.0

package fieldset

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/delta"
)

// After returns what an apply makes of an object once fields have moved: applied,
// which is what it makes of the object before, less the fields that are ours by
// the move, that the apply does not set, and that no other manager has.
//
// It follows what structured-merge-diff does on the server, but needs no schema:
// the entries say which lists have keys. The caller has the server check it.
func (m Manager) After(move Move, applied api.Object) (api.Object, error) {
	kept, ours := m.Applied(applied), fieldpath.NewSet()
	if kept == nil {
		kept = fieldpath.NewSet()
	}
	for _, e := range asEntries(move.Entries) {
		set, err := e.fields()
		if err != nil {
			return nil, err
		}
		if m.isOurs(e) {
			ours = ours.Union(set)
		} else {
			kept = kept.Union(set)
		}
	}
	rest, _ := prune(map[string]any(applied.DeepCopy()), ours, kept).(map[string]any)
	return rest, nil
}

// prune returns a value without the fields of a set that are not among those
// that are kept.
func prune(v any, set, kept *fieldpath.Set) any {
	for pe, below := range top(set) {
		keptBelow, _ := kept.Children.Get(pe)
		if keptBelow == nil {
			keptBelow = fieldpath.NewSet()
		}
		at, found := lookup(v, pe)
		switch {
		case !found:
		case pe.FieldName != nil:
			fields := v.(map[string]any)
			if keptBelow.Empty() && !kept.Members.Has(pe) {
				delete(fields, *pe.FieldName)
			} else {
				fields[*pe.FieldName] = prune(at, below, keptBelow)
			}
		default:
			list, _ := v.([]any)
			i := indexOf(list, pe)
			if set.Members.Has(pe) && !kept.Members.Has(pe) {
				v = slices.Delete(slices.Clone(list), i, i+1)
			} else {
				list[i] = prune(at, below, keptBelow)
			}
		}
	}
	return v
}

// maxPaths and maxPath bound how many fields of one manager a text names, and
// how many bytes of each.
const (
	maxPaths = 10
	maxPath  = 120
)

// TakenFrom says whose fields a change takes: each overridden manager of the
// live object with the fields that it wrote and that change.
func (m Manager) TakenFrom(live api.Object, changes []delta.Change) (string, error) {
	theirs := map[string][]string{}
	for _, e := range entries(live) {
		if !m.isOverridden(e, live) {
			continue
		}
		set, err := e.fields()
		if err != nil {
			return "", err
		}
		theirs[e.manager()] = append(theirs[e.manager()], pathsOf(set)...)
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(theirs)) {
		parts = append(parts, takenFrom(name, theirs[name], changes))
	}
	return strings.Join(parts, "; "), nil
}

func takenFrom(manager string, theirs []string, changes []delta.Change) string {
	var taken []string
	for _, c := range changes {
		if touches(theirs, c.Path) {
			taken = append(taken, shorten(c.Path))
		}
	}
	if taken == nil {
		return "fields of " + manager + " are taken over"
	}
	more := ""
	if n := len(taken) - maxPaths; n > 0 {
		taken, more = taken[:maxPaths], fmt.Sprintf(" and %d more", n)
	}
	return "fields of " + manager + " are taken back: " + strings.Join(taken, ", ") + more
}

func shorten(path string) string {
	if len(path) <= maxPath {
		return path
	}
	return strings.ToValidUTF8(path[:maxPath], "") + "…"
}
