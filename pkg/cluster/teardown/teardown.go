// SPDX-License-Identifier: Apache-2.0

// Package teardown deletes an instance: its objects in order, and then its
// record.
package teardown

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/removal"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/survey"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kinds"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// Options say how an instance is deleted.
type Options struct {
	NoWait  bool          // do not wait until the objects are gone
	Timeout time.Duration // of the wait and of the lock, 0 for kube.DefaultTimeout
	DryRun  bool
	Check   bool // have the server check, in a dry run, whether each object may be deleted
	Also    kinds.Unprotected
	Orphan  bool         // delete the record only, and leave the objects
	Holder  store.Holder // who deletes, for the lock
}

// planned is what deleting an instance does.
type planned struct {
	options Options
	record  *store.Record // nil when there is none any more
	ledger  *store.Ledger
	items   []*survey.Item
}

// Object is what was done with one object of the instance, or in a dry run would
// be.
type Object struct {
	event.Outcome

	Live api.Object // as it was before, nil when it is gone
}

// Outcomes returns what was done with objects.
func Outcomes(objects []Object) []event.Outcome {
	outcomes := make([]event.Outcome, len(objects))
	for i, o := range objects {
		outcomes[i] = o.Outcome
	}
	return outcomes
}

// Deleter deletes instances from one cluster.
type Deleter struct {
	removal.Remover
}

// New returns a Deleter for the cluster that the client reaches. A nil observer
// discards all events.
func New(client *kube.Client, observer event.Observer) Deleter {
	reader := survey.Reader{Client: client, Concurrency: kube.DefaultConcurrency}
	return Deleter{removal.Remover{Reader: reader, Store: store.New(client), Observer: observer}}
}

// Delete deletes the objects of an instance and then its record. Definitions
// of kinds, namespaces and volumes are kept, with what others store in them.
// It returns what was done, or in a dry run would be, with each object, and with
// an error what was deleted by then. A delete that did not end can be run again.
func (d Deleter) Delete(ctx context.Context, record *store.Record, o Options) ([]Object, error) {
	items, err := d.delete(ctx, record, o)
	if err != nil {
		items = survey.Removed(items)
	}
	outcomes := survey.Outcomes(items)
	objects := make([]Object, len(items))
	for n, i := range items {
		objects[n] = Object{outcomes[n], i.Live}
	}
	return objects, err
}

func (d Deleter) delete(ctx context.Context, record *store.Record, o Options) ([]*survey.Item, error) {
	m := record.Instance.Metadata
	if err := store.Writable(record, nil); err != nil {
		return nil, err
	}
	if o.Orphan {
		return d.orphan(ctx, record, o)
	}
	p, err := d.plan(ctx, record, o)
	if err != nil {
		return nil, err
	}
	if o.DryRun {
		return p.items, d.CheckDeletes(ctx, p.items, o.Check)
	}
	if err = store.Writable(nil, p.ledger); err != nil {
		return p.items, err
	}
	err = d.Store.Locked(ctx, m, o.Holder, kube.LimitOf(o.Timeout), d.Warn, func(ctx context.Context, taken bool) error {
		if p, err = d.planAgain(ctx, p, taken); err != nil || p.record == nil {
			return err // without a record, another delete was faster
		}
		return d.carryOut(ctx, p)
	})
	if err == nil && !o.NoWait {
		home, _ := apart(p.items, m.Namespace)
		err = d.WaitGone(ctx, kube.LimitOf(o.Timeout), slices.DeleteFunc(home, func(i *survey.Item) bool { return i.Action != event.Deleted }))
	}
	return p.items, err
}

func (d Deleter) plan(ctx context.Context, record *store.Record, o Options) (*planned, error) {
	m := record.Instance.Metadata
	ledger, err := d.Store.Ledger(ctx, m.Namespace, m.Name)
	if err != nil {
		return nil, err
	}
	ledger = ledger.Of(record)
	recorded, err := d.Recorded(record)
	if err != nil {
		return nil, err
	}
	live, err := d.ListOwned(ctx, m, recorded, ledger.Abandoned)
	if err != nil {
		return nil, err
	}
	items := append(removal.Decide(nil, recorded, live, o.Also), d.Orphans(live, recorded, ledger)...)
	if err = d.CountDependents(ctx, m, items); err != nil {
		return nil, err
	}
	d.WarnUnknown(items)
	return &planned{options: o, record: record, ledger: ledger, items: items}, nil
}

// planAgain returns the plan, made again if another run had the
// lock or changed the record since it was planned.
func (d Deleter) planAgain(ctx context.Context, p *planned, taken bool) (*planned, error) {
	m := p.record.Instance.Metadata
	record, err := d.Store.Get(ctx, m.Namespace, m.Name)
	if errors.Is(err, store.ErrNotFound) {
		return &planned{options: p.options, items: p.items}, nil
	}
	if err != nil || !taken && record.Same(p.record) {
		return p, err
	}
	again, err := d.plan(ctx, record, p.options)
	if err != nil {
		return p, err
	}
	return again, nil
}

// carryOut deletes what a plan names. The record stays as long as it
// is unknown whether all objects are gone.
func (d Deleter) carryOut(ctx context.Context, p *planned) error {
	o, m := p.options, p.record.Instance.Metadata
	home, rest := apart(p.items, m.Namespace)
	record, err := d.Store.MarkDeleting(ctx, p.record)
	if err != nil {
		return err
	}
	if err = d.RemoveInOrder(ctx, rest, record.StagesWith(p.ledger), !o.NoWait, kube.LimitOf(o.Timeout)); err != nil {
		return err
	}
	if err = survey.UnknownError(p.items); err != nil {
		return err
	}
	if err = d.Remove(ctx, home, false, kube.LimitOf(o.Timeout)); err != nil {
		return err
	}
	return d.Store.Remove(ctx, record)
}

// apart returns the item of the namespace in which the instance is recorded
// apart from the rest: it goes last, and takes the lock along.
func apart(items []*survey.Item, namespace string) (home, rest []*survey.Item) {
	for _, s := range items {
		if s.Object.IsNamespace() && s.Object.Name() == namespace {
			home = append(home, s)
		} else {
			rest = append(rest, s)
		}
	}
	return home, rest
}

// orphan forgets an instance: its objects stay, with the labels by which an
// instance of the same name takes them back.
func (d Deleter) orphan(ctx context.Context, record *store.Record, o Options) ([]*survey.Item, error) {
	items, err := d.Recorded(record)
	if err != nil {
		return nil, err
	}
	for _, s := range items {
		s.Action, s.Reason = event.Kept, "the instance is forgotten"
	}
	if o.DryRun {
		return items, nil
	}
	return items, d.Store.Locked(ctx, record.Instance.Metadata, o.Holder, kube.LimitOf(o.Timeout), d.Warn, func(ctx context.Context, _ bool) error {
		return d.Store.Remove(ctx, record)
	})
}
