// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// waitReady waits until the objects of the steps are ready. One that fails
// ends the wait at once. The exit code of an object that is not ready is
// fail.NotReady.
func (e *Engine) waitReady(ctx context.Context, steps []*Step, ready criteria, timeout time.Duration) error {
	started := time.Now()
	w := readiness{engine: e, criteria: ready, open: map[*Step]state{}}
	for _, s := range steps {
		// What the server returned when it was applied is often enough.
		if err := w.see(s, s.live); err != nil {
			return err
		}
	}
	if len(w.open) == 0 {
		return nil
	}
	total := len(w.open)
	e.Observer.Observe(event.WaitStarted{Objects: total, Timeout: timeout, Waiting: w.states()})
	ctx, cancel := withTimeout(ctx, timeout)
	defer cancel()
	err := w.run(ctx)
	e.Observer.Observe(event.WaitDone{Objects: total, Took: time.Since(started), Failed: err != nil})
	return err
}

// readiness is a wait for objects to become ready.
type readiness struct {
	criteria
	engine *Engine
	open   map[*Step]state // what is not ready yet
}

func (w *readiness) run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	changes := w.engine.follow(ctx, w.steps())
	for len(w.open) > 0 {
		if err := w.failed(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return w.notReady(ctx)
		case <-w.nextGrace():
			for _, s := range w.steps() {
				if err := w.see(s, s.live); err != nil {
					return err
				}
			}
		case c := <-changes:
			if c.err != nil {
				return c.err
			}
			if err := w.see(c.step, c.live); err != nil {
				return err
			}
		}
	}
	return nil
}

// see takes in the state of one object.
func (w *readiness) see(s *Step, live api.Object) error {
	s.live = live
	now, err := w.assess(s.live, time.Now())
	if err != nil {
		return fmt.Errorf("%s: %w", s.Ref(), err)
	}
	before, waiting := w.open[s]
	if now.health == api.HealthCurrent {
		if waiting {
			w.report(s, now)
			delete(w.open, s)
		}
		if now.warning != "" {
			w.engine.Observer.Observe(event.Warning{Text: s.Ref().String() + ": " + now.warning})
		}
		return nil
	}
	w.open[s] = now
	if waiting && (before.health != now.health || before.message != now.message) {
		w.report(s, now)
	}
	return nil
}

// failed returns the error of the first object that can no longer become ready.
func (w *readiness) failed(ctx context.Context) error {
	for _, s := range w.steps() {
		if w.open[s].health == api.HealthFailed {
			return fail.With(fail.NotReady, fmt.Errorf("%s failed: %s", s.Ref(), w.explain(ctx, s)))
		}
	}
	return nil
}

// explain returns all that is known of why an object is not ready.
func (w *readiness) explain(ctx context.Context, s *Step) string {
	message := w.open[s].message
	trouble := w.engine.why(ctx, s.live)
	if trouble.text != "" {
		message += "; " + trouble.text
	}
	if log := w.engine.logTail(ctx, trouble); log != "" {
		message += "; " + log
	}
	return message
}

func (w *readiness) report(s *Step, now state) { w.engine.Observer.Observe(progress(s, now)) }

func progress(s *Step, now state) event.Progress {
	p := event.Progress{Object: s.Ref(), Status: string(now.health)}
	if now.health != api.HealthCurrent {
		p.Message = now.message
	}
	return p
}

// states returns the state of what is not ready yet.
func (w *readiness) states() []event.Progress {
	var states []event.Progress
	for _, s := range w.steps() {
		states = append(states, progress(s, w.open[s]))
	}
	return states
}

// nextGrace returns a channel that fires when the first object that has no
// status yet is to be taken for ready.
func (w *readiness) nextGrace() <-chan time.Time {
	var first time.Time
	for _, st := range w.open {
		if !st.until.IsZero() && (first.IsZero() || st.until.Before(first)) {
			first = st.until
		}
	}
	if first.IsZero() {
		return nil
	}
	return time.After(time.Until(first))
}

