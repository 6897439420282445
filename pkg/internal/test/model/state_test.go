// SPDX-License-Identifier: Apache-2.0

package model_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// keys are the objects that modules of the model may have, as KIND/NAME.
var keys = []string{"ConfigMap/a", "ConfigMap/b", "ConfigMap/c", "Secret/a", "Secret/b"}

// versioned is the object that only the second version of the module has.
const versioned = "ConfigMap/version"

// object is what a revision says of one object.
type object struct {
	value     string
	keep      bool // annotated so that it is never pruned
	oneOff    bool // annotated so that it is never changed
	immutable bool
}

// revision is a module's version and its values.
type revision struct {
	version string
	objects map[string]object
}

// all returns the objects that the module renders.
func (r revision) all() map[string]object {
	all := maps.Clone(r.objects)
	if r.version == "2.0.0" {
		all[versioned] = object{value: "2"}
	}
	return all
}

func (r revision) String() string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(r.objects)) {
		parts = append(parts, fmt.Sprintf("%s%+v", key, r.objects[key]))
	}
	return r.version + " " + strings.Join(parts, " ")
}

func (r revision) equal(other revision) bool {
	return r.version == other.version && maps.Equal(r.objects, other.objects)
}

// thing is an object that exists.
type thing struct {
	object
	ours  bool
	extra map[string]bool // data keys that others have added
}

// model is what must be.
type model struct {
	cluster   map[string]*thing
	installed bool
	inventory map[string]bool
	history   []revision
}

func newModel() *model { return &model{cluster: map[string]*thing{}, inventory: map[string]bool{}} }

func (m *model) keys() []string { return slices.Sorted(maps.Keys(m.cluster)) }

// outcome is how a verb ends.
type outcome string

const (
	succeeds outcome = "success"
	refuses  outcome = "refusal"
	fails    outcome = "failure"
)

// apply is what an apply must come to.
func (m *model) apply(r revision, adopt bool) outcome {
	wanted := r.all()
	if len(wanted) == 0 {
		return refuses
	}
	for key, o := range wanted {
		if live := m.cluster[key]; live != nil && !live.ours && !o.oneOff && !adopt {
			return refuses
		}
	}
	for key, o := range wanted {
		m.applyOne(key, o)
	}
	for key := range m.inventory {
		if _, stays := wanted[key]; !stays {
			m.removeOne(key)
		}
	}
	m.inventory = map[string]bool{}
	for key := range wanted {
		m.inventory[key] = true
	}
	if !m.installed || !m.history[len(m.history)-1].equal(r) {
		m.history = append(m.history, r)
	}
	m.installed = true
	return succeeds
}

func (m *model) applyOne(key string, o object) {
	live := m.cluster[key]
	switch {
	case live == nil:
		live = &thing{}
	case o.oneOff:
		return
	case live.immutable && (!o.immutable || live.value != o.value):
		live = &thing{} // recreated
	default:
		delete(live.extra, byKubectl)
	}
	live.object, live.ours = o, true
	m.cluster[key] = live
}

// removeOne prunes or deletes an object that is in the inventory.
func (m *model) removeOne(key string) {
	if live := m.cluster[key]; live != nil && live.ours && !live.keep {
		delete(m.cluster, key)
	}
}

func (m *model) delete() outcome {
	for key := range m.inventory {
		m.removeOne(key)
	}
	m.installed, m.inventory, m.history = false, map[string]bool{}, nil
	return succeeds
}

// state returns what is to be seen in the cluster: an object a line, the
// inventory and how many revisions are remembered.
func (m *model) state() []string {
	var lines []string
	for key, t := range m.cluster {
		lines = append(lines, line(key, t.value, slices.Sorted(maps.Keys(t.extra))))
	}
	slices.Sort(lines)
	if !m.installed {
		return append(lines, "not installed")
	}
	return append(lines, fmt.Sprintf("inventory %q, %d revisions", slices.Sorted(maps.Keys(m.inventory)), len(m.history)))
}

// kindOf returns the kind of a key.
func kindOf(key string) string {
	kind, _, _ := strings.Cut(key, "/")
	return kind
}

func line(key, value string, extra []string) string {
	return fmt.Sprintf("%s=%s %q", key, value, extra)
}
