// SPDX-License-Identifier: Apache-2.0

package ready

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// verdictTime bounds how long the server is asked for reasons when a wait has
// ended. It is long, as a cluster in trouble is slow, and no help to those who
// do not wait: an interrupt does not ask.
const verdictTime = 30 * time.Second

// What is asked for when a wait has ended: the reasons of so many objects, and
// the logs of so many containers.
const (
	maxReasons = 10
	maxLogs    = 3
)

func (r *wait) hasFailed() bool {
	for _, s := range r.open {
		if s.Health == api.HealthFailed {
			return true
		}
	}
	return false
}

// failed returns the error of a wait in which an item can no longer become
// ready. It names every item that failed by now, and every other one that has a
// reason not to be ready.
func (r *wait) failed(ctx context.Context) error {
	r.lookAgain(ctx)
	var causes []cause
	e := explainer{wait: r}
	for _, i := range r.items() {
		text, hasReason := e.explain(ctx, i)
		switch {
		case r.open[i].Health == api.HealthFailed:
			causes = append(causes, cause{text, &FailedError{Object: i.Ref(), Reason: text}})
		case hasReason:
			causes = append(causes, cause{text, fmt.Errorf("%s is not ready: %s", i.Ref(), text)})
		}
	}
	return joined(causes)
}

// FailedError says that an object can no longer become ready.
type FailedError struct {
	Object event.Object
	Reason string
}

func (e *FailedError) Error() string { return fmt.Sprintf("%s failed: %s", e.Object, e.Reason) }

// NotReadyError says which objects are not ready, or not gone, and why.
type NotReadyError struct{ Errs []error }

func (e *NotReadyError) Error() string { return errors.Join(e.Errs...).Error() }

// Unwrap returns the errors of the objects.
func (e *NotReadyError) Unwrap() []error { return e.Errs }

// lookAgain reads what is not ready once more: what failed at the same time as
// the first is not all reported yet. An error leaves what was known.
func (r *wait) lookAgain(ctx context.Context) {
	if len(r.open) < 2 {
		return
	}
	for key, items := range byListKey(r.items()) {
		list, _, err := r.watcher.Client.List(ctx, key.Resource, key.Namespace, selectorFor(items))
		if err != nil {
			continue
		}
		for _, i := range items {
			at := slices.IndexFunc(list, func(o api.Object) bool { return o.ID() == i.Object.ID() })
			if at < 0 {
				continue
			}
			if now, err := r.watcher.Assess(ctx, r.Criteria, list[at], time.Now()); err == nil && now.Health != api.HealthCurrent {
				i.Live, r.open[i] = list[at], now
			}
		}
	}
}

// notReady names every object that is not ready with the last that is known of
// it. A wait that was interrupted is not an answer about the objects.
func (r *wait) notReady(ctx context.Context) error {
	if !kube.TimedOut(ctx) {
		return fmt.Errorf("interrupted while %d objects were not ready: %w", len(r.open), context.Cause(ctx))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), verdictTime)
	defer cancel()
	if err := r.reach(ctx); err != nil {
		return fmt.Errorf("wait for %d of the objects: %w", len(r.open), err)
	}
	var causes []cause
	e := explainer{wait: r}
	for _, i := range r.items() {
		text, _ := e.explain(ctx, i)
		causes = append(causes, cause{text, fmt.Errorf("timed out waiting for %s: %s", i.Ref(), text)})
	}
	return joined(causes)
}

// reach returns an error when the server cannot be reached: a wait whose time is
// over is no answer about objects that cannot be seen.
func (r *wait) reach(ctx context.Context) error {
	for key, items := range byListKey(r.items()) {
		_, _, err := r.watcher.Client.List(ctx, key.Resource, key.Namespace, selectorFor(items))
		if kube.IsUnreachable(err) {
			return err
		}
		break // one answer is enough
	}
	return nil
}

// cause is why one object is not ready.
type cause struct {
	text string
	err  error
}

// joined returns the error of all causes, the shortest first: it is most often
// the one that the others follow from, and is not lost above a long log.
func joined(causes []cause) error {
	slices.SortStableFunc(causes, func(a, b cause) int { return cmp.Compare(len(a.text), len(b.text)) })
	errs := make([]error, len(causes))
	for i, c := range causes {
		errs[i] = c.err
	}
	return &NotReadyError{Errs: errs}
}

// explainer says of the objects of a wait that has ended why they are not ready.
type explainer struct {
	wait          *wait
	reasons, logs int // how many were asked for
}

// explain returns all that is known of why an object is not ready, and whether
// that is more than its own state.
func (e *explainer) explain(ctx context.Context, i *Item) (text string, hasReason bool) {
	diagnosis := diagnose(ctx, e.wait.clues, i.Live)
	if diagnosis.text == "" && e.reasons < maxReasons {
		e.reasons++
		diagnosis = diagnose(ctx, asked{e.wait.watcher.Client}, i.Live)
	}
	text = with(e.wait.open[i].Text(), diagnosis.text)
	if diagnosis.container == "" || e.logs == maxLogs {
		return text, diagnosis.text != ""
	}
	e.logs++
	return with(text, e.wait.watcher.logTail(ctx, diagnosis)), true
}
