// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/survey"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kinds"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// carryOut writes what the plan says. The record says before the first object
// what is coming, and after the last what is there, so that a run that ends in
// between leaves a state from which the next apply or a delete goes on.
func (e *Engine) carryOut(ctx context.Context, plan *Plan, record *store.Record) error {
	changed := !plan.isRecorded()
	if err := e.applyAndPrune(ctx, plan); err != nil {
		late, cancel := kube.Detached(ctx)
		defer cancel()
		return kube.Join(plan.partial(kube.OneUnreachable(err)), e.recordFailure(late, plan, record, changed))
	}
	return errors.Join(plan.unrecorded(e.recordSuccess(ctx, plan, record, changed)), survey.UnknownError(itemsOf(plan.Prune)))
}

// recordSuccess records that all is applied. The ledger is written together
// with the record, so that a run may end with either of them: without the
// ledger the next apply asks the server about every object, and the revision in
// it is under way as long as the record says so.
func (e *Engine) recordSuccess(ctx context.Context, plan *Plan, record *store.Record, revision bool) error {
	if !revision {
		if err := e.Store.In(plan.request.Bundle).SavePlace(ctx, record); err != nil {
			return err
		}
		return e.saveLedger(ctx, plan, record, record.Inventory(), false, store.Succeeded)
	}
	plan.disown() // another instance may have created a definition meanwhile
	saved := kube.Ask(func() (any, error) {
		return nil, e.saveLedger(ctx, plan, record, plan.instance.Inventory.Entries, true, store.Succeeded)
	})
	_, err := e.Store.Finish(ctx, record, plan.instance)
	_, ledgerErr := saved.Wait(context.WithoutCancel(ctx))
	return kube.Join(err, ledgerErr)
}

func (e *Engine) applyAndPrune(ctx context.Context, plan *Plan) error {
	req := plan.request
	err := e.applyStages(ctx, plan)
	if err != nil && (req.Prune != PruneAlways || !plan.allApplied) {
		return plan.inTheWay(err)
	}
	err = errors.Join(err, e.remover().RemoveInOrder(ctx, itemsOf(plan.toPrune()), plan.record.StagesWith(plan.ledger), !req.NoWait, req.waitLimit()))
	return errors.Join(err, e.remover().GiveBack(ctx, req.Instance.Metadata, itemsOf(plan.Prune), req.Former))
}

// recordFailure records that a run has ended without all that it wanted, so
// that it is not taken for one that is under way.
func (e *Engine) recordFailure(ctx context.Context, plan *Plan, record *store.Record, revision bool) error {
	var err error
	plan.failed = revision
	if revision {
		if next, markErr := e.Store.MarkFailed(ctx, record); markErr == nil {
			record = next
		} else {
			err = markErr
		}
	}
	return kube.Join(err, e.saveLedger(ctx, plan, record, record.Inventory(), revision, store.Failed))
}

// saveLedger writes the ledger: the fingerprints, the stages of what may be
// there and, of a run that made a revision, how it ended.
func (e *Engine) saveLedger(ctx context.Context, plan *Plan, record *store.Record, there []api.Entry, revision bool, outcome store.Outcome) error {
	next := &store.Ledger{
		Fingerprints: plan.fingerprints(), Applied: plan.applied(), Stages: plan.stages(there),
		Shared: plan.shared(), Abandoned: plan.abandoned(),
	}
	if name := e.Client.FieldManager(); name != api.FieldManager {
		next.FieldManager = name
	}
	switch {
	case revision:
		next.History = plan.keeping().Add(plan.ledger, record.Instance.Metadata, e.revision(ctx, plan, outcome))
	case outcome == store.Succeeded:
		next.History = plan.keeping().Learn(plan.ledger, record, plan.request.Package)
	default:
		next.History = plan.ledger.History
	}
	return e.Store.SaveLedger(ctx, record, plan.ledger, next)
}

// fingerprints returns the fingerprints of the objects that are as wanted: not
// of those that a run did not reach.
func (p *Plan) fingerprints() map[string]string {
	fingerprints := map[string]string{}
	for _, s := range p.Steps {
		if s.fingerprint != "" {
			fingerprints[s.Key()] = s.fingerprint
		}
	}
	return fingerprints
}

// maxApplied is the size of the values of one object up to which they are kept
// in the ledger. What is larger, a dashboard in a ConfigMap for example, would
// cost more than it tells.
const maxApplied = 16 << 10

