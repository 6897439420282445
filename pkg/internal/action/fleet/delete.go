// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
)

// Target names the bundle that a verb on installed instances is about: by its
// files or, without any, by its name.
type Target struct {
	Request
	Name      string
	Namespace string // with a name: the only one to look in; empty for all
}

// member is an instance of a bundle, and its record, nil when it is not
// installed.
type member struct {
	instance.Key
	record *store.Record
}

// members returns the instances of the target in the order in which they are
// applied, and the records of those that left its files.
func (t Target) members(ctx context.Context, site Site) (name string, members []member, left []*store.Record, err error) {
	s := store.New(site.Client)
	if len(t.Files) == 0 {
		members, err = t.named(ctx, s)
		return t.Name, members, nil, err
	}
	b, err := Load(ctx, site, t.Request)
	if err != nil {
		return "", nil, nil, err
	}
	for _, in := range b.Selected {
		m := member{Key: instance.Key{Namespace: in.Namespace, Name: in.Name}}
		if m.record, err = s.Get(ctx, in.Namespace, in.Name); err != nil && !errors.Is(err, store.ErrNotFound) {
			return "", nil, nil, err
		}
		members = append(members, m)
	}
	if len(t.Select) == 0 {
		left, err = b.left(ctx, s)
	} else {
		err = nil
	}
	return b.Name, members, left, err
}

// named returns the instances that carry the name of a bundle, those first that
// were applied first. It refuses to say which is meant when there are several
// bundles of the name.
func (t Target) named(ctx context.Context, s store.Store) ([]member, error) {
	records, err := list(ctx, s, t.Name, []string{t.Namespace})
	if err != nil {
		return nil, err
	}
	if spaces := apart(records); len(spaces) > 1 {
		return nil, fail.Hint(fail.Refusedf("there are %d bundles with the name %q: in the namespaces %s", len(spaces), t.Name, strings.Join(spaces, "; ")),
			"say which one is meant with its files, -f FILE, or with a namespace, -n NAMESPACE")
	}
	if len(records) == 0 {
		return nil, fail.Hint(fmt.Errorf("bundle %q: %w", t.Name, store.ErrNotFound), "see what is installed with 'kubectl timoni list -A'")
	}
	slices.SortStableFunc(records, func(a, b *store.Record) int {
		return strings.Compare(a.Instance.LastTransitionTime, b.Instance.LastTransitionTime)
	})
	members := make([]member, len(records))
	for i, r := range records {
		m := r.Instance.Metadata
		members[i] = member{Key: instance.Key{Namespace: m.Namespace, Name: m.Name}, record: r}
	}
	return members, nil
}

// apart returns the namespaces of each bundle among records of bundles of one
// name. Two records are of one bundle when they were applied with files that have
// a namespace in common.
func apart(records []*store.Record) []string {
	var bundles [][]string
	for _, r := range records {
		own := r.Namespaces()
		var others [][]string
		for _, spaces := range bundles {
			if slices.ContainsFunc(spaces, func(ns string) bool { return slices.Contains(own, ns) }) {
				own = append(own, spaces...)
			} else {
				others = append(others, spaces)
			}
		}
		slices.Sort(own)
		others = append(others, slices.Compact(own))
		bundles = others
	}
	texts := make([]string, len(bundles))
	for i, spaces := range bundles {
		texts[i] = strings.Join(spaces, ", ")
	}
	slices.Sort(texts)
	return texts
}

// DeleteRequest says which bundle is deleted, and how.
type DeleteRequest struct {
	Target
	Delete         instance.DeleteRequest // what names an instance is not used
	PruneInstances bool                   // those that left the files, too
}

// Deleted is what was done with one instance, or in a dry run would be.
type Deleted struct {
	instance.Key
	Outcomes []event.Outcome
}

// Delete deletes the instances of a bundle, the last one first. Nothing is
// deleted when one of them is another's. done is called after each.
func Delete(ctx context.Context, site Site, req DeleteRequest, observer event.Observer, done func(Deleted) error) error {
	name, members, left, err := req.members(ctx, site)
	if req.Delete.IgnoreNotFound && errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = checkMembers(name, members)
	}
	if err != nil {
		return site.Wrap(err)
	}
	for _, record := range left {
		m := record.Instance.Metadata
		if req.PruneInstances {
			members = append(members, member{Key: instance.Key{Namespace: m.Namespace, Name: m.Name}, record: record})
		} else {
			observer.Observe(event.Warning{Text: leftText(m, name)})
		}
	}
	for i, m := range slices.Backward(members) {
		if m.record == nil {
			continue
		}
		one := req.Delete
		one.Key, one.IgnoreNotFound = m.Key, true
		outcomes, failed := instance.Delete(ctx, site.Client, one, observer)
		if failed == nil {
			failed = done(Deleted{m.Key, outcomes})
		}
		if failed != nil {
			return site.Wrap(errors.Join(failed, notDeleted(members[:i])))
		}
	}
	return nil
}

// checkMembers refuses when an instance does not belong to the bundle.
func checkMembers(name string, members []member) error {
	var errs []error
	for _, m := range members {
		if m.record != nil && m.record.Bundle() != name {
			e := &store.BundleError{Instance: api.Metadata{Name: m.Name, Namespace: m.Namespace}, Owner: m.record.Bundle(), Wanted: name}
			errs = append(errs, fail.Hint(fail.With(fail.Refused, e), "to delete this instance: kubectl timoni delete %s -n %s", m.Name, m.Namespace))
		}
	}
	return errors.Join(errs...)
}

// notDeleted names the instances after the one at which a delete ended.
func notDeleted(members []member) error {
	var names []string
	for _, m := range members {
		if m.record != nil {
			names = append(names, m.Name)
		}
	}
	if names == nil {
		return nil
	}
	return fmt.Errorf("not deleted: instance %s", strings.Join(names, ", "))
}

func leftText(m api.Metadata, bundle string) string {
	return fmt.Sprintf("instance %q in namespace %q belongs to the bundle %q and is no longer in its files: --prune-instances deletes it", m.Name, m.Namespace, bundle)
}

// NotInstalled is the state of an instance that the files name.
const NotInstalled instance.State = "NotInstalled"

// Status returns the state of each instance of a bundle.
func Status(ctx context.Context, site Site, t Target, observer event.Observer) ([]*instance.StatusReport, error) {
	name, members, left, err := t.members(ctx, site)
	if err != nil {
		return nil, site.Wrap(err)
	}
	for _, record := range left {
		observer.Observe(event.Warning{Text: leftText(record.Instance.Metadata, name)})
	}
	reports := make([]*instance.StatusReport, len(members))
	for i, m := range members {
		if m.record == nil {
			reports[i] = &instance.StatusReport{Summary: instance.Summary{Key: m.Key, State: NotInstalled}}
			continue
		}
		if reports[i], err = instance.Status(ctx, site.Client, m.Key); err != nil {
			return nil, site.Wrap(err)
		}
	}
	return reports, nil
}
