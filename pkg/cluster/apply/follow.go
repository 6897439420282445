// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
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
	step *Step
	live api.Object
	err  error // following its kind is not possible
}

// follow sends the state of every step's object, first as it is and then at
// each change, until ctx ends. It uses one LIST and one WATCH for each kind
// and namespace; a watch that breaks is taken up again.
func (e *Engine) follow(ctx context.Context, steps []*Step) <-chan change {
	changes := make(chan change)
	for sp, members := range bySpace(steps) {
		f := follower{client: e.Client, space: sp, out: changes, steps: map[api.ID]*Step{}}
		for _, s := range members {
			f.steps[s.Object.ID()] = s
		}
		f.selector = selectorFor(members)
		go f.run(ctx)
	}
	return changes
}

// selectorFor returns what selects the objects of the steps: the name of a
// single one, the labels of their owner otherwise.
func selectorFor(steps []*Step) kube.Selector {
	o := steps[0].Object
	if len(steps) == 1 {
		return kube.ByName(o.Name())
	}
	if steps[0].live != nil {
		o = steps[0].live
	}
	return kube.Selector{Labels: selectorOf(api.Metadata{
		Name: o.Label(api.LabelInstanceName), Namespace: o.Label(api.LabelInstanceNamespace),
	})}
}

// follower follows the objects of one kind in one namespace.
type follower struct {
	client   *kube.Client
	space    space
	selector kube.Selector
	steps    map[api.ID]*Step
	out      chan<- change
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
			f.fail(ctx, err)
			return
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

// listAndWatch sends what there is and then the changes, until the watch ends.
func (f follower) listAndWatch(ctx context.Context) error {
	list, version, err := f.client.List(ctx, f.space.resource, f.space.namespace, f.selector)
	if err != nil {
		return err
	}
	found := map[api.ID]api.Object{}
	for _, o := range list {
		found[o.ID()] = o
	}
	for id, s := range f.steps {
		f.send(ctx, change{step: s, live: found[id]})
	}
	w, err := f.client.Watch(ctx, f.space.resource, f.space.namespace, f.selector, version)
	if err != nil {
		return err
	}
	defer w.Stop()
	for e := range w.ResultChan() {
		u, ok := e.Object.(*unstructured.Unstructured)
		if !ok || e.Type == watch.Error {
			return apierrors.FromObject(e.Object)
		}
		o := api.Object(u.Object)
		s := f.steps[o.ID()]
		if s == nil || e.Type == watch.Bookmark {
			continue
		}
		if e.Type == watch.Deleted {
			o = nil
		}
		f.send(ctx, change{step: s, live: o})
	}
	return nil
}

func (f follower) fail(ctx context.Context, err error) {
	for _, s := range f.steps {
		f.send(ctx, change{step: s, err: fmt.Errorf("watch %s: %w", s.Ref(), err)})
	}
}

func (f follower) send(ctx context.Context, c change) {
	select {
	case f.out <- c:
	case <-ctx.Done():
	}
}