// steps returns what is waited for, in a stable order.
func (w *readiness) steps() []*Step {
	steps := make([]*Step, 0, len(w.open))
	for s := range w.open {
		steps = append(steps, s)
	}
	slices.SortFunc(steps, func(a, b *Step) int { return strings.Compare(a.Ref().String(), b.Ref().String()) })
	return steps
}

// notReady names every object that is not ready with the last that is known of
// it. A wait that was interrupted is not an answer about the objects.
func (w *readiness) notReady(ctx context.Context) error {
	if !isOver(ctx) {
		return fmt.Errorf("interrupted while %d objects were not ready: %w", len(w.open), context.Cause(ctx))
	}
	ctx, cancel := bookkeeping(ctx)
	defer cancel()
	errs := make([]error, 0, len(w.open))
	for _, s := range w.steps() {
		errs = append(errs, fmt.Errorf("%s is not ready in time: %s", s.Ref(), w.explain(ctx, s)))
	}
	return fail.With(fail.NotReady, errors.Join(errs...))
}

// waitGone waits until the live objects of the steps no longer exist.
func (e *Engine) waitGone(ctx context.Context, steps []*Step) error {
	open := map[*Step]api.Object{} // as last seen
	for _, s := range steps {
		open[s] = s.live
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if len(open) == 0 {
		return nil
	}
	changes := e.follow(ctx, steps)
	late := time.After(finalizerGrace)
	for len(open) > 0 {
		select {
		case <-ctx.Done():
			return stillThere(ctx, steps, open)
		case <-late:
			for _, s := range steps {
				if reason := blockedBy(open[s]); reason != "" {
					e.Observer.Observe(event.Progress{Object: s.Ref(), Status: "Terminating", Message: reason})
				}
			}
		case c := <-changes:
			if c.err != nil {
				return c.err
			}
			if c.live == nil || kube.UID(c.live) != kube.UID(c.step.live) {
				delete(open, c.step)
				continue
			}
			open[c.step] = c.live
		}
	}
	return nil
}

// finalizerGrace is how long an object may take to go before it is said who
// keeps it: most are gone at once.
const finalizerGrace = 2 * time.Second

// blockedBy returns what keeps an object that is being deleted, empty when it
// is not known.
func blockedBy(live api.Object) string {
	if live == nil || !isTerminating(live) {
		return ""
	}
	if isNamespace(live) {
		if what := namespaceContent(live); what != "" {
			return what
		}
	}
	metadata, _ := live["metadata"].(map[string]any)
	finalizers, _ := metadata["finalizers"].([]any)
	if len(finalizers) == 0 {
		return ""
	}
	names := make([]string, len(finalizers))
	for i, f := range finalizers {
		names[i] = fmt.Sprintf("%q", f)
	}
	return "it waits for who removes the finalizer " + strings.Join(names, ", ")
}

// namespaceContent returns what the namespace controller says is left in a
// namespace that is being deleted.
func namespaceContent(live api.Object) string {
	var texts []string
	conditions, _, _ := unstructured.NestedSlice(live, "status", "conditions")
	for _, c := range conditions {
		condition, _ := c.(map[string]any)
		if condition["status"] == "True" {
			texts = append(texts, fmt.Sprint(condition["message"]))
		}
	}
	return strings.Join(texts, "; ")
}

func stillThere(ctx context.Context, steps []*Step, open map[*Step]api.Object) error {
	if !isOver(ctx) {
		return fmt.Errorf("interrupted while %d objects were not deleted yet: %w", len(open), context.Cause(ctx))
	}
	var errs []error
	for _, s := range steps {
		live, isOpen := open[s]
		if !isOpen {
			continue
		}
		err := fmt.Errorf("%s is not deleted in time", s.Ref())
		if reason := blockedBy(live); reason != "" {
			err = fmt.Errorf("%w: %s", err, reason)
		}
		errs = append(errs, err)
	}
	return fail.With(fail.NotReady, errors.Join(errs...))
}
