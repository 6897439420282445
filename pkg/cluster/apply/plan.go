// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/ownership"
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
	exists, err := e.checkNamespace(ctx, req)
	if err != nil {
		return nil, err
	}
	plan, err := e.planInTime(ctx, req, exists)
	if err == nil && req.Review != nil && plan.Refusal() == nil {
		err = req.Review(ctx, plan)
	}
	return plan, err
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
	record, err := e.Store.Get(ctx, req.Instance.Metadata.Namespace, req.Instance.Metadata.Name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if err = store.CheckBundle(record, req.Bundle.Name); err != nil && req.Adopt != AdoptAll {
		return nil, err
	}
	ledger, err := e.Store.Ledger(ctx, req.Instance.Metadata.Namespace, req.Instance.Metadata.Name)
	if err != nil {
		return nil, err
	}
	plan := &Plan{ledger: ledger.Of(record), request: req, instance: req.Instance, record: record, newSpace: !exists}
	if plan.Steps, err = e.prepare(req); err != nil {
		return nil, err
	}
	if len(plan.Steps) == 0 && !req.AllowEmpty {
		return nil, &EmptyError{Instance: req.Instance.Metadata}
	}
	plan.instance.Inventory = inventoryOf(plan.Steps)
	if err = store.Check(record, plan.ledger, plan.instance); err != nil {
		return nil, err
	}
	candidates, err := e.candidates(plan)
	if err != nil {
		return nil, err
	}
	live, err := e.listOwned(ctx, req.Instance.Metadata, append(slices.Clone(plan.Steps), candidates...), plan.ledger.Abandoned)
	if err != nil {
		return nil, err
	}
	if err = e.decideAll(ctx, plan, live); err != nil {
		return nil, err
	}
	plan.disown()
	plan.Prune = append(planPrune(plan.Steps, candidates, live, req.PruneAlso),
		e.orphans(live, append(slices.Clone(plan.Steps), candidates...), plan.ledger)...)
	if err = e.checkDependents(ctx, plan); err != nil {
		return nil, err
	}
	if err = e.makeRoom(ctx, plan); err != nil {
		return nil, err
	}
	plan.leaveForLater()
	plan.keepInInventory()
	e.warnUnknown(plan.Prune)
	return plan, nil
}

