// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/reviewed"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/saved"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// Keep says what to do with the plan of a dry run.
type Keep struct {
	Plan    func(saved.Plan) error
	Program string // that makes the plan, with its version
	Secrets bool   // the plan may hold secrets
}

// New returns a plan without instances for the cluster of a client.
func (k Keep) New(ctx context.Context, client *kube.Client, o apply.Options) (saved.Plan, error) {
	uid, err := clusterUID(ctx, client)
	return saved.Plan{
		Created: time.Now().UTC().Format(time.RFC3339), Program: k.Program, ClusterUID: uid, HasSecrets: k.Secrets,
		Policy: saved.PolicyOf(o, client.FieldManager()),
	}, err
}

// keep hands on the plan of an instance.
func (k Keep) keep(ctx context.Context, client *kube.Client, req ApplyRequest, rendered *build.Result, plan *apply.Plan) error {
	p, err := k.New(ctx, client, req.Options)
	if err != nil {
		return err
	}
	in, err := SavedInstance(ctx, client, req, rendered, plan)
	if err == nil {
		err = k.Refuse(in, req.Values, func(text string) string { return text })
	}
	if err != nil {
		return err
	}
	p.Instances = []saved.Instance{in}
	return k.Plan(p)
}

// SavedInstance returns the plan of an instance in the form in which it is kept.
func SavedInstance(ctx context.Context, client *kube.Client, req ApplyRequest, rendered *build.Result, plan *apply.Plan) (saved.Instance, error) {
	kept, ok := rendered.Rendering()
	if !ok {
		return saved.Instance{}, fail.Refusedf("a health check of the module cannot be kept: it says something else without the module")
	}
	kept.Spaces = req.spaces
	uid, err := namespaceUID(ctx, client, req.Namespace)
	return saved.Instance{
		Instance: RequestFor(req, rendered).Instance, Package: packageOf(req), UserValues: req.userValues(),
		Rendering: kept, NamespaceUID: uid,
		Changes: ChangesOf(plan.Shown(), shown(plan, req.sources(ctx))),
	}, err
}

// ChangesOf returns changes in the form in which they are kept: the states that the
// cluster has shown are without what is secret by its name.
func ChangesOf(steps []reviewed.Step, differences []instance.Difference) saved.Changes {
	c := saved.Changes{Steps: steps}
	for _, d := range differences {
		before, after := withoutNamed(d.Before, d.After)
		c.Differences = append(c.Differences, saved.Difference{Outcome: d.Outcome, Before: before, After: after})
	}
	return c
}

// Refuse refuses to keep an instance that holds a secret, unless that is asked
// for: a Secret, a value that is secret by its source or its name, what has the form
// of one, or what hide hides.
func (k Keep) Refuse(in saved.Instance, sources []values.Source, hide func(string) string) error {
	if k.Secrets {
		return nil
	}
	what, err := secretIn(in, sources, hide)
	if err != nil || what == "" {
		return err
	}
	return &saved.SecretError{What: what}
}

// refuseStreams refuses values that are stored nowhere, as those of a pipe, for
// they may be secrets.
func (k Keep) refuseStreams(sources []values.Source) error {
	for _, s := range sources {
		if !k.Secrets && !s.Stored && s.Reference == nil {
			return &saved.SecretError{What: fmt.Sprintf("values of %s, which are stored nowhere and may be secrets", s.Name)}
		}
	}
	return nil
}

// clusterUID returns what tells a cluster from all others.
func clusterUID(ctx context.Context, client *kube.Client) (string, error) {
	const system = "kube-system"
	ns, err := client.Get(ctx, namespaceResource(), "", system)
	if err != nil {
		return "", fmt.Errorf("a saved plan names its cluster by the UID of namespace %s, which cannot be read: %w", system, err)
	}
	return kube.UID(ns), nil
}

// namespaceUID returns the UID of a namespace, empty when it does not exist or may
// not be read. One that is being deleted does not count.
func namespaceUID(ctx context.Context, client *kube.Client, name string) (string, error) {
	ns, err := client.Get(ctx, namespaceResource(), "", name)
	switch {
	case apierrors.IsNotFound(err), apierrors.IsForbidden(err):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("read namespace %q: %w", name, err)
	case ns.IsTerminating():
		return "", nil
	}
	return kube.UID(ns), nil
}

