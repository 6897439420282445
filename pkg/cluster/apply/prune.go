// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"cmp"
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/ownership"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kinds"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// candidates returns a step for every recorded object that the plan does not
// apply.
func (e *Engine) candidates(plan *Plan) ([]*Step, error) {
	wanted := map[api.ID]bool{}
	for _, s := range plan.Steps {
		wanted[s.Object.ID()] = true
	}
	recorded, err := e.recorded(plan.record)
	if err != nil {
		return nil, err
	}
	var steps []*Step
	for _, s := range recorded {
		if !wanted[s.Object.ID()] {
			steps = append(steps, s)
		}
	}
	return steps, nil
}

// recorded returns a step for every object in the inventory of a record, with
// its namespace according to its scope. One whose kind the server no longer
// serves, so that it cannot exist, has no resource; nor has one of which that
// is unknown.
func (e *Engine) recorded(record *store.Record) ([]*Step, error) {
	var steps []*Step
	seen := map[api.ID]bool{}
	for _, entry := range record.Inventory() {
		s, err := e.recordedStep(entry)
		if err != nil {
			return nil, fmt.Errorf("record of instance %q: %w", record.Instance.Metadata.Name, err)
		}
		if id := s.Object.ID(); !seen[id] {
			seen[id] = true
			steps = append(steps, s)
		}
	}
	return steps, nil
}

func (e *Engine) recordedStep(entry api.Entry) (*Step, error) {
	id, err := entry.Parse()
	if err != nil {
		return nil, err
	}
	s := &Step{decision: decision{recorded: true}}
	s.Resource, err = e.locate(id, entry.Version)
	switch {
	case err == nil:
		s.resolved = true
		if !s.Resource.Namespaced {
			id.Namespace = ""
		}
	case kube.IsUnknownKind(err):
		s.Resource = kube.Resource{GroupVersionResource: schema.GroupVersionResource{Group: id.Group, Version: entry.Version}}
	case kube.IsUnavailable(err):
		s.Resource = kube.Resource{GroupVersionResource: schema.GroupVersionResource{Group: id.Group, Version: entry.Version}}
		s.unknown = err.Error()
	default:
		return nil, fmt.Errorf("%s: %w", id, err)
	}
	s.Object = skeleton(id, s.Resource.GroupVersion())
	return s, nil
}

func skeleton(id api.ID, gv schema.GroupVersion) api.Object {
	o := api.Object{"apiVersion": gv.String(), "kind": id.Kind, "metadata": map[string]any{"name": id.Name}}
	if id.Namespace != "" {
		o.SetNamespace(id.Namespace)
	}
	return o
}

// planPrune returns what is to be done with the candidates: nothing for those
// that are gone or belong to another owner by now, else delete or keep. An
// object that is applied under another identity, because its kind moved to
// another API group, has the same uid and is never touched.
func planPrune(steps, candidates []*Step, live *owned, also kinds.Unprotected) []*Step {
	applied := map[string]bool{}
	for _, s := range steps {
		if s.live != nil {
			applied[kube.UID(s.live)] = true
		}
	}
	var prune []*Step
	for _, c := range candidates {
		if c.unknown != "" {
			c.Action, c.Reason = event.Kept, c.unknown
			prune = append(prune, c)
			continue
		}
		c.live = live.get(c)
		if c.live == nil || applied[kube.UID(c.live)] {
			continue
		}
		c.Action, c.Reason = event.Deleted, ""
		if reason := kinds.KeepReason(c.live, also); reason != "" {
			c.Action, c.Reason = event.Kept, reason
		}
		prune = append(prune, c)
	}
	return prune
}

// remove deletes the live objects of the steps that are to be deleted, reports
// those that are kept, and, when wait is set, waits until they are gone.
func (e *Engine) remove(ctx context.Context, steps []*Step, wait bool, timeout time.Duration) error {
	if err := e.keepSharedSince(ctx, steps); err != nil {
		return err
	}
	var doomed []*Step
	for _, s := range steps {
		if s.Action == event.Deleted {
			doomed = append(doomed, s)
			continue
		}
		e.observe(event.Applied{Object: s.Ref(), Action: s.Action, Reason: s.Reason})
	}
	err := each(e.concurrency(), doomed, func(s *Step) error {
		if err := e.deleteLive(ctx, s); err != nil {
			return fmt.Errorf("delete %s: %w", s.Ref(), err)
		}
		s.removed = true
		e.observe(event.Applied{Object: s.Ref(), Action: event.Deleted, Reason: s.Reason})
		return nil
	})
	if err != nil || !wait {
		return err
	}
	return e.waitGoneFor(ctx, timeout, doomed)
}

// deleteLive deletes the live object of a step. One that was changed since it
// was read is looked at again: it goes only when it is the same object, and
// still belongs to whom it belonged to.
func (e *Engine) deleteLive(ctx context.Context, s *Step) error {
	for range maxReads {
		err := e.Client.Delete(ctx, s.Resource, s.live)
		if !apierrors.IsConflict(err) {
			return ignoreNotFound(err)
		}
		live, err := e.Client.Get(ctx, s.Resource, s.live.Namespace(), s.live.Name())
		switch {
		case apierrors.IsNotFound(err) || err == nil && kube.UID(live) != kube.UID(s.live):
			return nil
		case err != nil:
			return err
		case ownership.Of(live) != ownership.Of(s.live):
			return fail.Refusedf("it belongs to %s now", cmp.Or(ownership.Of(live), "no instance"))
		}
		s.live = live
	}
	return fmt.Errorf("it was changed by others %d times", maxReads)
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func (e *Engine) waitGoneFor(ctx context.Context, timeout time.Duration, steps []*Step) error {
	ctx, cancel := kube.WithTimeout(ctx, timeout)
	defer cancel()
	return e.watcher().WaitGone(ctx, items(steps))
}

// removeInOrder removes the objects of the steps, each wave when the one before
// is gone.
func (e *Engine) removeInOrder(ctx context.Context, steps []*Step, stages map[string]int, wait bool, timeout time.Duration) error {
	for _, wave := range deleteOrder(steps, stages) {
		if err := e.remove(ctx, wave, wait, timeout); err != nil {
			return err
		}
	}
	return nil
}
