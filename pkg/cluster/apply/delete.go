// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/removal"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kinds"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// DeleteOptions say how an instance is deleted.
type DeleteOptions struct {
	NoWait  bool          // do not wait until the objects are gone
	Timeout time.Duration // of the wait and of the lock, 0 for DefaultTimeout
	DryRun  bool
	Check   bool // have the server check, in a dry run, whether each object may be deleted
	Also    kinds.Unprotected
	Orphan  bool         // delete the record only, and leave the objects
	Holder  store.Holder // who deletes, for the lock
}

// deletion is what a delete of an instance does.
type deletion struct {
	options DeleteOptions
	record  *store.Record // nil when there is none any more
	ledger  *store.Ledger
	steps   []*Step
}

// Delete deletes the objects of an instance and then its record. Definitions
// of kinds, namespaces and volumes are kept, with what others store in them.
// It returns what was done, or in a dry run would be, with each object. A
// delete that did not end can be run again.
func (e *Engine) Delete(ctx context.Context, record *store.Record, o DeleteOptions) ([]*Step, error) {
	m := record.Instance.Metadata
	if err := store.Writable(record, nil); err != nil {
		return nil, err
	}
	if o.Orphan {
		return e.orphan(ctx, record, o)
	}
	d, err := e.planDelete(ctx, record, o)
	if err != nil {
		return nil, err
	}
	if o.DryRun {
		return d.steps, e.remover().CheckDeletes(ctx, itemsOf(d.steps), o.Check)
	}
	if err = store.Writable(nil, d.ledger); err != nil {
		return d.steps, err
	}
	err = e.locked(ctx, m, o.Holder, limitOf(o.Timeout), func(ctx context.Context, taken bool) error {
		if d, err = e.planDeleteAgain(ctx, d, taken); err != nil || d.record == nil {
			return err // without a record, another delete was faster
		}
		return e.carryOutDelete(ctx, d)
	})
	if err == nil && !o.NoWait {
		home, _ := apart(d.steps, m.Namespace)
		err = e.remover().WaitGone(ctx, limitOf(o.Timeout), itemsOf(slices.DeleteFunc(home, func(s *Step) bool { return s.Action != event.Deleted })))
	}
	return d.steps, err
}

func (e *Engine) planDelete(ctx context.Context, record *store.Record, o DeleteOptions) (*deletion, error) {
	m := record.Instance.Metadata
	ledger, err := e.Store.Ledger(ctx, m.Namespace, m.Name)
	if err != nil {
		return nil, err
	}
	ledger = ledger.Of(record)
	recorded, err := e.reader().Recorded(record)
	if err != nil {
		return nil, err
	}
	live, err := e.reader().ListOwned(ctx, m, recorded, ledger.Abandoned)
	if err != nil {
		return nil, err
	}
	steps := stepsOf(append(removal.Decide(nil, recorded, live, o.Also), e.reader().Orphans(live, recorded, ledger)...))
	if err = e.remover().CountDependents(ctx, m, itemsOf(steps)); err != nil {
		return nil, err
	}
	e.warnUnknown(steps)
	return &deletion{options: o, record: record, ledger: ledger, steps: steps}, nil
}

// planDeleteAgain returns the deletion, planned again if another run had the
// lock or changed the record since it was planned.
func (e *Engine) planDeleteAgain(ctx context.Context, d *deletion, taken bool) (*deletion, error) {
	m := d.record.Instance.Metadata
	record, err := e.Store.Get(ctx, m.Namespace, m.Name)
	if errors.Is(err, store.ErrNotFound) {
		return &deletion{options: d.options, steps: d.steps}, nil
	}
	if err != nil || !taken && record.Same(d.record) {
		return d, err
	}
	again, err := e.planDelete(ctx, record, d.options)
	if err != nil {
		return d, err
	}
	return again, nil
}

// carryOutDelete deletes what a deletion names. The record stays as long as it
// is unknown whether all objects are gone.
func (e *Engine) carryOutDelete(ctx context.Context, d *deletion) error {
	o, m := d.options, d.record.Instance.Metadata
	home, rest := apart(d.steps, m.Namespace)
	record, err := e.Store.MarkDeleting(ctx, d.record)
	if err != nil {
		return err
	}
	if err = e.remover().RemoveInOrder(ctx, itemsOf(rest), record.StagesWith(d.ledger), !o.NoWait, limitOf(o.Timeout)); err != nil {
		return err
	}
	if err = unknownError(d.steps); err != nil {
		return err
	}
	if err = e.remover().Remove(ctx, itemsOf(home), false, limitOf(o.Timeout)); err != nil {
		return err
	}
	return e.Store.Remove(ctx, record)
}

// apart returns the step of the namespace in which the instance is recorded
// apart from the rest: it goes last, and takes the lock along.
func apart(steps []*Step, namespace string) (home, rest []*Step) {
	for _, s := range steps {
		if kinds.IsNamespace(s.Object) && s.Object.Name() == namespace {
			home = append(home, s)
		} else {
			rest = append(rest, s)
		}
	}
	return home, rest
}

// orphan forgets an instance: its objects stay, with the labels by which an
// instance of the same name takes them back.
func (e *Engine) orphan(ctx context.Context, record *store.Record, o DeleteOptions) ([]*Step, error) {
	recorded, err := e.reader().Recorded(record)
	if err != nil {
		return nil, err
	}
	steps := stepsOf(recorded)
	for _, s := range steps {
		s.Action, s.Reason = event.Kept, "the instance is forgotten"
	}
	if o.DryRun {
		return steps, nil
	}
	return steps, e.locked(ctx, record.Instance.Metadata, o.Holder, limitOf(o.Timeout), func(ctx context.Context, _ bool) error {
		return e.Store.Remove(ctx, record)
	})
}