func namespaceResource() kube.Resource {
	return kube.Resource{GroupVersionResource: schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}, Kind: "Namespace"}
}

// ApplySaved applies the plan of an instance as it was reviewed: it is made again
// from what the plan holds, and refused when it would do something else. The
// request says how to wait, and what to remember.
func ApplySaved(ctx context.Context, client *kube.Client, p saved.Plan, req ApplyRequest, observer event.Observer) (*ApplyResult, error) {
	if p.Bundle != "" {
		return nil, fail.Invalidf("it is the plan of the bundle %q: apply it with 'kubectl timoni bundle apply'", p.Bundle)
	}
	if err := CheckCluster(ctx, client, p); err != nil {
		return nil, err
	}
	client = client.WithFieldManager(p.Policy.FieldManager)
	req.Options = p.Policy.In(req.Options)
	result, err := Apply(ctx, client, req.Saved(&p.Instances[0]), observer)
	return result, Different(err)
}

// Saved returns the request for an instance of a saved plan.
func (req ApplyRequest) Saved(in *saved.Instance) ApplyRequest {
	req.reviewed, req.Name, req.Namespace, req.Package, req.spaces = in, in.Metadata.Name, in.Metadata.Namespace, in.Package, in.Rendering.Spaces
	req.restored, req.again = Restored(*in, req.Limits), &store.Revision{UserValues: in.UserValues}
	req.Values = []values.Source{merged(*in)} // whose secrets errors do not show
	return req
}

// CheckCluster refuses a plan for another cluster, and one of which the namespace
// of an instance is gone.
func CheckCluster(ctx context.Context, client *kube.Client, p saved.Plan) error {
	uid, err := clusterUID(ctx, client)
	if err != nil {
		return err
	}
	if uid != p.ClusterUID {
		return &saved.ClusterError{Made: p.ClusterUID, Reached: uid}
	}
	for _, in := range p.Instances {
		namespace := in.Metadata.Namespace
		if uid, err = namespaceUID(ctx, client, namespace); err != nil {
			return err
		}
		if in.NamespaceUID != "" && uid != in.NamespaceUID {
			return &saved.DifferentError{Lines: []string{fmt.Sprintf("Namespace/%s: it was deleted since, or is another one", namespace)}}
		}
	}
	return nil
}

// Different makes the error of a run that has met a change of the cluster one that
// refuses the plan.
func Different(err error) error {
	if _, stale := errors.AsType[*apply.StaleError](err); stale {
		return &saved.DifferentError{Err: err}
	}
	return err
}

// Restored returns what an instance of a saved plan was rendered to.
func Restored(in saved.Instance, limits render.Limits) *build.Result {
	result := render.Restore(in.Rendering, limits)
	result.Values, result.Images = in.Values, in.Images
	return &build.Result{Result: result, Module: in.Module}
}

// runReviewed carries out a plan that was reviewed, if it is the one that is made
// now.
func runReviewed(ctx context.Context, engine *apply.Engine, req ApplyRequest, request apply.Request) (*apply.Plan, error) {
	plan, err := engine.Plan(ctx, request)
	if err == nil && plan.Refusal() != nil { // then it was not compared
		err = cmp.Or(req.compare(plan), plan.Refusal())
	}
	if err != nil || req.DryRun.IsDry() {
		return plan, err
	}
	return engine.Execute(ctx, plan)
}

// compare returns an error when a plan is not the one that was reviewed.
func (req ApplyRequest) compare(plan *apply.Plan) error {
	return req.reviewed.Compare(ChangesOf(plan.Shown(), shown(plan, nil)))
}

// reviewWith returns the review of a request whose plan has to be the one that was
// reviewed.
func (req ApplyRequest) reviewWith(review func(context.Context, *apply.Plan) error) func(context.Context, *apply.Plan) error {
	return func(ctx context.Context, plan *apply.Plan) error {
		if err := req.compare(plan); err != nil || review == nil {
			return err
		}
		return review(ctx, plan)
	}
}
