// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/bundle"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/reviewed"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/deploy"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/saved"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// keep hands on the plan of the run, if that is asked for.
func (r *run) keep(ctx context.Context) error {
	keep := r.req.Apply.Keep
	if keep == nil {
		return nil
	}
	if err := r.refuseStreams(); err != nil {
		return err
	}
	p, err := keep.New(ctx, r.site.Client, r.req.Apply.Options)
	if err != nil {
		return err
	}
	p.Cluster, p.Bundle = r.site.Name, r.bundle.Name
	for i, it := range r.items {
		one := r.applyRequest(it)
		in, err := deploy.SavedInstance(ctx, r.site.Client, one, it.rendered, it.plan)
		if err == nil {
			in.Changes = r.changesIn(it.plan)
			place := r.place(it)
			in.Place, in.After = &place, r.before[i]
			err = keep.Refuse(in, one.Values, r.hidesEnvironment)
		}
		if err != nil {
			return it.wrap(err)
		}
		p.Instances = append(p.Instances, in)
	}
	for _, l := range r.left {
		if l.goes {
			m := l.record.Instance.Metadata
			p.Leaving = append(p.Leaving, saved.Leaving{Namespace: m.Namespace, Name: m.Name, Changes: r.changesOfLeft(l)})
		}
	}
	return keep.Plan(p)
}

// refuseStreams refuses to keep what files say that are stored nowhere.
func (r *run) refuseStreams() error {
	for _, f := range r.req.Files {
		if !f.Stored && !r.req.Apply.Keep.Secrets {
			return &saved.SecretError{What: fmt.Sprintf("what %s says, which is stored nowhere and may be secret", f.Name)}
		}
	}
	return nil
}

// hidesEnvironment hides in a text what was read from Secrets, encrypted files and
// the environment.
func (r *run) hidesEnvironment(text string) string {
	given := map[string]string{}
	for name := range r.req.Env {
		if value := r.bundle.Used[name]; value != "" {
			given[value] = mask.Hidden
		}
	}
	return r.bundle.secret(mask.Values(given)(text))
}

func (r *run) changesIn(plan *apply.Plan) saved.Changes {
	return deploy.ChangesOf(plan.Shown(), r.changesOf(plan.All()))
}

// changesOfLeft returns what the deletion of an instance changes.
func (r *run) changesOfLeft(l *leftover) saved.Changes {
	var steps []reviewed.Step
	for _, o := range l.objects {
		steps = append(steps, reviewed.StepOf(o.Outcome, o.Live, nil, nil, nil))
	}
	return deploy.ChangesOf(steps, r.hidden(l.differences()))
}

// ApplySaved applies the plan of a bundle as it was reviewed. The request says how
// to wait, and what to remember.
func ApplySaved(ctx context.Context, site Site, p saved.Plan, how deploy.ApplyRequest, observer event.Observer) (*Applied, error) {
	applied := &Applied{Cluster: site.Cluster, Bundle: p.Bundle, State: Failed}
	if p.Bundle == "" {
		return nil, fail.Invalidf("it is the plan of the instance %q: apply it with 'kubectl timoni apply'", p.Instances[0].Metadata.Name)
	}
	if err := deploy.CheckCluster(ctx, site.Client, p); err != nil {
		return nil, err
	}
	site.Client = site.Client.WithFieldManager(p.Policy.FieldManager)
	how.Options = p.Policy.In(how.Options)
	end, err := deploy.StartExpressions(ctx, &how)
	if err != nil {
		return nil, err
	}
	defer end()
	r, err := restoreRun(ctx, site, p, how, observer)
	if err != nil {
		return nil, err
	}
	applied.Err = deploy.Different(r.hide(r.apply(ctx)))
	applied.finish(r)
	return applied, applied.Err
}

// restoreRun returns the run of a plan that was reviewed.
func restoreRun(ctx context.Context, site Site, p saved.Plan, how deploy.ApplyRequest, observer event.Observer) (*run, error) {
	version, err := site.Client.ServerVersion(ctx)
	if err != nil {
		return nil, err
	}
	r := &run{site: site, req: ApplyRequest{Apply: how, PruneInstances: true}, store: store.New(site.Client), observer: observer}
	r.bundle = &Bundle{Bundle: &bundle.Bundle{Name: p.Bundle}, secret: func(text string) string { return text }}
	for _, in := range p.Instances {
		one := how.Saved(&in)
		one.KubeVersion = version
		r.before = append(r.before, in.After)
		r.bundle.Selected = append(r.bundle.Selected, bundle.Instance{Name: in.Metadata.Name, Namespace: in.Metadata.Namespace})
		r.bundle.Requests = append(r.bundle.Requests, one.Request)
	}
	r.items = r.newItems()
	var rendered []*build.Result
	for i, it := range r.items {
		it.reviewed = &p.Instances[i]
		it.rendered = deploy.Restored(p.Instances[i], how.Limits)
		rendered = append(rendered, it.rendered)
	}
	for _, it := range r.items {
		deploy.Accompany(it.engine, how, objectsOf(rendered))
	}
	for i := range p.Leaving {
		l := &p.Leaving[i]
		record, err := r.store.Get(ctx, l.Namespace, l.Name)
		if errors.Is(err, store.ErrNotFound) {
			return nil, &saved.DifferentError{Lines: []string{fmt.Sprintf("instance %s in namespace %s: it was to be deleted, and is not installed now", l.Name, l.Namespace)}}
		}
		if err != nil {
			return nil, err
		}
		r.left = append(r.left, &leftover{record: record, state: NotReached, reviewed: l})
	}
	return r, nil
}

// compare returns an error when the plan of an instance is not the one that was
// reviewed.
func (r *run) compare(it *item, plan *apply.Plan) error {
	if it.reviewed == nil {
		return nil
	}
	return it.reviewed.Compare(r.changesIn(plan))
}

// compareLeft does the same for the deletions.
func (r *run) compareLeft() error {
	var errs []error
	for _, l := range r.left {
		if l.reviewed == nil {
			continue
		}
		if err := l.reviewed.Compare(r.changesOfLeft(l)); err != nil {
			errs = append(errs, fmt.Errorf("delete %s: %w", l.reviewed.Name, err))
		}
	}
	return errors.Join(errs...)
}

// place returns what the record of an instance says of the bundle.
func (r *run) place(it *item) store.Bundle {
	if it.reviewed != nil && it.reviewed.Place != nil {
		return *it.reviewed.Place
	}
	return r.bundle.owner(it.Instance)
}

// differences returns what the deletion of an instance changes.
func (l *leftover) differences() []instance.Difference {
	var all []instance.Difference
	for _, o := range l.objects {
		if o.Action == event.Deleted {
			o.Reason = cmp.Or(o.Reason, "its instance is no longer in the bundle")
			all = append(all, instance.NewDifference(o.Outcome, o.Live, nil))
		}
	}
	return all
}
