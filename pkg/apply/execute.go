// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/store"
)

// carryOut writes what the plan says. The record says before the first object
// what is coming, and after the last what is there, so that a run that ends in
// between leaves a state from which the next apply or a delete goes on.
func (e *Engine) carryOut(ctx context.Context, plan *Plan) error {
	changed := !plan.isRecorded()
	record := plan.record
	if changed {
		plan.instance.LastTransitionTime = time.Now().UTC().Format(time.RFC3339)
		var err error
		if record, err = e.Store.Begin(ctx, plan.record, plan.instance); err != nil {
			return err
		}
	}
	left, err := e.applyAndPrune(ctx, plan)
	if err != nil {
		late, cancel := bookkeeping(ctx)
		defer cancel()
		return errors.Join(err, e.remember(late, plan, record, changed, store.Failed))
	}
	if changed {
		plan.instance.Inventory.Entries = append(plan.instance.Inventory.Entries, left...)
		if record, err = e.Store.Finish(ctx, record, plan.instance); err != nil {
			return err
		}
	}
	return e.remember(ctx, plan, record, changed, store.Succeeded)
}

// bookkeeping returns a context for what is to be written although ctx is over:
// what an interrupted run leaves is what the next one wants to know of.
func bookkeeping(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
}

func (e *Engine) applyAndPrune(ctx context.Context, plan *Plan) ([]api.Entry, error) {
	if err := e.applyStages(ctx, plan); err != nil {
		return nil, err
	}
	return e.pruneLast(ctx, plan)
}

// remember writes the ledger: the fingerprints and, of a run that made a
// revision, how it ended.
func (e *Engine) remember(ctx context.Context, plan *Plan, record *store.Record, revision bool, outcome store.Outcome) error {
	next := &store.Ledger{Fingerprints: plan.fingerprints(), Applied: plan.applied(), History: plan.ledger.History}
	if revision {
		next.History = plan.ledger.With(store.Revision{
			Time: plan.instance.LastTransitionTime, Module: plan.instance.Module,
			Values: plan.instance.Values, Images: plan.instance.Images, Outcome: outcome,
		}, plan.request.HistoryLimit)
	}
	return e.Store.SaveLedger(ctx, record, plan.ledger, next)
}

// fingerprints returns the fingerprints of the objects that are as wanted: not
// of those that a run has not come to.
func (p *Plan) fingerprints() map[string]string {
	fingerprints := map[string]string{}
	for _, s := range p.Steps {
		if s.fingerprint != "" {
			fingerprints[s.key()] = s.fingerprint
		}
	}
	return fingerprints
}

// isRecorded says whether the record already says all that the plan will make
// true: then it is not written, whatever drifted objects are put right.
func (p *Plan) isRecorded() bool {
	if p.record == nil || p.record.Pending != nil || p.record.Deleting {
		return false
	}
	old, next := p.record.Instance, p.instance
	return reflect.DeepEqual(old.Module, next.Module) && old.Values == next.Values &&
		slices.Equal(old.Images, next.Images) &&
		slices.Equal(sortedIDs(old.Inventory), sortedIDs(next.Inventory))
}

func sortedIDs(i api.Inventory) []string {
	ids := make([]string, len(i.Entries))
	for n, e := range i.Entries {
		ids[n] = e.ID + " " + e.Version
	}
	slices.Sort(ids)
	return ids
}

func (e *Engine) applyStages(ctx context.Context, plan *Plan) error {
	stages := plan.request.Stages
	for i, stage := range stages {
		var first, rest []*Step
		for _, s := range plan.Steps {
			switch {
			case s.stage != i:
			case isFoundation(s.Object):
				first = append(first, s)
			default:
				rest = append(rest, s)
			}
		}
		e.Observer.Observe(event.StageStarted{Name: stage.Name, Index: i + 1, Total: len(stages), Objects: len(first) + len(rest)})
		if err := e.applyStage(ctx, plan, first, rest); err != nil {
			return err
		}
	}
	return nil
}

// applyStage applies the foundations of a stage, then the rest, and waits.
// What others are built on must be in place before them even when the user
// does not want to wait.
func (e *Engine) applyStage(ctx context.Context, plan *Plan, first, rest []*Step) error {
	req := plan.request
	if err := e.applySteps(ctx, req, first); err != nil {
		return err
	}
	if slices.ContainsFunc(first, func(s *Step) bool { return isCRD(s.Object) && s.Action != event.Unchanged }) {
		if err := e.waitReady(ctx, first, nil, req.Timeout); err != nil {
			return err
		}
		e.Client.ForgetKinds()
	}
	if err := e.applySteps(ctx, req, rest); err != nil {
		return err
	}
	if !req.Wait {
		return nil
	}
	awaited := slices.DeleteFunc(slices.Concat(first, rest), func(s *Step) bool {
		return isDisabled(s.Object, api.AnnotationWait)
	})
	return e.waitReady(ctx, awaited, req.Health, req.Timeout)
}

