// SPDX-License-Identifier: Apache-2.0

package fieldset

import (
	"regexp"
	"strings"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// Defaults returns what the server has defaulted of a live object and no
// manager has written, and what may be why it refuses an apply: the fields that
// the refusal names or, where the apply sets such a field, those next to it. So
// it is with a union of which a member was defaulted and the module sets
// another: rollingUpdate of a strategy that becomes Recreate, or emptyDir of a
// volume that gets a source. To drop a default loses nothing: the server gives
// the field its default again where it needs one. It is nil when there is none.
func (m Manager) Defaults(live api.Object, applied *fieldpath.Set, refused []string) *fieldpath.Set {
	owned := fieldpath.NewSet()
	for _, e := range entries(live) {
		set, err := e.fields()
		if err != nil {
			return nil // what a manager owns cannot be told
		}
		owned = owned.Union(set)
	}
	found := fieldpath.NewSet()
	for _, text := range refused {
		path := causePath(text)
		if len(path) > 1 && path[0] != "metadata" && path[0] != "status" {
			search{owned, applied}.in(map[string]any(live), path, nil, found)
		}
	}
	if found.Empty() {
		return nil
	}
	return found
}

var causeStep = regexp.MustCompile(`\[[^\]]*\]|[^.\[\]]+`)

// causePath splits the path of a field as a refusal names it. An index or a key
// becomes each: it is one of the object that was refused, not of the live one.
func causePath(text string) []string {
	path := causeStep.FindAllString(text, -1)
	for i, step := range path {
		if strings.HasPrefix(step, "[") {
			path[i] = each
		}
	}
	for len(path) > 0 && path[len(path)-1] == each {
		path = path[:len(path)-1]
	}
	return path
}

// search looks for fields that neither a manager nor the apply has written.
type search struct{ owned, applied *fieldpath.Set }

func (s search) below(pe fieldpath.PathElement) search {
	return search{s.owned.WithPrefix(pe), s.applied.WithPrefix(pe)}
}

func (s search) isWritten(pe fieldpath.PathElement) bool {
	return has(s.owned, pe) || has(s.applied, pe)
}

func has(set *fieldpath.Set, pe fieldpath.PathElement) bool {
	return set.Members.Has(pe) || !set.WithPrefix(pe).Empty()
}

func (s search) in(v any, path []string, prefix fieldpath.Path, found *fieldpath.Set) {
	switch {
	case path[0] == each:
		for pe := range top(s.applied) {
			if at, ok := lookup(v, pe); ok {
				s.below(pe).in(at, path[1:], append(prefix.Copy(), pe), found)
			}
		}
	case len(path) > 1:
		pe := field(path[0])
		at, _ := lookup(v, pe)
		s.below(pe).in(at, path[1:], append(prefix.Copy(), pe), found)
	default:
		fields, _ := v.(map[string]any)
		for name := range fields {
			named := name == path[0] || has(s.applied, field(path[0]))
			if pe := field(name); named && !s.isWritten(pe) {
				found.Insert(append(prefix.Copy(), pe))
			}
		}
	}
}

// Predict returns what an apply makes of a live object once the fields have
// moved. The server has applied the same object under another name, which tells
// the fields that the apply sets, list items and their keys included. What goes
// takes along what the server has defaulted below it: of an httpGet that becomes
// exec, its scheme.
func (m Manager) Predict(move Move, live, elsewhere api.Object) (api.Object, error) {
	applied := m.Applied(elsewhere)
	kept := applied
	for _, e := range entries(live) {
		if m.isOurs(e) || m.isOverridden(e, live) {
			continue
		}
		set, err := e.fields()
		if err != nil {
			return nil, err
		}
		kept = kept.Union(set)
	}
	rest, _ := prune(map[string]any(live.DeepCopy()), move.Fields, kept).(map[string]any)
	return valuesIn(elsewhere, applied).Over(rest), nil
}
