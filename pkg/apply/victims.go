// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/kube"
)

// countVictims says of each definition of a kind that is to be deleted how many
// objects go with it.
func (e *Engine) countVictims(ctx context.Context, steps []*Step) error {
	for _, s := range steps {
		if s.Action != event.Deleted || !isCRD(s.live) {
			continue
		}
		gk, _ := definedBy(s.live)
		r, err := e.Client.Resource(schema.GroupVersionKind{Group: gk.Group, Kind: gk.Kind})
		if kube.IsUnknownKind(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.Ref(), err)
		}
		list, _, err := e.Client.List(ctx, r, "", kube.Selector{})
		if err != nil {
			return fmt.Errorf("count what %s holds: %w", s.Ref(), err)
		}
		s.Reason = fmt.Sprintf("with all objects of its kind, %d now", len(list))
	}
	return nil
}

// checkVictims looks at what is to be pruned although it is protected: of a
// definition of a kind it says how many objects go along, and a namespace is
// kept as long as it holds anything that does not go too (SAFETY.md, S3).
func (e *Engine) checkVictims(ctx context.Context, plan *Plan) error {
	doomed := map[string]bool{}
	for _, s := range plan.Prune {
		doomed[kube.UID(s.live)] = s.Action == event.Deleted
	}
	for _, s := range plan.Prune {
		if s.Action != event.Deleted || !isNamespace(s.live) {
			continue
		}
		if s.Object.Name() == plan.instance.Metadata.Namespace {
			s.Action, s.Reason = event.Kept, "it is the namespace of the instance"
			continue
		}
		what, err := e.content(ctx, s.Object.Name(), doomed)
		if err != nil {
			return fmt.Errorf("find out what %s holds: %w", s.Ref(), err)
		}
		if what != "" {
			s.Action, s.Reason = event.Kept, "it holds "+what
		}
	}
	return e.countVictims(ctx, plan.Prune)
}

// content names an object in a namespace that is not to be deleted by itself
// and was not put there by Kubernetes; empty when there is none.
func (e *Engine) content(ctx context.Context, namespace string, doomed map[string]bool) (string, error) {
	resources, err := e.Client.Namespaced()
	if err != nil {
		return "", err
	}
	var mu sync.Mutex
	first := ""
	err = each(e.concurrency(), resources, func(r kube.Resource) error {
		if isDerived(r) {
			return nil
		}
		list, _, err := e.Client.List(ctx, r, namespace, kube.Selector{})
		if err != nil {
			return fmt.Errorf("list %s: %w", r.Resource, err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, o := range list {
			// What has an owner goes with it.
			if name := refOf(o).String(); !doomed[kube.UID(o)] && !isDefault(o) && !hasOwner(o) && (first == "" || name < first) {
				first = name
			}
		}
		return nil
	})
	return first, err
}

// isDerived says whether the objects of a resource only tell of others.
func isDerived(r kube.Resource) bool {
	switch r.Group + "/" + r.Resource {
	case "/events", "events.k8s.io/events", "/endpoints", "metrics.k8s.io/pods":
		return true
	}
	return false
}

// isDefault says whether Kubernetes puts the object into every namespace.
func isDefault(o api.Object) bool {
	switch refOf(o).Kind + "/" + o.Name() {
	case "ServiceAccount/default", "ConfigMap/kube-root-ca.crt":
		return o.Group() == ""
	}
	return false
}

func hasOwner(o api.Object) bool {
	owners, _, _ := unstructured.NestedSlice(o, "metadata", "ownerReferences")
	return len(owners) > 0
}
