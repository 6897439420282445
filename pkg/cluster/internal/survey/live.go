// SPDX-License-Identifier: Apache-2.0

package survey

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/ownership"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
)

// Reader finds what the cluster has of an instance.
type Reader struct {
	Client      *kube.Client
	Concurrency int   // maximum number of concurrent requests
	Ahead       Lists // what was listed already
}

// Owned holds the live objects that carry an instance's labels.
type Owned struct {
	mu        sync.Mutex
	objects   map[api.ID]api.Object
	resources map[api.ID]kube.Resource
}

// Get returns the live object of an item, nil when the cluster has none that
// carries the labels of the instance.
func (l *Owned) Get(i *Item) api.Object {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.objects[i.Object.ID()]
}

func (l *Owned) add(resource kube.Resource, o api.Object) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.objects[o.ID()], l.resources[o.ID()] = o, resource
}

// ListOwned reads what the cluster has of an instance: one LIST for each kind
// and namespace among the items and those that were abandoned. Who may not list
// gets one GET per object.
func (r Reader) ListOwned(ctx context.Context, m api.Metadata, items []*Item, abandoned []store.ListKey) (*Owned, error) {
	live := &Owned{objects: map[api.ID]api.Object{}, resources: map[api.ID]kube.Resource{}}
	keys := byListKey(items)
	r.addAbandoned(keys, abandoned)
	err := kube.Each(r.Concurrency, slices.Collect(maps.Keys(keys)), func(key kube.ListKey) error {
		return r.listOne(ctx, m, key, keys[key], live)
	})
	return live, err
}

func (r Reader) listOne(ctx context.Context, m api.Metadata, key kube.ListKey, items []*Item, live *Owned) error {
	list, err := r.list(ctx, m, key)
	switch {
	case apierrors.IsNotFound(err):
		// The kind is known from a CustomResourceDefinition that is not
		// applied yet, or was removed: there are no objects.
		return r.listAgain(ctx, m, key.Resource, items, live)
	case apierrors.IsForbidden(err):
		return r.getOwned(ctx, m, items, live)
	case kube.IsUnavailable(err) && markUnknown(items, err):
		return nil
	case err != nil:
		return fmt.Errorf("list %s: %w", key.Resource.Resource, err)
	}
	for _, o := range list {
		live.add(key.Resource, o)
	}
	return nil
}

func (r Reader) getOwned(ctx context.Context, m api.Metadata, items []*Item, live *Owned) error {
	return kube.Each(r.Concurrency, items, func(i *Item) error {
		o, err := r.Client.Get(ctx, i.Resource, i.Object.Namespace(), i.Object.Name())
		switch {
		case apierrors.IsNotFound(err):
			return nil
		case kube.IsUnavailable(err) && markUnknown([]*Item{i}, err):
			return nil
		case err != nil:
			return fmt.Errorf("%s: %w", i.Ref(), err)
		}
		if ownership.Is(o, m) {
			live.add(i.Resource, o)
		}
		return nil
	})
}

// byListKey groups items by what one LIST covers.
func byListKey(items []*Item) map[kube.ListKey][]*Item {
	keys := map[kube.ListKey][]*Item{}
	for _, s := range items {
		if s.Resolved {
			key := s.Resource.ListKey(s.Object.Namespace())
			keys[key] = append(keys[key], s)
		}
	}
	return keys
}

// locate finds the resource of a recorded object. The version may be gone and
// the kind still be served in another one.
func (r Reader) locate(id api.ID, version string) (kube.Resource, error) {
	resource, err := r.Client.Resource(schema.GroupVersionKind{Group: id.Group, Version: version, Kind: id.Kind})
	if kube.IsUnknownKind(err) || kube.IsUnavailable(err) {
		resource, err = r.Client.Resource(schema.GroupVersionKind{Group: id.Group, Kind: id.Kind})
	}
	return resource, err
}

// listAgain reads the recorded objects of a list that was answered by NotFound:
// the discovery cache may name a version that is no longer served. A kind that
// is served in no version is gone, and its objects with it.
func (r Reader) listAgain(ctx context.Context, m api.Metadata, was kube.Resource, items []*Item, live *Owned) error {
	recorded := slices.DeleteFunc(slices.Clone(items), func(s *Item) bool { return !s.Recorded })
	if len(recorded) == 0 {
		return nil
	}
	served, err := r.Client.Served(schema.GroupVersionKind{Group: was.Group, Kind: was.Kind})
	switch {
	case kube.IsUnknownKind(err) || err == nil && served.GroupVersionResource == was.GroupVersionResource:
		return nil
	case kube.IsUnavailable(err):
		markUnknown(recorded, err)
		return nil
	case err != nil:
		return err
	}
	for _, s := range recorded {
		s.Resource = served
		s.Object["apiVersion"] = served.GroupVersion().String()
	}
	for key, moved := range byListKey(recorded) {
		if err := r.listOne(ctx, m, key, moved, live); err != nil {
			return err
		}
	}
	return nil
}

// markUnknown notes why it is unknown whether the objects of recorded items
// exist. It returns false when one of them is not only recorded but to be
// applied, which takes knowing it.
func markUnknown(items []*Item, reason error) bool {
	if slices.ContainsFunc(items, func(s *Item) bool { return !s.Recorded }) {
		return false
	}
	for _, s := range items {
		s.Unknown = reason.Error()
	}
	return true
}

// addAbandoned adds to the spaces to list those that the ledger remembers. A
// kind that is gone, or cannot be read, shows no orphans.
func (r Reader) addAbandoned(keys map[kube.ListKey][]*Item, abandoned []store.ListKey) {
	for _, a := range abandoned {
		resource, err := r.locate(api.ID{Group: a.Group, Kind: a.Kind}, a.Version)
		if err != nil {
			continue
		}
		key := kube.ListKey{Resource: resource, Namespace: a.Namespace}
		if !resource.Namespaced {
			key.Namespace = ""
		}
		if _, listed := keys[key]; !listed {
			keys[key] = nil
		}
	}
}
