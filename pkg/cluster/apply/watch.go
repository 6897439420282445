// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// Watch returns a channel that tells that an object of a record may have
// changed: one message may stand for several changes. It ends with ctx.
func (e *Engine) Watch(ctx context.Context, record *store.Record) (<-chan struct{}, error) {
	steps, err := e.recorded(record)
	if err != nil {
		return nil, err
	}
	return e.watcher().Changes(ctx, items(steps)), nil
}

// watcher returns what follows the engine's objects.
func (e *Engine) watcher() ready.Watcher {
	return ready.Watcher{Client: e.Client, Observer: e.Observer}
}

// items returns what there is to watch of steps: not those of a kind that the
// server does not know.
func items(steps []*Step) []*ready.Item {
	var items []*ready.Item
	for _, s := range steps {
		if s.resolved {
			items = append(items, &ready.Item{Object: s.Object, Resource: s.Resource, Live: s.now()})
		}
	}
	return items
}

// Events returns the last events, warnings first and at most limit, about
// objects and about what was made for them.
func (e *Engine) Events(ctx context.Context, objects []event.Object, limit int) []ready.Event {
	return e.watcher().Events(ctx, objects, limit)
}
