// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/deploy"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
)

// namespaces returns those of all instances of the bundle, sorted. They and the
// name are what the bundle is.
func (b *Bundle) namespaces() []string {
	var list []string
	for _, in := range b.Instances {
		list = append(list, in.Namespace)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// has says whether the files name an instance.
func (b *Bundle) has(m api.Metadata) bool {
	for _, in := range b.Instances {
		if in.Name == m.Name && in.Namespace == m.Namespace {
			return true
		}
	}
	return false
}

// records returns the records of this bundle, and of no other one of its name:
// those in the namespaces of its files, and those elsewhere that were applied
// with a file that had one of these namespaces.
func (b *Bundle) records(ctx context.Context, s store.Store) ([]*store.Record, error) {
	home := b.namespaces()
	here, err := list(ctx, s, b.Name, home)
	if err != nil {
		return nil, err
	}
	var elsewhere []string
	for _, r := range here {
		for _, ns := range r.Namespaces() {
			if !slices.Contains(home, ns) && !slices.Contains(elsewhere, ns) {
				elsewhere = append(elsewhere, ns)
			}
		}
	}
	there, err := list(ctx, s, b.Name, elsewhere)
	for _, r := range there {
		if slices.ContainsFunc(r.Namespaces(), func(ns string) bool { return slices.Contains(home, ns) }) {
			here = append(here, r)
		}
	}
	return here, err
}

// list returns the records of bundles of a name in namespaces.
func list(ctx context.Context, s store.Store, name string, namespaces []string) ([]*store.Record, error) {
	var all []*store.Record
	var errs []error
	for _, ns := range namespaces {
		records, err := s.List(ctx, ns, api.LabelBundle+"="+name)
		all, errs = append(all, records...), append(errs, err)
	}
	return all, errors.Join(errs...)
}

// left returns the records of the bundle whose instances its files do not name
// any more.
func (b *Bundle) left(ctx context.Context, s store.Store) ([]*store.Record, error) {
	records, err := b.records(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("find the instances of the bundle %q: %w", b.Name, err)
	}
	return slices.DeleteFunc(records, func(r *store.Record) bool { return b.has(r.Instance.Metadata) }), nil
}

// pruneInstances deletes the instances that left the files, if that is asked
// for, and else names them.
func (r *run) pruneInstances(ctx context.Context, applied *Applied) error {
	for _, record := range slices.Backward(r.left) {
		m := record.Instance.Metadata
		if !r.req.PruneInstances {
			r.observer.Observe(event.Warning{Text: leftText(m, r.bundle.Name)})
			continue
		}
		key := instance.Key{Namespace: m.Namespace, Name: m.Name}
		o := r.req.Apply
		outcomes, err := instance.Delete(ctx, r.site.Client, instance.DeleteRequest{
			Key: key, NoWait: o.NoWait, Timeout: o.Timeout, Holder: o.Holder, IgnoreNotFound: true,
			DryRun: o.DryRun.IsDry(), Check: o.DryRun == deploy.DryRunServer,
		}, r.observer)
		if err != nil {
			return err
		}
		applied.Pruned = append(applied.Pruned, AppliedInstance{Key: key, Module: record.Instance.Module, Outcomes: outcomes})
	}
	return nil
}
