// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/removal"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/survey"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kinds"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// Plan finds out what an apply would do, and has the server check, by dry
// runs, everything that can be checked before something is changed. An error
// means that the plan could not be made; that a step is refused stands in the
// plan. Nothing is changed. Execute carries the plan out.
func (e *Engine) Plan(ctx context.Context, req Request) (*Plan, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // what was asked ahead of an error
	req.Ahead = e.ahead(ctx, req)
	exists, err := e.checkNamespace(ctx, req)
	if err != nil {
		return nil, err
	}
	plan, err := e.planInTime(ctx, req, exists)
	if err == nil && plan.Refusal() == nil {
		err = req.review(ctx, plan)
	}
	return plan, err
}

// review shows a plan to the caller.
func (req Request) review(ctx context.Context, plan *Plan) error {
	if req.Unchecked != nil && !req.outside { // what is outside is planned again
		var objects []api.Object
		for _, s := range plan.Steps {
			if s.Action == event.Deferred || req.ReadOnly {
				objects = append(objects, s.Object)
			}
		}
		req.Unchecked(objects)
	}
	if req.Review == nil {
		return nil
	}
	return req.Review(ctx, plan)
}

// planInTime is plan within the time that the request allows.
func (e *Engine) planInTime(ctx context.Context, req Request, exists bool) (*Plan, error) {
	ctx, cancel := kube.WithTimeout(ctx, req.applyLimit())
	defer cancel()
	plan, err := e.plan(ctx, req, exists)
	if err == nil || !kube.TimedOut(ctx) {
		return plan, err
	}
	return nil, &TimeoutError{After: req.applyLimit()}
}

// plan is Plan for a namespace of which it is known whether it exists.
func (e *Engine) plan(ctx context.Context, req Request, exists bool) (*Plan, error) {
	begun := e.readFor(ctx, &req)
	record, err := begun.record.Wait(ctx)
	if err != nil {
		return nil, err
	}
	if err = store.CheckBundle(record, req.Bundle.Name); err != nil && req.Adopt != AdoptAll {
		return nil, err
	}
	ledger, err := begun.ledger.Wait(ctx)
	if err != nil {
		return nil, err
	}
	plan := &Plan{ledger: ledger.Of(record), request: req, instance: req.Instance, record: record, newSpace: !exists, rendered: store.DigestOf(req.Stages)}
	if plan.Steps, err = e.prepare(req); err != nil {
		return nil, err
	}
	if len(plan.Steps) == 0 && !req.AllowEmpty {
		return nil, &EmptyError{Instance: req.Instance.Metadata}
	}
	plan.instance.Inventory = inventoryOf(plan.Steps)
	if err = errors.Join(req.checkAfter(record), store.Check(record, plan.ledger, plan.instance)); err != nil {
		return nil, err
	}
	candidates, err := e.candidates(plan.record, plan.Steps)
	if err != nil {
		return nil, err
	}
	known := append(itemsOf(plan.Steps), candidates...)
	reader := e.reader()
	if reader.Ahead, err = begun.lists.Wait(ctx); err != nil {
		return nil, err
	}
	live, err := reader.ListOwned(ctx, req.Instance.Metadata, known, plan.ledger.Abandoned)
	if err != nil {
		return nil, err
	}
	if err = e.decideAll(ctx, plan, live); err != nil {
		return nil, err
	}
	plan.disown()
	leaving := removal.Decide(itemsOf(plan.Steps), candidates, live, req.PruneAlso)
	plan.Prune = stepsOf(append(leaving, e.reader().Orphans(live, known, plan.ledger)...))
	removal.KeepFormer(itemsOf(plan.Prune), req.Former)
	if err = e.remover().CheckDependents(ctx, req.Instance.Metadata, itemsOf(plan.Prune)); err != nil {
		return nil, err
	}
	if err = e.makeRoom(ctx, plan); err != nil {
		return nil, err
	}
	plan.leaveForLater()
	plan.keepInInventory()
	e.remover().WarnUnknown(itemsOf(plan.Prune))
	return plan, nil
}

