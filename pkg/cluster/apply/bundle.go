// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"fmt"
	"maps"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// BundleError refuses to change an instance of another bundle, of a bundle as
// one of none, or of none as one of a bundle.
type BundleError struct {
	Instance      api.Metadata
	Owner, Wanted string // bundles, empty for none
}

func (e *BundleError) Error() string {
	if e.Owner == "" {
		return fmt.Sprintf("instance %q in namespace %q belongs to no bundle", e.Instance.Name, e.Instance.Namespace)
	}
	return fmt.Sprintf("instance %q in namespace %q belongs to the bundle %q", e.Instance.Name, e.Instance.Namespace, e.Owner)
}

// checkBundle refuses to change an instance that a request does not own
// (docs/design.md, decision 5). record is nil when nothing is installed.
func checkBundle(record *store.Record, req Request) error {
	if record == nil || record.Bundle() == req.Bundle.Name || req.Adopt == AdoptAll {
		return nil
	}
	e := &BundleError{Instance: req.Instance.Metadata, Owner: record.Bundle(), Wanted: req.Bundle.Name}
	refused := fail.With(fail.Refused, e)
	if e.Wanted == "" {
		return fail.Hint(refused, "change it with 'kubectl timoni bundle apply'; to take it out of its bundle: --adopt=all")
	}
	return fail.Hint(refused, "to take it into the bundle %q: --adopt=all", e.Wanted)
}

// Earlier is what the instances bring that a run applies before this one. Nil
// stands for none.
type Earlier struct {
	kinds   map[schema.GroupKind]kube.Resource
	objects map[api.ID]string // foundations that change, with their instance
	spaces  map[string]string // namespaces that do not exist yet, with their instance
}

// With returns what is brought once a plan is carried out, too.
func (b *Earlier) With(plan *Plan) *Earlier {
	next := &Earlier{kinds: map[schema.GroupKind]kube.Resource{}, objects: map[api.ID]string{}, spaces: map[string]string{}}
	if b != nil {
		maps.Copy(next.kinds, b.kinds)
		maps.Copy(next.objects, b.objects)
		maps.Copy(next.spaces, b.spaces)
	}
	m := plan.instance.Metadata
	if plan.newSpace {
		next.spaces[m.Namespace] = m.Name
	}
	for _, s := range plan.Steps {
		if !isFoundation(s.Object) || !changes(s) {
			continue
		}
		next.objects[s.Object.ID()] = m.Name
		if isNamespace(s.Object) && s.Action == event.Created {
			next.spaces[s.Object.Name()] = m.Name
		}
	}
	maps.Copy(next.kinds, renderedKinds(plan.request.Stages))
	return next
}

// addKinds adds the kinds that are brought to those that a run renders itself.
func (b *Earlier) addKinds(rendered map[schema.GroupKind]kube.Resource) {
	if b == nil {
		return
	}
	for gk, r := range b.kinds {
		if _, own := rendered[gk]; !own {
			rendered[gk] = r
		}
	}
}

// deferral returns why the server cannot judge a step before the instances are
// there that come first, empty when it can.
func (b *Earlier) deferral(s *Step) string {
	if b == nil {
		return ""
	}
	if !s.resolved {
		return "its kind is unknown, an earlier instance may install it"
	}
	if by := b.spaces[s.Object.Namespace()]; by != "" {
		return fmt.Sprintf("namespace %q is created with instance %q", s.Object.Namespace(), by)
	}
	if by := b.objects[definitionOf(s.Resource)]; by != "" {
		return fmt.Sprintf("its CustomResourceDefinition is changed by instance %q", by)
	}
	if role, ok := roleOf(s.Object); ok && b.objects[role] != "" {
		return fmt.Sprintf("its role is changed by instance %q", b.objects[role])
	}
	return ""
}

// definitionOf returns the identity of the CustomResourceDefinition of a
// resource.
func definitionOf(r kube.Resource) api.ID {
	return api.ID{Group: extensionsGroup, Kind: "CustomResourceDefinition", Name: r.Resource + "." + r.Group}
}
