// SPDX-License-Identifier: Apache-2.0

package fieldset

import (
	"slices"
	"strings"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// Manager is the field manager under which an instance is applied.
type Manager struct {
	Name   string
	Former []string // earlier names of it, whose fields move to Name
}

// isOurs says whether an entry holds what the manager has applied.
func (m Manager) isOurs(e entry) bool {
	return e.manager() == m.Name && e.isApply() && e.subresource() == ""
}

// isTools says whether an entry is one of a tool that a person used on the
// object by hand, or before it became ours (docs/interop.md, section 3).
func (m Manager) isTools(e entry) bool {
	name := e.manager()
	switch {
	case e.subresource() == "status":
		return false
	case name == m.Name: // what the manager has written, and not applied: an object that was put back
		return !m.isOurs(e) && e.subresource() == ""
	}
	return m.overrides(name)
}

// isOverridden says whether an entry of a live object is one of a tool with
// fields that are taken back, so that what it added goes.
func (m Manager) isOverridden(e entry, live api.Object) bool {
	if !m.isTools(e) {
		return false
	}
	set, err := e.fields()
	return err != nil || !set.Difference(left(live)).Empty()
}

// overrides says whether the fields of a manager of another name are taken back.
func (m Manager) overrides(name string) bool {
	return slices.Contains(m.Former, name) || strings.HasPrefix(name, "kubectl") || strings.HasPrefix(name, "helm") ||
		strings.HasPrefix(name, "Helm") || name == "before-first-apply"
}

// Applied returns the fields that the manager has applied, nil when there are
// none.
func (m Manager) Applied(o api.Object) *fieldpath.Set {
	for _, e := range entries(o) {
		if m.isOurs(e) {
			if set, err := e.fields(); err == nil {
				return set
			}
		}
	}
	return nil
}

// Same says whether two sets, of which each may be nil, hold the same fields.
func Same(a, b *fieldpath.Set) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equals(b)
}

// hasOverridden reports whether a live object has fields that are taken back.
func (m Manager) hasOverridden(live api.Object) bool {
	return slices.ContainsFunc(entries(live), func(e entry) bool { return m.isOverridden(e, live) })
}

// ReplicasOwner names who scales the object through its scale subresource, an
// autoscaler; empty when no manager does. A person who did is overridden.
func (m Manager) ReplicasOwner(live api.Object) string {
	for _, e := range entries(live) {
		if e.subresource() == "scale" && !m.isTools(e) {
			return e.manager()
		}
	}
	return ""
}

// OtherAppliers returns the other managers that apply the object server-side.
func (m Manager) OtherAppliers(live api.Object) []string {
	var names []string
	for _, e := range entries(live) {
		if e.isApply() && e.manager() != m.Name && !m.isTools(e) {
			names = append(names, e.manager())
		}
	}
	return names
}
