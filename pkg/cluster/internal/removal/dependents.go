// SPDX-License-Identifier: Apache-2.0

package removal

import (
	"context"
	"fmt"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/survey"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kinds"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// CountDependents says of each CRD and of each namespace that is
// to be deleted how many objects go with it.
func (r Remover) CountDependents(ctx context.Context, m api.Metadata, items []*survey.Item) error {
	if err := r.keepShared(ctx, m, items); err != nil {
		return err
	}
	toDelete := uidsOf(items)
	for _, s := range items {
		if s.Action != event.Deleted {
			continue
		}
		var err error
		switch {
		case s.Live.IsCRD():
			s.Reason, err = r.countKind(ctx, s.Live)
		case s.Live.IsNamespace():
			err = r.countNamespaced(ctx, m, s, toDelete)
		}
		if kube.IsUnavailable(err) {
			s.KeepUnknown(err)
			continue
		}
		if err != nil {
			return fmt.Errorf("count what %s holds: %w", s.Ref(), err)
		}
	}
	return nil
}

func (r Remover) countKind(ctx context.Context, crd api.Object) (string, error) {
	list, err := r.listKind(ctx, crd)
	return fmt.Sprintf("with all objects of its kind, %d now", len(list)), err
}

// listKind returns the objects of the kind that crd defines, none when it is
// not served any more.
func (r Remover) listKind(ctx context.Context, crd api.Object) ([]api.Object, error) {
	gk, _ := kinds.Defined(crd)
	resource, err := r.Client.Resource(schema.GroupVersionKind{Group: gk.Group, Kind: gk.Kind})
	if kube.IsUnknownKind(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	list, _, err := r.Client.List(ctx, resource, "", kube.Selector{})
	if apierrors.IsNotFound(err) {
		return nil, nil // another delete was faster
	}
	return list, err
}

// countNamespaced counts what a namespace holds other than the objects that are
// to be deleted themselves and the record of the instance. A namespace of which
// that is unknown is kept.
func (r Remover) countNamespaced(ctx context.Context, m api.Metadata, s *survey.Item, toDelete map[string]bool) error {
	names, unknown, err := r.content(ctx, s.Live.Name(), toDelete)
	if err != nil {
		return err
	}
	if unknown != nil {
		s.KeepUnknown(unknown...)
		return nil
	}
	record := event.Object{Kind: "Secret", Namespace: m.Namespace, Name: api.RecordPrefix + m.Name}.String()
	names = slices.DeleteFunc(names, func(name string) bool { return name == record })
	if s.Reason = ""; len(names) > 0 {
		s.Reason = fmt.Sprintf("with all that is in it: %d other objects now", len(names))
	}
	return nil
}

// uidsOf returns the uids of the live objects that are to be deleted.
func uidsOf(items []*survey.Item) map[string]bool {
	toDelete := map[string]bool{}
	for _, s := range items {
		toDelete[kube.UID(s.Live)] = s.Action == event.Deleted
	}
	return toDelete
}

// CheckDeletes asks the server about the deletes of a dry run, if that is
// wanted: what it refuses is an error.
func (r Remover) CheckDeletes(ctx context.Context, items []*survey.Item, wanted bool) error {
	if !wanted {
		return nil
	}
	return kube.Each(r.Concurrency, items, func(s *survey.Item) error {
		if s.Action != event.Deleted {
			return nil
		}
		err := r.Client.CheckDelete(ctx, s.Resource, s.Live)
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("delete %s: %w", s.Ref(), err)
		}
		return nil
	})
}

// CheckDependents looks at what is to be pruned although it is protected: of a
// CRD it says how many objects go along, and a namespace is kept as long as it
// holds anything that does not go too (docs/safety.md, S3).
func (r Remover) CheckDependents(ctx context.Context, m api.Metadata, prune []*survey.Item) error {
	toDelete := uidsOf(prune)
	for _, s := range prune {
		if s.Action != event.Deleted || !s.Live.IsNamespace() {
			continue
		}
		if s.Object.Name() == m.Namespace {
			s.Action, s.Reason = event.Kept, "it is the namespace of the instance"
			continue
		}
		what, _, err := r.content(ctx, s.Object.Name(), toDelete) // countNamespaced minds what is unknown
		if err != nil {
			return fmt.Errorf("find out what %s holds: %w", s.Ref(), err)
		}
		if len(what) > 0 {
			s.Action, s.Reason = event.Kept, "it holds "+slices.Min(what)
		}
	}
	return r.CountDependents(ctx, m, prune)
}

// content names the objects in a namespace that are not to be deleted by
// themselves and were not put there by Kubernetes. unknown says which API groups
// do not tell what they hold.
func (r Remover) content(ctx context.Context, namespace string, toDelete map[string]bool) (names []string, unknown []error, err error) {
	resources, unknown, err := r.Client.Namespaced()
	if err != nil {
		return nil, nil, err
	}
	var mu sync.Mutex
	err = kube.Each(r.Concurrency, resources, func(resource kube.Resource) error {
		if isDerived(resource) {
			return nil
		}
		list, _, failed := r.Client.List(ctx, resource, namespace, kube.Selector{})
		mu.Lock()
		defer mu.Unlock()
		switch {
		case apierrors.IsNotFound(failed):
			return nil // its CustomResourceDefinition was deleted meanwhile
		case kube.IsUnavailable(failed):
			unknown = append(unknown, fmt.Errorf("list %s: %w", resource.GroupResource(), failed))
			return nil
		case failed != nil:
			return fmt.Errorf("list %s: %w", resource.Resource, failed)
		}
		for _, o := range list {
			// What has an owner goes with it.
			if !toDelete[kube.UID(o)] && !isDefault(o) && !hasOwner(o) {
				names = append(names, o.Ref().String())
			}
		}
		return nil
	})
	return names, unknown, err
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
	switch o.Ref().Kind + "/" + o.Name() {
	case "ServiceAccount/default", "ConfigMap/kube-root-ca.crt":
		return o.Group() == ""
	}
	return false
}

func hasOwner(o api.Object) bool {
	owners, _, _ := unstructured.NestedSlice(o, "metadata", "ownerReferences")
	return len(owners) > 0
}
