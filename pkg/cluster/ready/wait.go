// SPDX-License-Identifier: Apache-2.0

package ready

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// Wait waits until all items are ready. Those that fail end the wait at once.
// While it lasts, the reason why an item is not ready is reported as soon as
// the cluster says it. The error of items that are not ready is a *NotReadyError.
func (w Watcher) Wait(ctx context.Context, items []*Item, criteria Criteria, timeout time.Duration) error {
	started := time.Now()
	r := newWait(w, criteria)
	for _, i := range items {
		// What the server returned when it was applied is often enough.
		if err := r.see(ctx, i, i.Live); err != nil {
			return err
		}
	}
	if len(r.open) == 0 {
		return nil
	}
	total := len(r.open)
	w.observe(event.WaitStarted{Objects: total, Timeout: timeout, Waiting: r.states()})
	r.tellCauses()
	ctx, cancel := kube.WithTimeout(ctx, timeout)
	defer cancel()
	if w.Along != nil {
		w.Along.Begin(ctx, r.items())
	}
	err := r.run(ctx)
	if w.Along != nil {
		w.Along.End()
	}
	w.observe(event.WaitDone{Objects: total, Took: time.Since(started), Failed: err != nil})
	return err
}

// wait is a wait for items to become ready.
type wait struct {
	Criteria
	watcher Watcher
	clues   watched
	open    map[*Item]State          // what is not ready yet
	told    map[*Item]event.Progress // what was last reported of it
}

func newWait(w Watcher, c Criteria) *wait {
	return &wait{
		Criteria: c, watcher: w,
		clues: watched{byID: map[api.ID]api.Object{}, events: map[string]api.Object{}},
		open:  map[*Item]State{}, told: map[*Item]event.Progress{},
	}
}

func (r *wait) run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	changes := r.watcher.follow(ctx, r.items())
	clues := r.watcher.watchClues(ctx, r.items())
	for len(r.open) > 0 {
		if r.hasFailed() {
			return r.failed(ctx)
		}
		var err error
		select {
		case <-ctx.Done():
			return r.notReady(ctx)
		case <-r.nextGrace():
			err = r.seeAll(ctx)
		case c := <-clues:
			r.learn(ctx, c, clues)
		case c := <-changes:
			if err = c.err; err == nil {
				err = r.see(ctx, c.item, c.live)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tellCauses reports the objects that say from the start why they will not
// become ready by themselves.
func (r *wait) tellCauses() {
	for _, i := range r.items() {
		if r.open[i].Cause != "" {
			r.watcher.observe(r.told[i])
		}
	}
}

// seeAll assesses what is not ready again, as time has passed.
func (r *wait) seeAll(ctx context.Context) error {
	for _, i := range r.items() {
		if err := r.see(ctx, i, i.Live); err != nil {
			return err
		}
	}
	return nil
}

// see takes in the state of one object.
func (r *wait) see(ctx context.Context, i *Item, live api.Object) error {
	i.Live = live
	now, err := r.watcher.Assess(ctx, r.Criteria, live, time.Now())
	if err != nil {
		return fmt.Errorf("%s: %w", i.Ref(), err)
	}
	if now.Health != api.HealthCurrent {
		r.open[i] = now
		r.report(ctx, i)
		return nil
	}
	if _, waiting := r.open[i]; waiting {
		delete(r.open, i)
		r.watcher.observe(progress(i, now))
	}
	if now.Warning != "" {
		r.watcher.observe(event.Warning{Text: i.Ref().String() + ": " + now.Warning})
	}
	return nil
}

// learn takes in a clue, and those that come with it, and reports the reasons
// that are new.
func (r *wait) learn(ctx context.Context, first clue, more <-chan clue) {
	for c, open := first, true; open; {
		r.takeIn(c)
		select {
		case c = <-more:
		default:
			open = false
		}
	}
	for _, i := range r.items() {
		r.report(ctx, i)
	}
}

func (r *wait) takeIn(c clue) {
	along := r.watcher.Along
	switch {
	case c.unread != "" && along != nil:
		along.Unread(c.unread, c.namespace)
	case c.unread != "": // the reason stays unknown
	default:
		r.clues.learn(c)
		if along != nil {
			along.Seen(c.object, c.gone)
		}
	}
}

// report reports the state of an item that is not ready, if it has changed.
// The first one is part of event.WaitStarted.
func (r *wait) report(ctx context.Context, i *Item) {
	p := progress(i, r.open[i])
	before, known := r.told[i]
	if reason := diagnose(ctx, r.clues, i.Live).text; reason != "" {
		p.Message = with(p.Message, reason)
	} else if known && before.Status == p.Status && isPart(p.Message, before.Message) {
		return // the reason is no longer seen, which is no news
	}
	r.told[i] = p
	if known && p != before {
		r.watcher.observe(p)
	}
}

// with adds a reason to a message that does not say it already.
func with(message, reason string) string {
	if reason == "" || isPart(reason, message) {
		return message
	}
	if message == "" {
		return reason
	}
	return message + "; " + reason
}

func isPart(part, message string) bool { return strings.Contains(message, part) }

func progress(i *Item, now State) event.Progress {
	p := event.Progress{Object: i.Ref(), Status: string(now.Health)}
	if now.Health != api.HealthCurrent {
		p.Message = now.Text()
	}
	return p
}

// states returns the state of what is not ready yet.
func (r *wait) states() []event.Progress {
	var states []event.Progress
	for _, i := range r.items() {
		states = append(states, progress(i, r.open[i]))
	}
	return states
}

// nextGrace returns a channel that fires when the first object that has no
// status yet is to be taken for ready.
func (r *wait) nextGrace() <-chan time.Time {
	var first time.Time
	for _, st := range r.open {
		if !st.until.IsZero() && (first.IsZero() || st.until.Before(first)) {
			first = st.until
		}
	}
	if first.IsZero() {
		return nil
	}
	return time.After(time.Until(first))
}

// items returns what is waited for, in a stable order.
func (r *wait) items() []*Item {
	items := slices.Collect(maps.Keys(r.open))
	slices.SortFunc(items, func(a, b *Item) int { return strings.Compare(a.Ref().String(), b.Ref().String()) })
	return items
}
