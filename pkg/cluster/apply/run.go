// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// Apply plans and carries the plan out. Nothing is changed, except that a
// missing namespace is created and removed again, when the plan is refused. What
// has changed in the cluster since the plan was made is planned again, and
// reviewed again. It returns the plan as it was carried out.
func (e *Engine) Apply(ctx context.Context, req Request) (*Plan, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // what was asked ahead of an error
	req.Ahead = e.ahead(ctx, req)
	exists, err := e.checkNamespace(ctx, req)
	if err != nil {
		return nil, err
	}
	first := req
	// A plan that is refused without the namespace, or turned down in review,
	// does not create it: a namespace takes its time to go.
	first.outside = !exists && req.Review == nil
	plan, err := e.planChecked(ctx, first, exists)
	if err != nil {
		return plan, err
	}
	return e.run(ctx, plan, func(*Plan) error { return nil })
}

// Execute carries out a plan of Plan: what it shows is what happens. When the
// cluster has changed since in a way that changes what the plan does, the error
// is a *StaleError: make a new plan. A change of the instance's record is found
// before the first write, a change of an object before that object is written.
// What the plan defers is decided when its stage is reached. The review of the
// request is not called again.
//
// It returns the plan as it was carried out, which says what has happened to
// each object; plan itself stays as it is.
func (e *Engine) Execute(ctx context.Context, plan *Plan) (*Plan, error) {
	if plan.request.ReadOnly {
		return nil, ErrUnchecked
	}
	if err := plan.Refusal(); err != nil {
		return nil, err
	}
	return e.run(ctx, plan.forExecution(), func(again *Plan) error { return again.AsShown(plan) })
}

// ErrUnchecked is the error of executing a plan that the server has not checked.
var ErrUnchecked = errors.New("the plan was made without asking the server, and cannot be executed")

// run carries out a plan. accept is asked about each plan that has to be made
// again.
func (e *Engine) run(ctx context.Context, plan *Plan, accept func(*Plan) error) (*Plan, error) {
	created, plan, err := e.withNamespace(ctx, plan, accept)
	if err != nil {
		return plan, err
	}
	if !plan.writes() {
		return plan, e.carryOut(ctx, plan, plan.record)
	}
	req, user := plan.request, (*kube.Answer[string])(nil)
	if !plan.isRecorded() {
		user = e.askUser(ctx, req) // while it takes the lock
	}
	err = e.Store.Locked(ctx, req.Instance.Metadata, req.Holder, req.waitLimit(), e.warn, func(ctx context.Context, taken bool) error {
		var record *store.Record
		if plan, record, err = e.begin(ctx, plan, taken, accept); err != nil {
			return err
		}
		plan.created, plan.user = created, user
		return e.carryOut(ctx, plan, record)
	})
	return plan, err
}

// withNamespace creates the namespace of a plan that misses it, and returns it
// with the plan in which everything is checked that could not be without it.
// When that is refused, the namespace is removed again.
func (e *Engine) withNamespace(ctx context.Context, plan *Plan, accept func(*Plan) error) (api.Object, *Plan, error) {
	if !plan.newSpace {
		return nil, plan, nil
	}
	req := plan.request
	req.outside, req.Review = false, nil
	created, err := e.createNamespace(ctx, req.Instance.Metadata.Namespace)
	if err != nil {
		return nil, plan, err
	}
	full, err := e.planChecked(ctx, req, true)
	if err == nil {
		err = accept(full)
	}
	if err != nil {
		late, cancel := kube.Detached(ctx)
		defer cancel()
		return created, full, kube.Join(err, e.removeNamespace(late, created))
	}
	full.created = created
	return created, full, nil
}

// planChecked returns a plan that is neither refused nor turned down in review.
func (e *Engine) planChecked(ctx context.Context, req Request, exists bool) (*Plan, error) {
	plan, err := e.planInTime(ctx, req, exists)
	if err == nil {
		err = plan.Refusal()
	}
	if err == nil {
		err = req.review(ctx, plan)
	}
	return plan, err
}

// writes says whether carrying the plan out changes anything in the cluster.
func (p *Plan) writes() bool {
	return !p.isRecorded() || slices.ContainsFunc(p.All(), func(s *Step) bool {
		return s.Action != event.Unchanged && s.Action != event.Kept
	})
}

// begin records the intent of a plan, and returns the record with the plan. The
// plan was made before the lock was held: that the record is still the one that
// the plan read is the condition of the write. A plan of which it is not so is
// made again, and so is one whose lock another run had.
func (e *Engine) begin(ctx context.Context, plan *Plan, taken bool, accept func(*Plan) error) (*Plan, *store.Record, error) {
	if !taken {
		record, err := e.recordIntent(ctx, plan)
		if _, isOld := errors.AsType[*store.ChangedError](err); !isOld {
			return plan, record, err
		}
	}
	again, err := e.planChecked(ctx, plan.request, true)
	if err == nil {
		err = accept(again)
	}
	if again == nil {
		again = plan
	}
	if err != nil || again.isRecorded() { // in which case the record was read under the lock
		return again, again.record, err
	}
	record, err := e.recordIntent(ctx, again)
	return again, record, err
}

// recordIntent records what a plan is about to apply, in place of the record
// that it read. The record of a plan that changes none is only looked at.
func (e *Engine) recordIntent(ctx context.Context, plan *Plan) (*store.Record, error) {
	if plan.isRecorded() {
		return plan.record, e.Store.CheckCurrent(ctx, plan.record)
	}
	plan.instance.LastTransitionTime = plan.record.TimeAfter(time.Now())
	return e.Store.In(plan.request.Bundle).Begin(ctx, plan.record, plan.instance, plan.ownStages())
}
