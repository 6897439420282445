// SPDX-License-Identifier: Apache-2.0

package bundle

import (
	"maps"
	"slices"
	"strings"

	"cuelang.org/go/cue"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// order puts the instances in the order in which they are applied: that of the
// fields, except that an instance comes after those that it depends on.
func (r *reader) order(b *Bundle, root cue.Value) {
	at := func(name, field string) cue.Value {
		return root.LookupPath(cue.MakePath(cue.Str("bundle"), cue.Str("instances"), cue.Str(name), cue.Str(field)))
	}
	names := make([]string, len(b.Instances))
	byName := map[string]Instance{}
	for i, in := range b.Instances {
		names[i], byName[in.Name] = in.Name, in
	}
	for _, in := range b.Instances {
		for _, other := range in.dependsOn {
			if !slices.Contains(names, other) {
				r.problem(at(in.Name, "dependsOn"), "there is no instance %q%s", other, fail.Suggest(other, names))
			}
		}
	}
	if len(r.problems) > 0 {
		return
	}
	w := &walk{byName: byName, done: map[string]bool{}}
	for _, name := range names {
		if cycle := w.visit(name, nil); cycle != nil {
			r.problem(at(cycle[0], "dependsOn"), "the instances depend on each other: %s", strings.Join(cycle, " → "))
			return
		}
	}
	b.Instances = w.sorted
}

// walk visits instances after those that they depend on.
type walk struct {
	byName map[string]Instance
	done   map[string]bool
	sorted []Instance
}

// visit returns the cycle that it meets, if there is one. path leads to name.
func (w *walk) visit(name string, path []string) []string {
	if w.done[name] {
		return nil
	}
	if i := slices.Index(path, name); i >= 0 {
		return append(slices.Clone(path[i:]), name)
	}
	path = append(slices.Clone(path), name)
	for _, other := range w.byName[name].dependsOn {
		if cycle := w.visit(other, path); cycle != nil {
			return cycle
		}
	}
	w.done[name] = true
	w.sorted = append(w.sorted, w.byName[name])
	return nil
}

// Before returns, for each of some instances of the bundle in its order, the
// indices of those that have to be ready before it: those that it depends on,
// directly or not. Without any dependsOn in the bundle, they are all earlier
// ones.
func (b *Bundle) Before(selected []Instance) [][]int {
	isGraph := slices.ContainsFunc(b.Instances, func(in Instance) bool { return len(in.dependsOn) > 0 })
	needs := map[string]map[string]bool{}
	for _, in := range b.Instances { // after those that it depends on
		needs[in.Name] = map[string]bool{}
		for _, other := range in.dependsOn {
			needs[in.Name][other] = true
			maps.Copy(needs[in.Name], needs[other])
		}
	}
	before := make([][]int, len(selected))
	for i, in := range selected {
		for k, other := range selected[:i] {
			if !isGraph || needs[in.Name][other.Name] {
				before[i] = append(before[i], k)
			}
		}
	}
	return before
}
