// SPDX-License-Identifier: Apache-2.0

package api

import (
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// Target selects objects the way a person names them: by a kind, which may be
// followed by its group as in Deployment.apps, and by a name where it has one.
// Case does not matter in the kind.
type Target struct {
	Kind, Group     string
	Namespace, Name string // empty for any
}

// ParseTarget reads KIND[.GROUP], KIND[.GROUP]/NAME or KIND[.GROUP]/NAMESPACE/NAME:
// the last two are how kubectl and this tool name an object. The error is a
// usage error.
func ParseTarget(text string) (Target, error) {
	parts := strings.Split(text, "/")
	var t Target
	t.Kind, t.Group, _ = strings.Cut(parts[0], ".")
	switch len(parts) {
	case 1:
	case 2:
		t.Name = parts[1]
	case 3:
		t.Namespace, t.Name = parts[1], parts[2]
	}
	if t.Kind == "" || len(parts) > 3 || len(parts) > 1 && t.Name == "" || len(parts) > 2 && t.Namespace == "" {
		return Target{}, fail.Invalidf("invalid target %q: want KIND/NAME, for example Deployment/web", text)
	}
	return t, nil
}

// String returns the target as ParseTarget reads it.
func (t Target) String() string {
	text := t.Kind
	if t.Group != "" {
		text += "." + t.Group
	}
	for _, part := range []string{t.Namespace, t.Name} {
		if part != "" {
			text += "/" + part
		}
	}
	return text
}

// Selects says whether the target means an object.
func (t Target) Selects(o event.Object) bool {
	return strings.EqualFold(t.Kind, o.Kind) && (t.Group == "" || strings.EqualFold(t.Group, o.Group)) &&
		(t.Namespace == "" || t.Namespace == o.Namespace) && (t.Name == "" || t.Name == o.Name)
}

// AnySelects says whether one of the targets means an object.
func AnySelects(targets []Target, o event.Object) bool {
	return slices.ContainsFunc(targets, func(t Target) bool { return t.Selects(o) })
}