// decideAll decides every step, those first on which others depend.
func (e *Engine) decideAll(ctx context.Context, plan *Plan, live *owned) error {
	foundations, manager := map[api.ID]*Step{}, managerOf(e.Client, plan.ledger)
	var first, rest []*Step
	for _, s := range plan.Steps {
		s.live, s.known, s.manager = live.get(s), plan.ledger.Fingerprints[s.key()], manager
		s.noted = plan.ledger.Shared[s.key()] != ""
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
	if err := each(e.concurrency(), first, decide); err != nil {
		return err
	}
	return each(e.concurrency(), rest, decide)
}

// checkElsewhere has the server check an object, whose namespace does not exist
// yet, in another one. Only what it says of the object itself counts: quotas,
// rights and webhooks differ between namespaces.
func (e *Engine) checkElsewhere(ctx context.Context, plan *Plan, s *Step) error {
	if !s.resolved {
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

// decide asks the server what would become of one step, given s.live. What the
// server refuses stands in the step; an error means that it could not be asked.
func (e *Engine) decide(ctx context.Context, req Request, s *Step) error {
	s.Reason, s.Err, s.owner, s.drop = "", nil, "", nil
	if s.live == nil {
		return e.decideNew(ctx, req, s)
	}
	replaced := api.AnySelects(req.Replace, s.Ref())
	if !replaced && isEnabled(s.Object, api.AnnotationOneOff) {
		// Whatever its owner: it should exist, and it does.
		s.Action, s.Reason = event.Unchanged, "applied only once"
		return nil
	}
	if err := checkOwner(s.live, req.Instance.Metadata, req.Adopt); err != nil {
		return e.decideForeign(ctx, req, s, err)
	}
	if replaced {
		return e.decideReplace(ctx, req, s)
	}
	if owner := s.manager.ReplicasOwner(s.live); owner != "" {
		unstructured.RemoveNestedField(s.Object, "spec", "replicas")
		s.Reason = "replicas are left to " + owner
	}
	e.keepSize(s)
	if s.known != "" && s.known == s.manager.Fingerprint(s.Object, s.live) {
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
	move, err := s.manager.Move(s.live, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Ref(), err)
	}
	s.force = req.ForceConflicts || s.manager.OtherAppliers(s.live) == nil
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
	case sameState(s.manager, s.live, got):
		s.Action, s.fingerprint = event.Unchanged, s.manager.Fingerprint(s.Object, s.live)
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
	s.live = live
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
	metadata["uid"], metadata["resourceVersion"] = kube.UID(s.live), kube.ResourceVersion(s.live)
	return o
}

func isEnabled(o api.Object, annotation string) bool {
	return o.Annotation(annotation) == api.EnabledValue
}

func isDisabled(o api.Object, annotation string) bool {
	return o.Annotation(annotation) == api.DisabledValue
}

// byListKey groups steps by what one LIST covers.
func byListKey(steps []*Step) map[kube.ListKey][]*Step {
	keys := map[kube.ListKey][]*Step{}
	for _, s := range steps {
		if s.resolved {
			key := s.Resource.ListKey(s.Object.Namespace())
			keys[key] = append(keys[key], s)
		}
	}
	return keys
}

// owned holds the live objects that carry an instance's labels.
type owned struct {
	mu        sync.Mutex
	objects   map[api.ID]api.Object
	resources map[api.ID]kube.Resource
}

func (l *owned) get(s *Step) api.Object {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.objects[s.Object.ID()]
}

func (l *owned) add(r kube.Resource, o api.Object) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.objects[o.ID()], l.resources[o.ID()] = o, r
}

// listOwned reads what the cluster has of an instance: one LIST for each kind
// and namespace among the steps and those that were abandoned. Who may not list
// gets one GET per object.
func (e *Engine) listOwned(ctx context.Context, m api.Metadata, steps []*Step, abandoned []store.ListKey) (*owned, error) {
	live := &owned{objects: map[api.ID]api.Object{}, resources: map[api.ID]kube.Resource{}}
	keys := byListKey(steps)
	e.addAbandoned(keys, abandoned)
	err := each(e.concurrency(), slices.Collect(maps.Keys(keys)), func(key kube.ListKey) error {
		return e.listOne(ctx, m, key, keys[key], live)
	})
	return live, err
}

func (e *Engine) listOne(ctx context.Context, m api.Metadata, key kube.ListKey, steps []*Step, live *owned) error {
	list, _, err := e.Client.List(ctx, key.Resource, key.Namespace, kube.Selector{Labels: m.Selector()})
	switch {
	case apierrors.IsNotFound(err):
		// The kind is known from a CustomResourceDefinition that is not
		// applied yet, or was removed: there are no objects.
		return e.listAgain(ctx, m, key.Resource, steps, live)
	case apierrors.IsForbidden(err):
		return e.getOwned(ctx, m, steps, live)
	case kube.IsUnavailable(err) && markUnknown(steps, err):
		return nil
	case err != nil:
		return fmt.Errorf("list %s: %w", key.Resource.Resource, err)
	}
	for _, o := range list {
		live.add(key.Resource, o)
	}
	return nil
}

func (e *Engine) getOwned(ctx context.Context, m api.Metadata, steps []*Step, live *owned) error {
	return each(e.concurrency(), steps, func(s *Step) error {
		o, err := e.Client.Get(ctx, s.Resource, s.Object.Namespace(), s.Object.Name())
		switch {
		case apierrors.IsNotFound(err):
			return nil
		case kube.IsUnavailable(err) && markUnknown([]*Step{s}, err):
			return nil
		case err != nil:
			return fmt.Errorf("%s: %w", s.Ref(), err)
		}
		if ownership.Is(o, m) {
			live.add(s.Resource, o)
		}
		return nil
	})
}

// each calls do for every item, limit of them at a time, and joins the errors in
// the order of the items.
func each[T any](limit int, items []T, do func(T) error) error {
	errs := make([]error, len(items))
	slots := make(chan struct{}, limit)
	var wg sync.WaitGroup
	for i, item := range items {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			errs[i] = do(item)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
