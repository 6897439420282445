// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"errors"
	"sync"

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
	Namespace string // with a name: one of the bundle that is meant; empty when only one has it
}

// member is an instance of a bundle, and its record, nil when it is not
// installed.
type member struct {
	instance.Key
	record *store.Record
}

// membership is the instances that a target means.
type membership struct {
	bundle  string // its name
	members []member
	before  [][]int         // which have to be applied before each
	left    []*store.Record // that left the files
	moved   string          // where else there are instances of a bundle of the name, if none is here
	others  string          // and if some are
	files   *Bundle         // nil without files
}

// wrap returns an error without what the files hide, and with its cluster.
func (c membership) wrap(site Site, err error) error {
	if c.files != nil {
		err = c.files.Hide(err)
	}
	return site.Wrap(err)
}

// members returns the instances of the target in the order in which they are
// applied.
func (t Target) members(ctx context.Context, site Site) (membership, error) {
	s := store.New(site.Client)
	if len(t.Files) == 0 {
		return t.named(ctx, s)
	}
	req := t.Request
	req.namesOnly = true
	b, err := load(ctx, site, req)
	if err != nil {
		return membership{}, err
	}
	c := membership{files: b, bundle: b.Name, before: b.Before(b.Selected)}
	for _, in := range b.Selected {
		m := member{Key: instance.Key{Namespace: in.Namespace, Name: in.Name}}
		if m.record, err = s.Get(ctx, in.Namespace, in.Name); err != nil && !errors.Is(err, store.ErrNotFound) {
			return c, err
		}
		c.members = append(c.members, m)
	}
	if len(t.Select) > 0 {
		return c, nil
	}
	found, err := b.count(ctx, s)
	c.left, c.moved, c.others = b.left(found), b.movedText(found), found.othersText(b.Name)
	return c, err
}

// hiding returns an observer that is told nothing of what the files hide.
func (c membership) hiding(observer event.Observer) event.Observer {
	if c.files == nil {
		return observer
	}
	return event.Hiding(observer, c.files.secret)
}

// warn tells the observer of what is not in the files of the bundle.
func (c membership) warn(observer event.Observer) {
	for _, record := range c.left {
		observer.Observe(unlisted(record.Instance.Metadata, c.bundle))
	}
	if c.moved != "" {
		observer.Observe(event.Warning{Text: c.moved})
	}
	if c.others != "" {
		observer.Observe(event.Note{Text: c.others})
	}
}

// DeleteRequest says which bundle is deleted, and how.
type DeleteRequest struct {
	Target
	Delete         instance.DeleteRequest // what names an instance is not used
	PruneInstances bool                   // those that left the files, too
}

// Deleted is what was done with one instance, or in a dry run would be. Of one
// that failed it is what was done by then.
type Deleted struct {
	instance.Key
	Outcomes []event.Outcome
	Err      error
}

// Delete deletes the instances of a bundle, each after those that need it.
// Nothing is deleted when one of them is another's. done is called after each,
// one call at a time.
func Delete(ctx context.Context, site Site, req DeleteRequest, observer event.Observer, done func(Deleted) error) error {
	c, err := req.members(ctx, site)
	if req.Delete.IgnoreNotFound && errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = checkMembers(c.bundle, c.members)
	}
	if err != nil {
		return c.wrap(site, err)
	}
	if req.PruneInstances { // before those that they may need
		for _, record := range c.left {
			m := record.Instance.Metadata
			c.members = append(c.members, member{Key: instance.Key{Namespace: m.Namespace, Name: m.Name}, record: record})
		}
		c.before, c.left = append(c.before, sequence(len(c.members))[len(c.before):]...), nil
	}
	observer = c.hiding(observer)
	c.warn(observer)
	d := &deletion{site: site, how: req.Delete, membership: c, observer: observer, done: done, reached: make([]bool, len(c.members))}
	if err = inOrder(backward(c.before), maxAtOnce, func(i int) error { return d.delete(ctx, i) }); err != nil {
		return c.wrap(site, errors.Join(err, d.notReached()))
	}
	return nil
}

// sequence returns the order of items that are worked on one after the other.
func sequence(n int) [][]int {
	before := make([][]int, n)
	for i := range before {
		for k := range i {
			before[i] = append(before[i], k)
		}
	}
	return before
}

// deletion is a bundle that is being deleted.
type deletion struct {
	membership
	site     Site
	how      instance.DeleteRequest
	observer event.Observer
	mu       sync.Mutex // guards what follows
	done     func(Deleted) error
	reached  []bool
}

func (d *deletion) delete(ctx context.Context, i int) error {
	m := d.members[i]
	if m.record == nil {
		return nil
	}
	one := d.how
	one.Key, one.IgnoreNotFound, one.Bundle = m.Key, true, d.bundle
	outcomes, err := instance.Delete(ctx, d.site.Client, one, d.site.within(m.Key, d.before, d.observer))
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reached[i] = true
	return errors.Join(err, d.done(Deleted{m.Key, outcomes, err}))
}

// checkMembers refuses when an instance does not belong to the bundle.
func checkMembers(name string, members []member) error {
	var errs []error
	for _, m := range members {
		if m.record != nil && m.record.Bundle() != name {
			e := &store.BundleError{Instance: api.Metadata{Name: m.Name, Namespace: m.Namespace}, Owner: m.record.Bundle(), Wanted: name}
			errs = append(errs, fail.Hint(fail.Refusedf("%v", e), "to delete this instance: kubectl timoni delete %s -n %s", m.Name, m.Namespace))
		}
	}
	return errors.Join(errs...)
}

// notReached names the instances that the delete did not reach.
func (d *deletion) notReached() error {
	var names []string
	for i, m := range d.members {
		if m.record != nil && !d.reached[i] {
			names = append(names, m.Name)
		}
	}
	return unreached("not deleted: instance", names)
}

func unlisted(m api.Metadata, bundle string) event.Unlisted {
	return event.Unlisted{Name: m.Name, Namespace: m.Namespace, Bundle: bundle}
}

// The states of an instance that the files name and the bundle does not have.
const (
	NotInstalled instance.State = "NotInstalled"
	Foreign      instance.State = "Foreign" // another bundle, or none, has it
)

// Status returns the state of each instance of a bundle. Of one whose state cannot
// be found out the error says why, and those of the others are returned.
func Status(ctx context.Context, site Site, t Target, observer event.Observer) ([]*instance.StatusReport, error) {
	c, err := t.members(ctx, site)
	if err != nil {
		return nil, c.wrap(site, err)
	}
	observer = c.hiding(observer)
	c.warn(observer)
	var reports []*instance.StatusReport
	var errs []error
	for _, m := range c.members {
		report := &instance.StatusReport{Summary: instance.Summary{Key: m.Key, State: NotInstalled}}
		if err = store.CheckBundle(m.record, c.bundle); err != nil {
			observer.Observe(event.Warning{Text: err.Error()})
			report.State, report.Bundle = Foreign, m.record.Bundle()
		} else if m.record != nil {
			if report, err = instance.Status(ctx, site.Client, m.Key); err != nil {
				errs = append(errs, err)
				continue
			}
		}
		reports = append(reports, report)
	}
	return reports, c.wrap(site, errors.Join(errs...))
}
