// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/bundle"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/earlier"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/deploy"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// ApplyRequest says which bundle is applied, and how.
type ApplyRequest struct {
	Request
	// Apply says how each instance is applied. What names one is not used.
	Apply deploy.ApplyRequest
	// PruneInstances deletes the instances of the bundle that left its files.
	PruneInstances bool
}

// Applied is what an apply did on one cluster, or in a dry run would do.
type Applied struct {
	Cluster   bundle.Cluster
	Bundle    string
	Instances []AppliedInstance
	Pruned    []AppliedInstance // that left the files
}

// AppliedInstance is what was done with one instance.
type AppliedInstance struct {
	instance.Key
	Module   api.Module
	Outcomes []event.Outcome
}

// Outcomes returns what was done with the objects of all instances.
func (a *Applied) Outcomes() []event.Outcome {
	var all []event.Outcome
	for _, in := range slices.Concat(a.Instances, a.Pruned) {
		all = append(all, in.Outcomes...)
	}
	return all
}

// Apply renders and plans all instances, and shows what they change, before it
// carries the plan of the first one out. What an earlier instance brings is
// deferred, and planned again before its instance. What was done by then is
// returned with an error, too.
func Apply(ctx context.Context, site Site, req ApplyRequest, observer event.Observer) (*Applied, error) {
	end, err := deploy.StartExpressions(ctx, &req.Apply)
	if err != nil {
		return &Applied{Cluster: site.Cluster}, err
	}
	defer end()
	r, err := newRun(ctx, site, req, observer)
	if err != nil {
		return &Applied{Cluster: site.Cluster}, err
	}
	applied, err := r.apply(ctx)
	return applied, site.Wrap(r.hide(err))
}

// Diff returns what an apply would change, and leaves nothing in the cluster.
func Diff(ctx context.Context, site Site, req ApplyRequest, observer event.Observer) ([]instance.Difference, error) {
	req.Apply.DryRun, req.Apply.NoWait = deploy.DryRunServer, false
	r, err := newRun(ctx, site, req, observer)
	if err != nil {
		return nil, err
	}
	if err = r.plan(ctx); err != nil {
		return nil, site.Wrap(r.hide(err))
	}
	for _, record := range r.left {
		r.observer.Observe(event.Warning{Text: leftText(record.Instance.Metadata, r.bundle.Name)})
	}
	return r.differences(), nil
}

// run is a bundle on its way to one cluster.
type run struct {
	site     Site
	req      ApplyRequest
	bundle   *Bundle
	rendered []*build.Result
	observer event.Observer
	engine   *apply.Engine
	plans    []*apply.Plan
	left     []*store.Record // of the bundle, and no longer in its files
}

func newRun(ctx context.Context, site Site, req ApplyRequest, observer event.Observer) (*run, error) {
	version, err := site.Client.ServerVersion(ctx)
	if err != nil {
		return nil, site.Wrap(err)
	}
	req.Render.KubeVersion, req.Render.WarnScope = version, false
	r := &run{site: site, req: req}
	if r.bundle, err = Load(ctx, site, req.Request); err != nil {
		return nil, err
	}
	r.observer = event.Hiding(observer, r.bundle.secret)
	r.engine = apply.New(site.Client, r.observer)
	r.engine.Concurrency = req.Apply.Concurrency
	if r.rendered, err = r.bundle.render(ctx, r.observer); err != nil {
		return nil, site.Wrap(err)
	}
	if len(req.Select) == 0 { // else what left is not asked about
		r.left, err = r.bundle.left(ctx, r.engine.Store)
	}
	return r, site.Wrap(err)
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
	var before *earlier.Instances
	var errs []error
	for i := range r.bundle.Selected {
		plan, err := r.planOne(ctx, i, before)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		r.plans, before = append(r.plans, plan), before.With(plan.Brings())
	}
	return errors.Join(errs...)
}

// planOne plans one instance, of which earlier ones may bring something.
func (r *run) planOne(ctx context.Context, i int, before *earlier.Instances) (*apply.Plan, error) {
	plan, err := r.engine.Plan(ctx, r.request(i, before))
	if err == nil {
		err = plan.Refusal()
	}
	if err != nil {
		return nil, fmt.Errorf("apply %s: %w", r.bundle.Selected[i].Name, err)
	}
	return plan, nil
}

// request returns the request to apply an instance.
func (r *run) request(i int, before *earlier.Instances) apply.Request {
	one := r.req.Apply
	one.Request = r.bundle.Requests[i]
	request := deploy.RequestFor(one, r.rendered[i])
	request.Bundle, request.Earlier = store.Bundle{Name: r.bundle.Name, Namespaces: r.bundle.namespaces()}, before
	return request
}

func (r *run) differences() []instance.Difference {
	var all []instance.Difference
	for _, plan := range r.plans {
		for _, d := range deploy.Differences(plan) {
			all = append(all, d.Hide(r.bundle.secret))
		}
	}
	return all
}

func (r *run) apply(ctx context.Context) (*Applied, error) {
	applied := &Applied{Cluster: r.site.Cluster, Bundle: r.bundle.Name}
	if err := r.plan(ctx); err != nil {
		return applied, err
	}
	if r.req.Apply.Show != nil {
		if err := r.req.Apply.Show(ctx, r.differences()); err != nil {
			return applied, err
		}
	}
	if r.req.Apply.DryRun.IsDry() {
		for i, plan := range r.plans {
			applied.Instances = append(applied.Instances, r.applied(i, plan))
		}
		return applied, r.pruneInstances(ctx, applied)
	}
	for i := range r.plans {
		plan, err := r.execute(ctx, i)
		if err != nil {
			return applied, errors.Join(err, r.notReached(i))
		}
		applied.Instances = append(applied.Instances, r.applied(i, plan))
	}
	return applied, r.pruneInstances(ctx, applied)
}

func (r *run) applied(i int, plan *apply.Plan) AppliedInstance {
	req := r.bundle.Requests[i]
	outcomes := plan.Outcomes()
	for k := range outcomes {
		outcomes[k].Reason = r.bundle.secret(outcomes[k].Reason)
	}
	return AppliedInstance{Key: instance.Key{Namespace: req.Namespace, Name: req.Name}, Module: r.rendered[i].Module, Outcomes: outcomes}
}

// execute applies an instance. It is planned again, because those before may
// have brought what the plan could not see: a kind, a namespace, a webhook.
func (r *run) execute(ctx context.Context, i int) (*apply.Plan, error) {
	in := r.bundle.Selected[i]
	r.observer.Observe(event.InstanceStarted{
		Cluster: r.site.Name, Namespace: in.Namespace, Name: in.Name, Index: i + 1, Total: len(r.plans),
	})
	done, err := r.engine.Apply(ctx, r.request(i, nil))
	if err != nil {
		return nil, fmt.Errorf("apply %s: %w", in.Name, err)
	}
	return done, nil
}

// notReached names the instances after the one at which a run ended.
func (r *run) notReached(i int) error {
	var names []string
	for _, in := range r.bundle.Selected[i+1:] {
		names = append(names, in.Name)
	}
	if names == nil {
		return nil
	}
	return fmt.Errorf("not applied: instance %s", strings.Join(names, ", "))
}
