// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/bundle"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/teardown"
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

// census is what a cluster has of bundles of one name.
type census struct {
	own    []*store.Record // of the bundle, also outside the namespaces of its files
	others []string        // the namespaces of the rest, where that may be read
}

// find returns the record of an instance, nil when it is not among those found.
func (c census) find(in bundle.Instance) *store.Record {
	for _, r := range c.own {
		if m := r.Instance.Metadata; m.Name == in.Name && m.Namespace == in.Namespace {
			return r
		}
	}
	return nil
}

// count returns the records of this bundle, and of no other one of its name:
// those in the namespaces of its files, and those elsewhere that were applied
// with files that had one of these namespaces.
func (b *Bundle) count(ctx context.Context, s store.Store) (census, error) {
	home := b.namespaces()
	all, err := recordsOf(ctx, s, b.Name, home)
	if err = unreadableIn(home, err); err != nil {
		return census{}, fmt.Errorf("find the instances of the bundle %q: %w", b.Name, err)
	}
	return newCensus(all, home), nil
}

// newCensus tells the records of the bundle in some namespaces from those of
// others of its name.
func newCensus(all []*store.Record, home []string) census {
	var c census
	for _, r := range all {
		ns := r.Instance.Metadata.Namespace
		switch {
		case slices.ContainsFunc(r.Namespaces(), func(ns string) bool { return slices.Contains(home, ns) }):
			c.own = append(c.own, r)
		case !slices.Contains(c.others, ns):
			c.others = append(c.others, ns)
		}
	}
	slices.Sort(c.others)
	return c
}

// recordsOf returns the records of bundles of a name: of all namespaces or, for
// who may not read those, of some and of those that the records there name.
func recordsOf(ctx context.Context, s store.Store, name string, home []string) ([]*store.Record, error) {
	all, err := list(ctx, s, name, []string{""})
	if !apierrors.IsForbidden(err) {
		return all, err
	}
	if all, err = list(ctx, s, name, home); err != nil {
		return nil, err
	}
	var elsewhere []string
	for _, r := range all {
		for _, ns := range r.Namespaces() {
			if !slices.Contains(home, ns) && !slices.Contains(elsewhere, ns) {
				elsewhere = append(elsewhere, ns)
			}
		}
	}
	there, err := list(ctx, s, name, elsewhere)
	return append(all, there...), err
}

// unreadableIn returns an error without the records that cannot be read in other
// namespaces: they are those of others.
func unreadableIn(namespaces []string, err error) error {
	bad, other := store.Unreadable(err)
	errs := []error{other}
	for _, e := range bad {
		if slices.Contains(namespaces, e.Instance().Namespace) {
			errs = append(errs, e)
		}
	}
	return errors.Join(errs...)
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
// any more, in the order in which they are applied.
func (b *Bundle) left(c census) []*store.Record {
	gone := slices.DeleteFunc(slices.Clone(c.own), func(r *store.Record) bool { return b.has(r.Instance.Metadata) })
	return inPlace(gone)
}

// movedText says where instances of a bundle of this name are, when none is in
// the namespaces of its files: it may have moved from there, or be another one.
// It is empty when there are none.
func (b *Bundle) movedText(c census) string {
	if len(c.own) > 0 || len(c.others) == 0 {
		return ""
	}
	return fmt.Sprintf("the bundle %q is not installed in the namespaces of its files, and instances of a bundle of this name are in the namespaces %s: "+
		"if it has moved from there, delete them with 'kubectl timoni bundle delete %s -n NAMESPACE'", b.Name, strings.Join(c.others, ", "), b.Name)
}

// othersText says the same of a bundle that is installed.
func (c census) othersText(name string) string {
	if len(c.own) == 0 || len(c.others) == 0 {
		return ""
	}
	return fmt.Sprintf("instances of another bundle of the name %q, or of this one before it moved, are in the namespaces %s", name, strings.Join(c.others, ", "))
}

// find returns the records of the bundle. When a part of the bundle is selected,
// that is not asked.
func (r *run) find(ctx context.Context) (census, error) {
	if len(r.req.Select) > 0 {
		return census{}, nil
	}
	return r.bundle.count(ctx, r.store)
}

// noteLeft notes the instances that left the files.
func (r *run) noteLeft(found census) {
	if text := r.bundle.movedText(found); text != "" {
		r.observer.Observe(event.Warning{Text: text})
	}
	for _, record := range slices.Backward(r.bundle.left(found)) {
		r.left = append(r.left, &leftover{record: record, state: NotReached})
	}
}

// planPrune plans to delete the instances that left the files, if that is asked
// for, and else names them.
func (r *run) planPrune(ctx context.Context) error {
	taken := r.taken()
	for _, l := range r.left {
		if !r.req.PruneInstances {
			r.observer.Observe(unlisted(l.record.Instance.Metadata, r.bundle.Name))
			continue
		}
		o := r.deleteOptions()
		o.DryRun, o.Check = true, r.req.Apply.DryRun != deploy.DryRunClient
		var err error
		if l.objects, err = r.delete(ctx, l, o); err != nil {
			return err
		}
		l.objects = slices.DeleteFunc(l.objects, func(o teardown.Object) bool { return taken[api.IDOf(o.Object)] })
		l.goes = true
		if r.req.Apply.DryRun.IsDry() {
			l.state = Planned
		}
	}
	return nil
}

// taken returns the objects that the run writes. Those that an instance which
// left the files has still, the run adopts before it deletes that.
func (r *run) taken() map[api.ID]bool {
	all := map[api.ID]bool{}
	for _, it := range r.items {
		if it.plan == nil {
			continue
		}
		for _, o := range apply.Outcomes(it.plan.Steps) {
			if o.IsChange() {
				all[api.IDOf(o.Object)] = true
			}
		}
	}
	return all
}

// prune deletes the instances that left the files, as it was planned.
func (r *run) prune(ctx context.Context) error {
	for _, l := range r.left {
		if !l.goes {
			continue
		}
		l.state = Failed
		objects, err := r.delete(ctx, l, r.deleteOptions())
		if l.objects = objects; err != nil {
			return err
		}
		l.state = Gone
	}
	return nil
}

func (r *run) deleteOptions() teardown.Options {
	o := r.req.Apply
	return teardown.Options{NoWait: o.NoWait, Timeout: o.Timeout, Holder: o.Holder}
}

func (r *run) delete(ctx context.Context, l *leftover, o teardown.Options) ([]teardown.Object, error) {
	m := l.record.Instance.Metadata
	observer := r.within(instance.Key{Namespace: m.Namespace, Name: m.Name})
	objects, err := teardown.New(r.site.Client, observer).Delete(ctx, l.record, o)
	if err != nil {
		err = fmt.Errorf("delete %s: %w", m.Name, err)
	}
	return objects, err
}

// outcomes returns what was done with the objects of an instance that left the
// files, or would be.
func (l *leftover) outcomes() []event.Outcome {
	if l.state == NotReached {
		return nil
	}
	return teardown.Outcomes(l.objects)
}
