// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"errors"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/bundle"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/deploy"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
)

// ApplyRequest says which bundle is applied, and how.
type ApplyRequest struct {
	Request
	// Apply says how each instance is applied. What names one is not used.
	Apply deploy.ApplyRequest
	// PruneInstances deletes the instances of the bundle that left its files.
	PruneInstances bool
}

// State says how far an instance, or a cluster, has come.
type State string

// The states.
const (
	Planned    State = "Planned"    // it was a dry run
	Done       State = "Applied"    // all of it is applied and, unless that was not wanted, ready
	Gone       State = "Deleted"    // it left the files
	Failed     State = "Failed"     // the error says why
	NotReached State = "NotReached" // the run ended before
)

// Applied is what an apply did on one cluster, or in a dry run would do.
type Applied struct {
	Cluster   bundle.Cluster
	Bundle    string
	State     State
	Err       error
	Instances []AppliedInstance // all that were to be applied, in order, then those that left the files
}

// AppliedInstance is what was done with one instance.
type AppliedInstance struct {
	instance.Key
	Module   api.Module
	State    State
	Err      error           // why it failed
	Outcomes []event.Outcome // of one that failed, what was done by then
}

// Outcomes returns what was done with the objects of all instances.
func (a *Applied) Outcomes() []event.Outcome {
	var all []event.Outcome
	for _, in := range a.Instances {
		all = append(all, in.Outcomes...)
	}
	return all
}

// Reached returns the number of instances with which the run is done.
func (a *Applied) Reached() int {
	n := 0
	for _, in := range a.Instances {
		if in.State != NotReached && in.State != Failed {
			n++
		}
	}
	return n
}

// Apply renders and plans all instances, shows what they change, and carries
// these plans out: one instance after the other or, where they say on which
// others they depend, each after those. What a plan defers for what an earlier
// instance brings is decided right before its instance. What was done by then is
// returned with an error, too.
func Apply(ctx context.Context, site Site, req ApplyRequest, observer event.Observer) (*Applied, error) {
	applied := &Applied{Cluster: site.Cluster, State: Failed}
	applied.Err = applied.apply(ctx, site, req, observer)
	return applied, site.Wrap(applied.Err)
}

func (a *Applied) apply(ctx context.Context, site Site, req ApplyRequest, observer event.Observer) error {
	end, err := deploy.StartExpressions(ctx, &req.Apply)
	if err != nil {
		return err
	}
	defer end()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // what was asked ahead of an error
	r, err := newRun(ctx, site, req, observer)
	if r != nil {
		a.Bundle = r.bundle.Name
	}
	if err != nil {
		return err
	}
	a.Err = r.hide(r.apply(ctx))
	a.finish(r)
	return a.Err
}

// finish takes what a run came to.
func (a *Applied) finish(r *run) {
	a.Instances = r.results()
	if a.Err == nil {
		a.State = Done
		if r.req.Apply.DryRun.IsDry() {
			a.State = Planned
		}
	}
}

// Diff returns what an apply would change, and leaves nothing in the cluster.
// What was found out by then is returned with an error, too.
func Diff(ctx context.Context, site Site, req ApplyRequest, observer event.Observer) ([]instance.Difference, error) {
	req.Apply.DryRun, req.Apply.NoWait = deploy.DryRunServer, false
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // what was asked ahead of an error
	r, err := newRun(ctx, site, req, observer)
	if err != nil {
		return nil, site.Wrap(err)
	}
	err = errors.Join(r.plan(ctx), r.planPrune(ctx))
	return r.differences(), site.Wrap(r.hide(err))
}

// apply plans all instances, has the plan reviewed, and carries it out.
func (r *run) apply(ctx context.Context) error {
	if err := r.plan(ctx); err != nil {
		return err
	}
	if err := r.planPrune(ctx); err != nil {
		return err
	}
	if err := r.compareLeft(); err != nil {
		return err
	}
	if err := r.show(ctx, r.differences()); err != nil {
		return err
	}
	if err := r.keep(ctx); err != nil {
		return err
	}
	if r.req.Apply.DryRun.IsDry() {
		return nil
	}
	if err := inOrder(r.before, maxAtOnce, func(i int) error { return r.execute(ctx, r.items[i]) }); err != nil {
		return errors.Join(err, r.notReached())
	}
	return r.prune(ctx)
}

// show has what is planned reviewed, if that was asked for, one plan at a time.
func (r *run) show(ctx context.Context, differences []instance.Difference) error {
	if r.req.Apply.Show == nil {
		return nil
	}
	r.showing.Lock()
	defer r.showing.Unlock()
	return r.req.Apply.Show(ctx, differences)
}

// execute carries out the plan of an instance. What earlier instances have
// brought since is decided first. A plan to which the cluster no longer fits is
// made, and shown, again.
func (r *run) execute(ctx context.Context, it *item) error {
	r.observer.Observe(event.InstanceStarted{
		Cluster: r.site.Name, Namespace: it.Namespace, Name: it.Name, Index: it.index + 1, Total: len(r.items),
	})
	it.state = Failed
	for n := 1; ; n++ {
		done, err := r.carryOut(ctx, it)
		if done != nil {
			it.done = done
		}
		if err == nil {
			it.state = Done
			return nil
		}
		if _, stale := errors.AsType[*apply.StaleError](err); !stale || n == maxPlans || it.reviewed != nil {
			it.back, err = deploy.Undo(ctx, it.engine, r.applyRequest(it), done, err)
			it.err = it.wrap(err)
			return it.err
		}
		if err = r.replan(ctx, it, err); err != nil {
			return err
		}
	}
}

// maxPlans bounds how often an instance is planned because the cluster changes.
const maxPlans = 5

func (r *run) carryOut(ctx context.Context, it *item) (*apply.Plan, error) {
	plan, err := it.engine.Complete(ctx, it.plan)
	if err != nil {
		return nil, err
	}
	return it.engine.Execute(ctx, plan)
}

// replan plans an instance again, those before it being applied.
func (r *run) replan(ctx context.Context, it *item, why error) error {
	r.observer.Observe(event.Note{Text: it.wrap(why).Error() + "; it is planned again"})
	err := r.planOne(ctx, it, nil)
	if err != nil {
		return err
	}
	return r.show(ctx, r.changesOf(it.plan.All()))
}
