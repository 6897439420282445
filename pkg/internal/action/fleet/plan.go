// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/bundle"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/earlier"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kinds"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/teardown"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/deploy"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/saved"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// run is a bundle on its way to one cluster.
type run struct {
	site     Site
	req      ApplyRequest
	bundle   *Bundle
	observer event.Observer
	store    store.Store
	items    []*item
	before   [][]int     // which items have to be done before each
	left     []*leftover // of the bundle, and no longer in its files; in the order of their deletion
	showing  sync.Mutex  // held while a plan is reviewed
}

// item is an instance on its way.
type item struct {
	bundle.Instance
	index    int
	rendered *build.Result
	ahead    *kube.Answer[*apply.Ahead]
	engine   *apply.Engine
	plan     *apply.Plan // nil until it is planned
	done     *apply.Plan // as far as it was carried out
	back     *apply.Plan // of the revision before, after a failure
	state    State
	err      error // why it failed

	reviewed  *saved.Instance    // what was rendered and planned before, nil when it is now
	unchecked func([]api.Object) // warns of what the server has not checked
}

// wrap says in an error which instance it is about.
func (it *item) wrap(err error) error { return fmt.Errorf("apply %s: %w", it.Name, err) }

// leftover is an instance that left the files.
type leftover struct {
	record  *store.Record
	goes    bool              // its deletion is planned
	objects []teardown.Object // of the deletion, none when all objects are gone already
	state   State

	reviewed *saved.Leaving // the plan that was reviewed, nil for none
}

// newRun returns the run of a bundle, with an error as far as it was read. The
// cluster is asked about the instances while they are rendered.
func newRun(ctx context.Context, site Site, req ApplyRequest, observer event.Observer) (*run, error) {
	asked := kube.Ask(func() (string, error) { return site.Client.ServerVersion(ctx) })
	req.Render.WarnScope = false
	r := &run{site: site, req: req, store: store.New(site.Client)}
	var err error
	if r.bundle, err = load(ctx, site, req.Request); err != nil {
		return nil, err
	}
	r.observer = event.Hiding(observer, r.bundle.secret)
	found, findErr := r.find(ctx)
	version, err := asked.Wait(ctx)
	if err != nil {
		return nil, err
	}
	r.bundle.setVersion(version)
	r.before = r.bundle.Before(r.bundle.Selected)
	items := r.newItems()
	if findErr == nil {
		askAhead(ctx, items, found)
	}
	rendered, err := r.bundle.render(ctx, r.observer)
	if err != nil {
		return r, err
	}
	for i, it := range items {
		it.rendered = rendered[i]
		deploy.Accompany(it.engine, req.Apply, objectsOf(rendered))
	}
	r.items = items
	if findErr == nil {
		r.noteLeft(found)
	}
	return r, r.bundle.Hide(findErr)
}

// setVersion sets the version of Kubernetes for which the instances are rendered.
func (b *Bundle) setVersion(version string) {
	for i := range b.Requests {
		b.Requests[i].KubeVersion = version
	}
}

// newItems returns the items of the selected instances.
func (r *run) newItems() []*item {
	var items []*item
	spaces := &apply.Spaces{}
	for i, in := range r.bundle.Selected {
		it := &item{Instance: in, index: i, state: NotReached}
		it.engine = apply.New(r.site.Client, r.within(instance.Key{Namespace: in.Namespace, Name: in.Name}))
		it.engine.Concurrency, it.engine.Spaces = r.req.Apply.Concurrency, spaces
		one := r.req.Apply
		one.Request = r.bundle.Requests[i]
		it.unchecked = deploy.WarnUnchecked(one, it.engine.Observer)
		items = append(items, it)
	}
	return items
}

// maxAhead is the maximum number of instances about which the cluster is asked
// at once.
const maxAhead = 16

// askAhead asks the cluster about all items, of which some have records that were
// found.
func askAhead(ctx context.Context, items []*item, found census) {
	slots := make(chan struct{}, maxAhead)
	for _, it := range items {
		it.ahead = kube.Ask(func() (*apply.Ahead, error) {
			slots <- struct{}{}
			defer func() { <-slots }()
			ahead := it.engine.ReadAhead(ctx, api.Metadata{Name: it.Name, Namespace: it.Namespace}, found.find(it.Instance))
			ahead.Settle(ctx)
			return ahead, nil
		})
	}
}

// objectsOf returns the objects of all instances: a container of one may show the
// Secret of another.
func objectsOf(rendered []*build.Result) func(yield func(api.Object) bool) {
	return func(yield func(api.Object) bool) {
		for _, result := range rendered {
			for _, set := range result.Sets {
				for _, o := range set.Objects {
					if !yield(o) {
						return
					}
				}
			}
		}
	}
}

// within returns an observer of what happens to an instance.
func (r *run) within(key instance.Key) event.Observer {
	return r.site.within(key, r.before, r.observer)
}

// hide returns an error without what was read from Secrets.
func (r *run) hide(err error) error {
	if err == nil {
		return nil
	}
	return values.HideIn(r.bundle.secret)(r.bundle.secrets.Hide(err))
}

