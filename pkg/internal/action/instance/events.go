// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/tree"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// family is what the events of an instance are about: its objects and what they
// own.
type family struct {
	lineage *tree.Lineage
	objects []event.Object
}

// familyOf tells the observer which of them it cannot know.
func familyOf(ctx context.Context, client *kube.Client, key Key, observer event.Observer) (family, error) {
	report, live, err := roots(ctx, client, key)
	if err != nil {
		return family{}, err
	}
	owned, err := tree.Reader{Client: client}.Owned(ctx, tree.Keys(live))
	if err != nil {
		return family{}, err
	}
	for _, what := range owned.Unread {
		observer.Observe(event.Warning{Text: fmt.Sprintf("events about %s may be missing: the right to list them is missing", what)})
	}
	f := family{lineage: tree.NewLineage(live)}
	for _, o := range owned.Objects {
		f.lineage.Add(o)
	}
	for _, root := range report.Roots {
		f.objects = append(f.objects, root.Object)
	}
	return f, nil
}

// namespaces returns where the events are. Those about what is in no namespace
// are in default.
func (f family) namespaces() []string {
	var names []string
	for _, o := range f.objects {
		name := o.Namespace
		if name == "" {
			name = "default"
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Events returns the events about the objects of an instance and about what they
// own, the newest last.
func Events(ctx context.Context, client *kube.Client, key Key, observer event.Observer) ([]ready.Event, error) {
	f, err := familyOf(ctx, client, key, observer)
	if err != nil {
		return nil, err
	}
	events := []ready.Event{}
	for _, ns := range f.namespaces() {
		found, _, err := client.List(ctx, kube.Core("Event", "events"), ns, kube.Selector{})
		if err != nil {
			return nil, fmt.Errorf("list the events of namespace %q: %w", ns, err)
		}
		for _, o := range found {
			if f.lineage.IsOf(o, f.objects) {
				events = append(events, ready.EventOf(o))
			}
		}
	}
	slices.SortStableFunc(events, func(a, b ready.Event) int { return strings.Compare(a.Time, b.Time) })
	return events, nil
}

// WatchEvents calls seen with each event about the objects of an instance and
// about what is made for them, those that are there first, until ctx ends.
func WatchEvents(ctx context.Context, client *kube.Client, key Key, observer event.Observer, seen func(ready.Event) error) error {
	f, err := familyOf(ctx, client, key, observer)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var mu sync.Mutex
	var once sync.Once
	broken := func(err error) {
		once.Do(func() { observer.Observe(event.Warning{Text: fmt.Sprintf("list the events: %v: trying again", err)}) })
	}
	for _, ns := range f.namespaces() {
		go ready.Watcher{Client: client, Broken: broken}.Feed(ctx, kube.Core("Event", "events").ListKey(ns), func(o api.Object, gone bool) {
			mu.Lock()
			defer mu.Unlock()
			if gone || ctx.Err() != nil || !f.lineage.IsOf(o, f.objects) {
				return
			}
			if seenErr := seen(ready.EventOf(o)); seenErr != nil {
				stop(seenErr)
			}
		}, func(err error) { stop(fmt.Errorf("watch the events of namespace %q: %w", ns, err)) })
	}
	<-ctx.Done()
	return context.Cause(ctx)
}