// decideAll decides every step, those first on which others depend.
func (e *Engine) decideAll(ctx context.Context, plan *Plan, live *survey.Owned) error {
	foundations, manager := map[api.ID]*Step{}, survey.ManagerOf(e.Client, plan.ledger)
	var first, rest []*Step
	for _, s := range plan.Steps {
		s.Live, s.known, s.manager = live.Get(&s.Item), plan.ledger.Fingerprints[s.Key()], manager
		s.noted = plan.ledger.Shared[s.Key()] != ""
		if kinds.IsFoundation(s.Object) {
			foundations[s.Object.ID()] = s
			first = append(first, s)
		} else {
			rest = append(rest, s)
		}
	}
	decide := func(s *Step) error {
		if s.Err != nil {
			return nil //nolint:nilerr // refused already, which stands in the plan
		}
		if reason := plan.deferral(s, foundations); reason != "" && !plan.request.ReadOnly {
			s.Action, s.Reason = event.Deferred, reason
			if plan.isNewNamespace(s.Object.Namespace(), foundations) && !plan.request.outside {
				return e.checkElsewhere(ctx, plan, s)
			}
			return nil
		}
		return e.decide(ctx, plan.request, s)
	}
	if err := kube.Each(e.concurrency(), first, decide); err != nil {
		return err
	}
	return kube.Each(e.concurrency(), rest, decide)
}

// checkElsewhere has the server check an object, whose namespace does not exist
// yet, in another one. Only what it says of the object itself counts: quotas,
// rights and webhooks differ between namespaces.
func (e *Engine) checkElsewhere(ctx context.Context, plan *Plan, s *Step) error {
	if !s.Resolved {
		return nil
	}
	o := s.Object.DeepCopy()
	o.SetNamespace(plan.instance.Metadata.Namespace)
	if plan.newSpace {
		o.SetNamespace("default")
	}
	_, err := e.Client.ApplyNew(ctx, s.Resource, o, kube.DryRun)
	if apierrors.IsConflict(err) { // its name is taken there
		_, err = e.askForCopy(ctx, s, o)
	}
	if kube.IsAboutObject(err) {
		return s.recordVerdict(err)
	}
	if _, isAnswer := errors.AsType[*apierrors.StatusError](err); err != nil && !isAnswer {
		return fmt.Errorf("%s: %w", s.Ref(), err)
	}
	return nil
}

// askForCopy returns what the server would make of an object as a new one, or
// why it would not take it. It asks for one of another name, because the
// object's is taken.
func (e *Engine) askForCopy(ctx context.Context, s *Step, o api.Object) (api.Object, error) {
	return e.Client.ApplyNew(ctx, s.Resource, kinds.Renamed(o), kube.DryRun)
}

// decide asks the server what would become of one step, given s.Live. What the
// server refuses stands in the step; an error means that it could not be asked.
func (e *Engine) decide(ctx context.Context, req Request, s *Step) error {
	s.Reason, s.Err, s.owner, s.drop = "", nil, "", nil
	if s.Live == nil {
		return e.decideNew(ctx, req, s)
	}
	replaced := api.AnySelects(req.Replace, s.Ref())
	if !replaced && s.Object.IsEnabled(api.AnnotationOneOff) {
		// Whatever its owner: it should exist, and it does.
		s.Action, s.Reason = event.Unchanged, "applied only once"
		return nil
	}
	if err := checkOwner(s.Live, req.Instance.Metadata, req.Adopt); err != nil {
		return e.decideForeign(ctx, req, s, err)
	}
	if replaced {
		return e.decideReplace(ctx, req, s)
	}
	if owner := s.manager.ReplicasOwner(s.Live); owner != "" {
		unstructured.RemoveNestedField(s.Object, "spec", "replicas")
		s.Reason = "replicas are left to " + owner
	}
	e.keepSize(s)
	if s.known != "" && s.known == s.manager.Fingerprint(s.Object, s.Live) {
		s.Action, s.fingerprint = event.Unchanged, s.known
		return nil
	}
	if req.ReadOnly {
		s.Action = event.Configured
		return nil
	}
	return e.decideUpdate(ctx, req, s)
}

