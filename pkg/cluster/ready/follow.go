// SPDX-License-Identifier: Apache-2.0

package ready

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
)

// change is a new state of one object that is followed; live is nil when the
// object is gone.
type change struct {
	item *Item
	live api.Object
	err  error // following its kind is not possible
}

// follow sends the state of every item, first as it is and then at each change,
// until ctx ends. It uses one LIST and one WATCH for each kind and namespace; a
// watch that breaks is taken up again.
func (w Watcher) follow(ctx context.Context, items []*Item) <-chan change {
	changes := make(chan change)
	for key, members := range byListKey(items) {
		known := map[api.ID]*Item{}
		for _, i := range members {
			known[i.Object.ID()] = i
		}
		f := follower{client: w.Client, key: key, selector: selectorFor(members)}
		f.listed = func(list []api.Object) {
			found := map[api.ID]api.Object{}
			for _, o := range list {
				found[o.ID()] = o
			}
			for id, i := range known {
				send(ctx, changes, change{item: i, live: found[id]})
			}
		}
		f.changed = func(o api.Object, gone bool) {
			i := known[o.ID()]
			if i == nil {
				return
			}
			if gone {
				o = nil
			}
			send(ctx, changes, change{item: i, live: o})
		}
		f.failed = func(err error) {
			for _, i := range known {
				send(ctx, changes, change{item: i, err: fmt.Errorf("watch %s: %w", i.Ref(), err)})
			}
		}
		go f.run(ctx)
	}
	return changes
}

// send sends a value unless ctx ends before it is received.
func send[T any](ctx context.Context, out chan<- T, value T) {
	select {
	case out <- value:
	case <-ctx.Done():
	}
}

// selectorFor returns what selects the objects of the items: the name of a
// single one, the labels of their owner when all have the same.
func selectorFor(items []*Item) kube.Selector {
	if len(items) == 1 {
		return kube.ByName(items[0].Object.Name())
	}
	selector := items[0].ownerSelector()
	for _, i := range items[1:] {
		if i.ownerSelector() != selector {
			return kube.Selector{}
		}
	}
	return selector
}

// ownerSelector returns what selects the objects of the item's owner.
func (i *Item) ownerSelector() kube.Selector {
	o := i.Object
	if i.Live != nil {
		o = i.Live
	}
	owner := api.Metadata{Name: o.Label(api.LabelInstanceName), Namespace: o.Label(api.LabelInstanceNamespace)}
	return kube.Selector{Labels: owner.Selector()}
}

// follower follows the objects of one kind in one namespace.
type follower struct {
	client   *kube.Client
	key      kube.ListKey
	selector kube.Selector
	later    *kube.Selector // of the watch, nil for that of the list

	listed  func([]api.Object)            // all that there is, at first and after a break
	changed func(o api.Object, gone bool) // one that has changed since
	failed  func(error)                   // it may not be followed, which ends it
	broken  func(error)                   // it cannot be read at present; nil for whom that is no news
}

// Feed calls seen with each object of a kind in a namespace, first as it is and
// then at each change, until ctx ends. It calls failed when they may not be read,
// which ends it.
func (w Watcher) Feed(ctx context.Context, key kube.ListKey, seen func(o api.Object, gone bool), failed func(error)) {
	follower{
		client: w.Client, key: key,
		listed: func(list []api.Object) {
			for _, o := range list {
				seen(o, false)
			}
		},
		changed: seen, failed: failed, broken: w.Broken,
	}.run(ctx)
}

// The pause before a broken LIST or WATCH is tried again grows from the first
// to the last of these.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = 5 * time.Second
)

func (f follower) run(ctx context.Context) {
	pause := firstPause
	for ctx.Err() == nil {
		started := time.Now()
		err := f.listAndWatch(ctx)
		if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
			f.failed(err)
			return
		}
		if _, isListing := errors.AsType[*listError](err); isListing && f.broken != nil && ctx.Err() == nil {
			f.broken(err)
		}
		if time.Since(started) > lastPause {
			pause = firstPause
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, lastPause)
	}
}

// listError says that a LIST failed. A watch that ends is no news.
type listError struct{ error }

func (e *listError) Unwrap() error { return e.error }

// listAndWatch reports what there is and then the changes, until the watch ends.
func (f follower) listAndWatch(ctx context.Context) error {
	list, version, listed := f.client.List(ctx, f.key.Resource, f.key.Namespace, f.selector)
	if listed != nil && !apierrors.IsNotFound(listed) {
		return &listError{listed}
	}
	// A kind that is not served has no objects: its CustomResourceDefinition
	// was deleted, for example.
	f.listed(list)
	if listed != nil {
		return listed
	}
	selector := f.selector
	if f.later != nil {
		selector = *f.later
	}
	w, err := f.client.Watch(ctx, f.key.Resource, f.key.Namespace, selector, version)
	if err != nil {
		return err
	}
	defer w.Stop()
	for e := range w.ResultChan() {
		u, ok := e.Object.(*unstructured.Unstructured)
		if !ok || e.Type == watch.Error {
			return apierrors.FromObject(e.Object)
		}
		if e.Type != watch.Bookmark {
			f.changed(api.Object(u.Object), e.Type == watch.Deleted)
		}
	}
	return nil
}