// plan plans every instance. The error joins all reasons why one cannot be
// applied.
func (r *run) plan(ctx context.Context) error {
	r.warnRules()
	var errs []error
	for i, it := range r.items {
		errs = append(errs, r.planOne(ctx, it, r.earlier(i)))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return r.checkShared()
}

// warnRules warns of rules to wait for that no instance has an object for.
func (r *run) warnRules() {
	for _, rule := range r.req.Apply.WaitFor {
		if !slices.ContainsFunc(r.items, func(it *item) bool { return it.has(rule) }) {
			r.observer.Observe(event.Warning{Text: fmt.Sprintf("%s: no instance has such an object", rule.Name())})
		}
	}
}

// has says whether the instance has an object that a rule is about.
func (it *item) has(rule ready.WaitRule) bool {
	return slices.ContainsFunc(it.rendered.Objects(), func(o api.Object) bool { return rule.Selects(o.Ref()) })
}

// earlier returns what the items before one bring.
func (r *run) earlier(i int) *earlier.Instances {
	var brought *earlier.Instances
	for _, k := range r.before[i] {
		if plan := r.items[k].plan; plan != nil {
			brought = brought.With(plan.Brings())
		}
	}
	return brought
}

// planOne plans one instance, of which earlier ones may bring something.
func (r *run) planOne(ctx context.Context, it *item, before *earlier.Instances) error {
	request := r.request(it, before)
	var plan *apply.Plan
	var err error
	if it.ahead != nil {
		request.Ahead, err = it.ahead.Wait(ctx)
	}
	if err == nil {
		plan, err = it.engine.Plan(ctx, request)
	}
	if err == nil {
		err = r.compare(it, plan)
	}
	if err == nil {
		err = plan.Refusal()
	}
	if err != nil {
		it.state, it.err = Failed, r.orderHint(it, it.wrap(err))
		return it.err
	}
	it.plan = plan
	return nil
}

// orderHint adds to the error of an unknown kind which instance brings it.
func (r *run) orderHint(it *item, err error) error {
	unknown, ok := errors.AsType[*apply.UnknownKindError](err)
	if !ok {
		return err
	}
	for _, other := range r.items {
		for _, o := range other.rendered.Objects() {
			if !o.IsCRD() {
				continue
			}
			if gk, _ := kinds.Defined(o); gk.Group == unknown.Object.Group && gk.Kind == unknown.Object.Kind {
				return fail.Hint(err, "instance %q brings the kind: give instance %q dependsOn: [%q]", other.Name, it.Name, other.Name)
			}
		}
	}
	return err
}

// request returns the request to apply an instance.
func (r *run) request(it *item, before *earlier.Instances) apply.Request {
	request := deploy.RequestFor(r.applyRequest(it), it.rendered)
	request.Earlier = before
	request.Unchecked = it.unchecked
	return request
}

// applyRequest returns the request for an instance in the form of that for one.
func (r *run) applyRequest(it *item) deploy.ApplyRequest {
	one := r.req.Apply
	if it.reviewed != nil {
		one = one.Saved(it.reviewed)
	}
	one.Request, one.Bundle = r.bundle.Requests[it.index], r.place(it)
	one.WaitFor = slices.DeleteFunc(slices.Clone(one.WaitFor), func(rule ready.WaitRule) bool { return !it.has(rule) })
	return one
}

// differences returns what the plans change, those of the deletions included,
// without what was read from Secrets.
func (r *run) differences() []instance.Difference {
	var all []instance.Difference
	for _, it := range r.items {
		if it.plan != nil {
			all = append(all, deploy.Differences(it.plan.All())...)
		}
	}
	for _, l := range r.left {
		all = append(all, l.differences()...)
	}
	return r.hidden(all)
}

// changesOf returns what steps change, without what was read from Secrets.
func (r *run) changesOf(steps []*apply.Step) []instance.Difference {
	return r.hidden(deploy.Differences(steps))
}

// hidden hides in differences what was read from Secrets.
func (r *run) hidden(list []instance.Difference) []instance.Difference {
	for i, d := range list {
		list[i] = d.Hide(r.bundle.secret)
	}
	return list
}

// results returns what was done with the instances, or in a dry run would be.
func (r *run) results() []AppliedInstance {
	var all []AppliedInstance
	for _, it := range r.items {
		result := AppliedInstance{Key: instance.Key{Namespace: it.Namespace, Name: it.Name}, Module: it.rendered.Module, State: it.state, Err: r.hide(it.err)}
		switch {
		case r.req.Apply.DryRun.IsDry() && it.plan != nil:
			result.State, result.Outcomes = Planned, it.plan.Outcomes()
		case it.state == Done:
			result.Outcomes = it.done.Outcomes()
		case it.done != nil:
			result.Outcomes = it.done.Written()
		}
		if it.back != nil {
			result.Outcomes = append(result.Outcomes, it.back.Outcomes()...)
		}
		for k := range result.Outcomes {
			result.Outcomes[k].Reason = r.bundle.secret(result.Outcomes[k].Reason)
		}
		all = append(all, result)
	}
	for _, l := range r.left {
		if l.goes {
			m := l.record.Instance
			all = append(all, AppliedInstance{
				Key:    instance.Key{Namespace: m.Metadata.Namespace, Name: m.Metadata.Name},
				Module: m.Module, State: l.state, Outcomes: l.outcomes(),
			})
		}
	}
	return all
}

// notReached names the instances that the run did not reach.
func (r *run) notReached() error {
	var names []string
	for _, it := range r.items {
		if it.state == NotReached {
			names = append(names, it.Name)
		}
	}
	return unreached("not applied: instance", names)
}