func (e *Engine) applySteps(ctx context.Context, req Request, steps []*Step) error {
	return each(steps, func(s *Step) error {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if err := e.applyStep(ctx, req, s); err != nil {
			return err
		}
		e.Observer.Observe(event.Applied{Object: s.Ref(), Action: s.Action, Reason: s.Reason})
		return nil
	})
}

// applyStep carries one step out. An object that somebody wrote since it was
// planned is looked at, and judged, again.
func (e *Engine) applyStep(ctx context.Context, req Request, s *Step) error {
	if s.Action == event.Deferred {
		if err := e.decideDeferred(ctx, req, s); err != nil {
			return err
		}
	}
	for {
		if s.Err != nil {
			return s.Err
		}
		err := e.write(ctx, s)
		if !apierrors.IsConflict(err) {
			if err != nil {
				return fmt.Errorf("%s: %w", s.Ref(), err)
			}
			return nil
		}
		if err := e.readAgain(ctx, req, s); err != nil {
			return err
		}
	}
}

// decideDeferred decides a step of which the plan could not know enough.
func (e *Engine) decideDeferred(ctx context.Context, req Request, s *Step) error {
	if !s.resolved {
		if err := e.resolveLate(req, s); err != nil {
			return err
		}
	}
	if s.live == nil {
		return e.decide(ctx, req, s)
	}
	return e.readAgain(ctx, req, s)
}

// resolveLate finds the resource of a kind that the plan did not know.
func (e *Engine) resolveLate(req Request, s *Step) error {
	r, err := e.Client.Resource(gvkOf(s.Object))
	if kube.IsUnknownKind(err) {
		e.Client.ForgetKinds()
		r, err = e.Client.Resource(gvkOf(s.Object))
	}
	if err != nil {
		return fail.Hint(fmt.Errorf("%s: %w", s.Ref(), err),
			"no earlier stage has installed this kind: add its CustomResourceDefinition to the module or install its operator")
	}
	s.Resource, s.resolved = r, true
	e.own(s, req.Instance.Metadata)
	return nil
}

// configure applies a step over a live object, after the fields of managers
// that are overridden were made ours.
func (e *Engine) configure(ctx context.Context, s *Step) (api.Object, error) {
	if foreignEntry(s.live) != "" {
		entries, err := takenBack(s.live)
		if err != nil {
			return nil, err
		}
		if s.live, err = e.Client.SetManagers(ctx, s.Resource, s.live, entries); err != nil {
			return nil, fmt.Errorf("take back fields: %w", err)
		}
	}
	return e.Client.Apply(ctx, s.Resource, s.pinned(), true, kube.Real)
}

// write sends the step's object and keeps what the server made of it.
func (e *Engine) write(ctx context.Context, s *Step) error {
	var got api.Object
	var err error
	switch s.Action {
	case event.Created:
		got, err = e.Client.Apply(ctx, s.Resource, s.Object, true, kube.Real)
	case event.Configured:
		got, err = e.configure(ctx, s)
	case event.Recreated:
		got, err = e.recreate(ctx, s)
	default:
		return nil
	}
	if err == nil {
		// Taken of the answer, not of what a watch shows later: that may hold
		// what somebody else has written meanwhile.
		s.live, s.fingerprint = got, fingerprint(s.Object, got)
	}
	return err
}

// pruneLast deletes what left the module, after what replaces it is ready. A
// run that does not wait cannot know that: it leaves the objects, and returns
// their entries for the inventory, to the next one that does.
func (e *Engine) pruneLast(ctx context.Context, plan *Plan) ([]api.Entry, error) {
	if len(plan.Prune) == 0 {
		return nil, nil
	}
	if plan.request.Wait {
		return nil, e.remove(ctx, plan.Prune, true, plan.request.Timeout)
	}
	var left []api.Entry
	var names []string
	for _, s := range plan.Prune {
		if s.Action == event.Deleted {
			left = append(left, s.Object.ID().Entry(s.Object.Version()))
			names = append(names, s.Ref().String())
		}
	}
	if len(left) > 0 {
		e.Observer.Observe(event.Warning{Text: "left for the next apply that waits: " + strings.Join(names, ", ")})
	}
	return left, nil
}
