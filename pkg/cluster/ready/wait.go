// SPDX-License-Identifier: Apache-2.0

package ready

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// Wait waits until all items are ready. One that fails ends the wait at once.
// The exit code of an object that is not ready is fail.NotReady.
func (w Watcher) Wait(ctx context.Context, items []*Item, criteria Criteria, timeout time.Duration) error {
	started := time.Now()
	r := readiness{Criteria: criteria, watcher: w, open: map[*Item]State{}}
	for _, i := range items {
		// What the server returned when it was applied is often enough.
		if err := r.see(i, i.Live); err != nil {
			return err
		}
	}
	if len(r.open) == 0 {
		return nil
	}
	total := len(r.open)
	w.Observer.Observe(event.WaitStarted{Objects: total, Timeout: timeout, Waiting: r.states()})
	ctx, cancel := kube.WithTimeout(ctx, timeout)
	defer cancel()
	err := r.run(ctx)
	w.Observer.Observe(event.WaitDone{Objects: total, Took: time.Since(started), Failed: err != nil})
	return err
}

// readiness is a wait for objects to become ready.
type readiness struct {
	Criteria
	watcher Watcher
	open    map[*Item]State // what is not ready yet
}

func (r *readiness) run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	changes := r.watcher.follow(ctx, r.items())
	for len(r.open) > 0 {
		if err := r.failed(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return r.notReady(ctx)
		case <-r.nextGrace():
			for _, i := range r.items() {
				if err := r.see(i, i.Live); err != nil {
					return err
				}
			}
		case c := <-changes:
			if c.err != nil {
				return c.err
			}
			if err := r.see(c.item, c.live); err != nil {
				return err
			}
		}
	}
	return nil
}

// see takes in the state of one object.
func (r *readiness) see(i *Item, live api.Object) error {
	i.Live = live
	now, err := r.Assess(i.Live, time.Now())
	if err != nil {
		return fmt.Errorf("%s: %w", i.Ref(), err)
	}
	before, waiting := r.open[i]
	if now.Health == api.HealthCurrent {
		if waiting {
			r.report(i, now)
			delete(r.open, i)
		}
		if now.Warning != "" {
			r.watcher.Observer.Observe(event.Warning{Text: i.Ref().String() + ": " + now.Warning})
		}
		return nil
	}
	r.open[i] = now
	if waiting && (before.Health != now.Health || before.Message != now.Message) {
		r.report(i, now)
	}
	return nil
}

// failed returns the error of the first object that can no longer become ready.
func (r *readiness) failed(ctx context.Context) error {
	for _, i := range r.items() {
		if r.open[i].Health == api.HealthFailed {
			return fail.With(fail.NotReady, fmt.Errorf("%s failed: %s", i.Ref(), r.explain(ctx, i)))
		}
	}
	return nil
}

// explain returns all that is known of why an object is not ready.
func (r *readiness) explain(ctx context.Context, i *Item) string {
	message := r.open[i].Message
	trouble := r.watcher.why(ctx, i.Live)
	if trouble.text != "" {
		message += "; " + trouble.text
	}
	if log := r.watcher.logTail(ctx, trouble); log != "" {
		message += "; " + log
	}
	return message
}

func (r *readiness) report(i *Item, now State) { r.watcher.Observer.Observe(progress(i, now)) }

func progress(i *Item, now State) event.Progress {
	p := event.Progress{Object: i.Ref(), Status: string(now.Health)}
	if now.Health != api.HealthCurrent {
		p.Message = now.Message
	}
	return p
}

// states returns the state of what is not ready yet.
func (r *readiness) states() []event.Progress {
	var states []event.Progress
	for _, i := range r.items() {
		states = append(states, progress(i, r.open[i]))
	}
	return states
}

// nextGrace returns a channel that fires when the first object that has no
// status yet is to be taken for ready.
func (r *readiness) nextGrace() <-chan time.Time {
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
func (r *readiness) items() []*Item {
	items := make([]*Item, 0, len(r.open))
	for i := range r.open {
		items = append(items, i)
	}
	slices.SortFunc(items, func(a, b *Item) int { return strings.Compare(a.Ref().String(), b.Ref().String()) })
	return items
}

// notReady names every object that is not ready with the last that is known of
// it. A wait that was interrupted is not an answer about the objects.
func (r *readiness) notReady(ctx context.Context) error {
	if !kube.TimedOut(ctx) {
		return fmt.Errorf("interrupted while %d objects were not ready: %w", len(r.open), context.Cause(ctx))
	}
	ctx, cancel := kube.Detached(ctx)
	defer cancel()
	errs := make([]error, 0, len(r.open))
	for _, i := range r.items() {
		errs = append(errs, fmt.Errorf("%s is not ready in time: %s", i.Ref(), r.explain(ctx, i)))
	}
	return fail.With(fail.NotReady, errors.Join(errs...))
}