// applied returns, for the ledger, the values of the fields that are ours of
// each object of the plan: what later states of it are compared with.
func (p *Plan) applied() map[string]json.RawMessage {
	applied := map[string]json.RawMessage{}
	for _, s := range p.Steps {
		values := s.manager.Values(s.now())
		if s.fingerprint == "" || values == nil {
			if old, ok := p.ledger.Applied[s.Key()]; ok {
				applied[s.Key()] = old // the run did not reach it
			}
			continue
		}
		text, err := json.Marshal(values)
		if err == nil && len(text) <= maxApplied {
			applied[s.Key()] = text
		}
	}
	return applied
}

// stages returns the stage of everything that may be there after a run: of the
// objects of the plan and of others.
func (p *Plan) stages(there []api.Entry) map[string]int {
	stages, known := p.ownStages(), p.record.StagesWith(p.ledger)
	for _, entry := range there {
		if _, own := stages[entry.ID]; !own && known[entry.ID] > 0 {
			stages[entry.ID] = known[entry.ID]
		}
	}
	return stages
}

// ownStages returns the stages of the objects of the plan.
func (p *Plan) ownStages() map[string]int {
	stages := map[string]int{}
	for _, s := range p.Steps {
		stages[s.Key()] = s.stage + 1
	}
	return stages
}

// isRecorded says whether the record already says all that the plan will make
// true: then it is not written, whatever drifted objects are put right.
func (p *Plan) isRecorded() bool {
	if p.record == nil || p.record.IsUnfinished() || !p.record.IsComplete() || p.record.Deleting || len(p.record.Stages) > 0 {
		return false
	}
	old, next := p.record.Instance, p.instance
	return p.record.Bundle() == p.request.Bundle.Name && reflect.DeepEqual(old.Module, next.Module) && old.Values == next.Values &&
		slices.Equal(old.Images, next.Images) &&
		slices.Equal(sortedIDs(old.Inventory), sortedIDs(next.Inventory)) && p.isRendered()
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
			case kinds.IsFoundation(s.Object):
				first = append(first, s)
			default:
				rest = append(rest, s)
			}
		}
		e.observe(event.StageStarted{Name: stage.Name, Index: i + 1, Total: len(stages), Objects: len(first) + len(rest)})
		if err := e.makeAndApply(ctx, plan, i, first, rest); err != nil {
			return err
		}
		plan.allApplied = i == len(stages)-1
		if err := e.waitStage(ctx, plan.request, first, rest); err != nil {
			return err
		}
	}
	return nil
}

// makeAndApply deletes what is replaced, and applies the stage; when that
// fails, what was deleted is put back.
func (e *Engine) makeAndApply(ctx context.Context, plan *Plan, stage int, first, rest []*Step) error {
	removed, err := e.removeReplaced(ctx, plan, stage)
	if err == nil {
		err = e.applyStage(ctx, plan, first, rest)
	}
	if err != nil {
		err = e.putBack(ctx, plan.request.Timeout, removed, err)
	}
	return err
}

// applyStage applies the foundations of a stage, and then the rest. What others
// are built on must be in place before them even when the user does not want to
// wait.
func (e *Engine) applyStage(ctx context.Context, plan *Plan, first, rest []*Step) error {
	req := plan.request
	if err := e.applySteps(ctx, req, first); err != nil {
		return err
	}
	if slices.ContainsFunc(first, func(s *Step) bool { return s.Object.IsCRD() && s.Action != event.Unchanged }) {
		if err := e.watcher().Wait(ctx, items(first), ready.Criteria{}, req.waitLimit()); err != nil {
			return err
		}
		e.Client.ForgetKinds()
	}
	return e.applySteps(ctx, req, rest)
}

// waitStage waits for a stage to become ready, if that is asked for.
func (e *Engine) waitStage(ctx context.Context, req Request, first, rest []*Step) error {
	if req.NoWait {
		return nil
	}
	awaited := slices.DeleteFunc(slices.Concat(first, rest), func(s *Step) bool {
		return s.Object.IsDisabled(api.AnnotationWait) && ready.RulesFor(req.WaitFor, s.Ref()) == nil
	})
	criteria := ready.Criteria{Health: req.Health, Rules: req.WaitFor, Expressions: req.Expressions}
	return e.watcher().Wait(ctx, items(awaited), criteria, req.waitLimit())
}

