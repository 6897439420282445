// SPDX-License-Identifier: Apache-2.0

// Package ready says whether objects are ready, and why they are not. It
// follows them by watches, and never asks at fixed intervals.
package ready

import (
	"context"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// Watcher watches the objects of one cluster.
type Watcher struct {
	Client   *kube.Client
	Observer event.Observer // nil discards all events

	// Along is told what waits read of Pods and events, nil for none.
	Along Companion
	// Broken is told by Feed that what it follows cannot be listed at present, each
	// time; nil for none.
	Broken func(error)
}

// Companion is told what a wait reads, in the order in which it reads it. A
// companion accompanies one wait after the other.
type Companion interface {
	// Begin is told that a wait for items begins: not when all are ready from
	// the start. What the companion does in addition ends with ctx.
	Begin(ctx context.Context, items []*Item)
	// Seen is told of a Pod or an event, when it is first read and at each change.
	Seen(o api.Object, gone bool)
	// Unread is told that objects of a kind may not be read in a namespace.
	Unread(kind, namespace string)
	// End is told that the wait is over.
	End()
}

func (w Watcher) observe(happened event.Event) {
	if w.Observer != nil {
		w.Observer.Observe(happened)
	}
}

// Item is one object that is watched.
type Item struct {
	Object   api.Object // names the object, with the labels of its owner
	Resource kube.Resource
	Live     api.Object // as last seen, nil when it does not exist
}

// Ref names the item's object.
func (i *Item) Ref() event.Object { return i.Object.Ref() }

// byListKey groups items by what one LIST covers.
func byListKey(items []*Item) map[kube.ListKey][]*Item {
	keys := map[kube.ListKey][]*Item{}
	for _, i := range items {
		key := i.Resource.ListKey(i.Object.Namespace())
		keys[key] = append(keys[key], i)
	}
	return keys
}

// Changes returns a channel that tells that one of the items may have changed:
// one message may stand for several changes. It ends with ctx.
func (w Watcher) Changes(ctx context.Context, items []*Item) <-chan struct{} {
	changed := make(chan struct{}, 1)
	all := w.follow(ctx, items)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-all:
			}
			select {
			case changed <- struct{}{}:
			default: // it was told already
			}
		}
	}()
	return changed
}