// decideUpdate asks the server what an apply over the live object would change.
func (e *Engine) decideUpdate(ctx context.Context, req Request, s *Step) error {
	move, err := s.manager.Move(s.Live, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Ref(), err)
	}
	s.force = req.ForceConflicts || s.manager.OtherAppliers(s.Live) == nil
	got, err := e.Client.Apply(ctx, s.Resource, s.pinned(), s.force, kube.DryRun)
	if refusal := conflictError(s, err); refusal != nil {
		s.refuse(refusal)
		return nil
	}
	if isFieldConflict(err) { // with managers that only write
		s.force = true
		got, err = e.Client.Apply(ctx, s.Resource, s.pinned(), s.force, kube.DryRun)
	}
	s.next = got
	switch {
	case apierrors.IsConflict(err):
		// Another client wrote the object after it was read.
		return e.readAgain(ctx, req, s)
	case apierrors.IsInvalid(err):
		return e.decideRecreate(ctx, req, s, err)
	case err != nil:
		return s.recordVerdict(err)
	case move.Entries != nil:
		return e.decideMoved(ctx, req, s, got, move)
	case sameState(s.manager, s.Live, got):
		s.Action, s.fingerprint = event.Unchanged, s.manager.Fingerprint(s.Object, s.Live)
	default:
		s.Action = event.Configured
	}
	return nil
}

// decideNew asks for an object that the LIST did not show by what the write
// will be: an apply that only creates. A conflict means that there is an object
// of the name after all.
func (e *Engine) decideNew(ctx context.Context, req Request, s *Step) error {
	s.Action = event.Created
	if req.ReadOnly {
		return nil
	}
	got, err := e.Client.ApplyNew(ctx, s.Resource, s.Object, kube.DryRun)
	s.next = got
	if apierrors.IsConflict(err) {
		return e.readAgain(ctx, req, s)
	}
	return s.recordVerdict(err)
}

// readAgain decides a step on what the server has now. It ends, because a
// conflict that goes on means that the object changes faster than it can be
// read, which the last attempt reports.
func (e *Engine) readAgain(ctx context.Context, req Request, s *Step) error {
	live, err := e.Client.Get(ctx, s.Resource, s.Object.Namespace(), s.Object.Name())
	if apierrors.IsNotFound(err) {
		live, err = nil, nil
	}
	if err != nil {
		return s.recordVerdict(err)
	}
	if s.reads++; s.reads > maxReads {
		return s.recordVerdict(fmt.Errorf("it was changed by others %d times while it was checked", maxReads))
	}
	s.Live = live
	return e.decide(ctx, req, s)
}

// maxReads bounds how often one step is read again because of conflicts.
const maxReads = 10

// recordVerdict ends a step with the server's answer: nil leaves its action as it is,
// a rejection refuses the step. Anything else, a lost connection or a missing
// right to ask, is no answer and is returned.
func (s *Step) recordVerdict(err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%s: %w", s.Ref(), err)
	if _, isAnswer := errors.AsType[*apierrors.StatusError](err); isAnswer {
		s.refuse(err)
		return nil
	}
	return err
}

func (s *Step) refuse(err error) { s.Action, s.Err, s.Reason = event.Refused, err, err.Error() }

// pinned returns the object with the identity and version of the live one, so
// that the server refuses to write another or a newer one.
func (s *Step) pinned() api.Object {
	o := s.Object.DeepCopy()
	metadata := o["metadata"].(map[string]any)
	metadata["uid"], metadata["resourceVersion"] = kube.UID(s.Live), kube.ResourceVersion(s.Live)
	return o
}