// applySteps applies the objects of steps within the time that the request
// allows.
func (e *Engine) applySteps(ctx context.Context, req Request, steps []*Step) error {
	ctx, cancel := kube.WithTimeout(ctx, req.applyLimit())
	defer cancel()
	var mu sync.Mutex
	var late []string
	err := kube.Each(e.concurrency(), steps, func(s *Step) error {
		err := context.Cause(ctx)
		if err == nil {
			err = e.applyStep(ctx, req, s)
		}
		if err != nil && kube.TimedOut(ctx) && !kube.IsQuota(err) {
			mu.Lock()
			defer mu.Unlock()
			late = append(late, s.Ref().String())
			return nil
		}
		if err != nil {
			return err
		}
		e.observe(event.Applied{Object: s.Ref(), Action: s.Action, Reason: s.Reason})
		return nil
	})
	if late != nil {
		slices.Sort(late)
		err = errors.Join(err, &TimeoutError{After: req.applyLimit(), Objects: late})
	}
	return err
}

// applyStep carries one step out. An object that another client wrote since it was
// planned is looked at, and judged, again.
func (e *Engine) applyStep(ctx context.Context, req Request, s *Step) error {
	if s.Action == event.Deferred {
		if err := e.decideDeferred(ctx, req, s); err != nil {
			return err
		}
	}
	for {
		if s.Err != nil {
			return s.refusal()
		}
		err := e.write(ctx, req, s)
		if !apierrors.IsConflict(err) {
			if err != nil {
				return fmt.Errorf("%s: %w", s.Ref(), err)
			}
			return nil
		}
		if err := e.readAgain(ctx, req, s); err != nil {
			return err
		}
		if err := s.asShown(); err != nil {
			return err
		}
	}
}

// refusal returns why a step cannot be carried out, and that its object is deleted
// by then where another client took the name between deletion and creation.
func (s *Step) refusal() error {
	if s.gone {
		return fmt.Errorf("%w; the object that was to be recreated is deleted, and another client has created this one since", s.Err)
	}
	return s.Err
}

// decideDeferred decides a step of which the plan could not know enough.
func (e *Engine) decideDeferred(ctx context.Context, req Request, s *Step) error {
	if !s.Resolved {
		if err := e.resolveLate(req, s); err != nil {
			return err
		}
	}
	switch {
	case s.Live != nil:
		return e.readAgain(ctx, req, s)
	case !s.roomMade:
		return e.decide(ctx, req, s)
	}
	return untilCounted(ctx, req.waitLimit(), func() error {
		if err := e.decide(ctx, req, s); err != nil || !kube.IsQuota(s.Err) {
			return err
		}
		return s.Err
	})
}

// resolveLate finds the resource of a kind that the plan did not know.
func (e *Engine) resolveLate(req Request, s *Step) error {
	r, err := e.Client.Resource(gvkOf(s.Object))
	if kube.IsUnknownKind(err) || kube.IsUnavailable(err) {
		e.Client.ForgetKinds()
		r, err = e.Client.Resource(gvkOf(s.Object))
	}
	if err != nil {
		return &UnknownKindError{Object: s.Ref(), Late: err}
	}
	s.Resource, s.Resolved = r, true
	e.own(s, req.Instance.Metadata)
	return nil
}

// configure applies a step over a live object, after the fields of managers
// that are overridden were made ours: then the answer must be what the plan
// showed, which no dry run was asked.
func (e *Engine) configure(ctx context.Context, s *Step) (api.Object, error) {
	move, err := s.manager.Move(s.Live, s.drop)
	if err != nil {
		return nil, err
	}
	if move.Entries == nil {
		return e.Client.Apply(ctx, s.Resource, s.pinned(), s.force, kube.Real)
	}
	moved, err := e.Client.SetManagers(ctx, s.Resource, s.Live, move.Entries)
	if err != nil {
		return nil, fmt.Errorf("take back fields: %w", err)
	}
	s.Live = moved
	got, err := e.Client.Apply(ctx, s.Resource, s.pinned(), s.force, kube.Real)
	if err != nil {
		return nil, err
	}
	return got, s.asPlanned(got)
}

// write sends the step's object and keeps what the server made of it.
func (e *Engine) write(ctx context.Context, req Request, s *Step) error {
	var got api.Object
	var err error
	switch s.Action {
	case event.Created:
		got, err = e.Client.ApplyNew(ctx, s.Resource, s.Object, kube.Real)
	case event.Configured:
		got, err = e.configure(ctx, s)
	case event.Recreated:
		got, err = e.recreate(ctx, req, s)
	default:
		return nil
	}
	if err == nil {
		// Taken of the answer, not of what a watch shows later: that may hold
		// what another client has written meanwhile.
		s.written, s.fingerprint = got, s.manager.Fingerprint(s.Object, got)
	}
	return err
}
