// SPDX-License-Identifier: Apache-2.0

// Package deploy holds the verbs that bring a module to a cluster.
package deploy

import (
	"context"
	"fmt"
	"slices"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/follow"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/expression"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/saved"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/builtin"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// DryRun says how far an apply goes.
type DryRun string

// The values of DryRun, as kubectl has them.
const (
	DryRunNone   DryRun = "none"   // everything is done
	DryRunClient DryRun = "client" // the cluster is read, the server checks nothing
	DryRunServer DryRun = "server" // the server checks everything, nothing is stored
)

// IsDry says whether nothing is stored.
func (d DryRun) IsDry() bool { return d == DryRunClient || d == DryRunServer }

// ApplyRequest names the module and the instance and says how it is applied.
type ApplyRequest struct {
	build.Request // KubeVersion is set to the server's

	// Kustomization is rendered in place of the Module, of which Name and
	// Namespace are all that counts then. Nil for none.
	Kustomization *Kustomization

	spaces   []string        // the namespaces of the instances in the Kustomization
	ahead    *apply.Ahead    // what the cluster was asked while the module was rendered
	again    *store.Revision // that is applied again, nil for none
	restored *build.Result   // what was rendered of it, nil when the module has to be
	after    string          // as apply.Request has it

	Bundle store.Bundle // that owns the instance
	// ReuseValues puts the values that the user gave at the last apply below Values.
	ReuseValues bool
	// RollbackOnFailure applies the revision before again when a run has failed.
	RollbackOnFailure bool

	apply.Options        // ReadOnly follows from DryRun
	DryRun        DryRun // empty stands for DryRunNone

	// Evaluator is the path of the program of package cel, which is started
	// when WaitFor has a rule in CEL.
	Evaluator string

	// Along says of which containers the logs are told while the run waits, as
	// events always are; empty for neither.
	Along follow.Logs

	// Show is called with what the plan would change, before the first write;
	// its error ends the run. Nil for none.
	Show func(context.Context, []instance.Difference) error

	// Keep, when it is set, gets the plan of a dry run that the server has checked.
	Keep *Keep

	reviewed *saved.Instance // what was rendered and planned before; nil: it is rendered now
}

// ApplyResult is what an apply did, or in a dry run would do.
type ApplyResult struct {
	Module   api.Module
	Outcomes []event.Outcome
}

// Apply renders a module and applies it as an instance. With an error it returns
// what was done by then, nil when that is nothing.
func Apply(ctx context.Context, client *kube.Client, req ApplyRequest, observer event.Observer) (*ApplyResult, error) {
	if req.Keep != nil {
		if err := req.Keep.refuseStreams(req.Values); err != nil {
			return nil, fmt.Errorf("apply %s: %w", req.Name, err)
		}
	}
	end, err := StartExpressions(ctx, &req)
	if err != nil {
		return nil, err
	}
	defer end()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // what was asked ahead of an error
	engine, rendered, err := renderAhead(ctx, client, &req, observer)
	if err != nil {
		return nil, err
	}
	hide := values.MaskSecret(req.Values)
	engine.Observer = event.Hiding(observer, hide)
	plan, err := run(ctx, engine, req, rendered)
	back, err := Undo(ctx, engine, req, plan, err)
	if err == nil && req.Keep != nil {
		err = req.Keep.keep(ctx, client, req, rendered, plan)
	}
	if err != nil {
		err = fmt.Errorf("apply %s: %w", req.Name, mask.Error(err, values.Mask(req.Values)))
	}
	if plan == nil || err != nil && req.DryRun.IsDry() {
		return nil, err
	}
	outcomes := outcomesOf(plan, err, hide)
	if back != nil {
		outcomes = append(outcomes, back.Written()...)
	}
	return &ApplyResult{Module: rendered.Module, Outcomes: outcomes}, err
}

// outcomesOf returns what was done with the objects of a plan, by the time of an
// error if there was one.
func outcomesOf(plan *apply.Plan, err error, hide func(string) string) []event.Outcome {
	outcomes := plan.Outcomes()
	if err != nil {
		outcomes = plan.Written()
	}
	for i := range outcomes {
		outcomes[i].Reason = hide(outcomes[i].Reason)
	}
	return outcomes
}

// StartExpressions starts what evaluates the rules in CEL, if there are any,
// until end is called. A rule that cannot be compiled is a usage error.
func StartExpressions(ctx context.Context, req *ApplyRequest) (end func(), err error) {
	if !slices.ContainsFunc(req.WaitFor, ready.WaitRule.HasExpression) {
		return func() {}, nil
	}
	child, err := expression.Start(ctx, req.Evaluator)
	if err != nil {
		return nil, fmt.Errorf("evaluate the rules to wait for: %w", err)
	}
	for _, r := range req.WaitFor {
		if err := r.Compile(child); err != nil {
			child.Close()
			return nil, err
		}
	}
	req.Expressions = child
	return child.Close, nil
}

// renderAhead renders what is to be applied while the cluster is asked what a
// plan needs to know of the instance. The engine that it returns has no observer
// yet.
func renderAhead(ctx context.Context, client *kube.Client, req *ApplyRequest, observer event.Observer) (*apply.Engine, *build.Result, error) {
	engine := apply.New(client, nil)
	engine.Concurrency = req.Concurrency
	req.ahead = engine.ReadAhead(ctx, api.Metadata{Name: req.Name, Namespace: req.Namespace}, nil)
	if req.ReuseValues {
		if err := req.reuse(ctx); err != nil {
			return nil, nil, err
		}
	}
	rendered, err := renderFor(ctx, client, req, observer)
	if err == nil {
		req.nameDropped(ctx, observer)
	}
	return engine, rendered, err
}

func run(ctx context.Context, engine *apply.Engine, req ApplyRequest, rendered *build.Result) (*apply.Plan, error) {
	req.Unchecked = WarnUnchecked(req, engine.Observer)
	if req.Show != nil {
		req.Review = func(ctx context.Context, plan *apply.Plan) error { return req.Show(ctx, shown(plan, req.sources(ctx))) }
	}
	request := RequestFor(req, rendered)
	if req.reviewed != nil {
		request.Review = req.reviewWith(request.Review)
	}
	Accompany(engine, req, objectsOf(request.Stages))
	missing, err := spacesToCreate(ctx, engine, req, request)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		return runInSpaces(ctx, engine, req, request, missing)
	}
	if req.reviewed != nil {
		return runReviewed(ctx, engine, req, request)
	}
	if req.DryRun.IsDry() {
		plan, err := engine.Plan(ctx, request)
		if err == nil {
			err = plan.Refusal()
		}
		return plan, err
	}
	return engine.Apply(ctx, request)
}

// WarnUnchecked returns what warns once of what is wrong with objects of
// Kubernetes' own kinds which the server has not seen when the first of them is
// written.
func WarnUnchecked(req ApplyRequest, observer event.Observer) func([]api.Object) {
	if observer == nil {
		return nil
	}
	known, hide := map[string]bool{}, values.Mask(req.Values)
	return func(objects []api.Object) {
		schemas, err := builtin.Embedded()
		if len(objects) == 0 || err != nil {
			return
		}
		for _, p := range schemas.Check(objects, req.KubeVersion) {
			if text := hide(p.String()); !p.Harmless && !known[text] {
				known[text] = true
				observer.Observe(event.Warning{Text: text})
			}
		}
	}
}

// RequestFor returns the request to apply a rendered instance. With
// StartExpressions and Differences it is for a caller that plans several
// instances before it carries out the first.
func RequestFor(req ApplyRequest, rendered *build.Result) apply.Request {
	req.ReadOnly = req.DryRun == DryRunClient
	stages := make([]api.Stage, len(rendered.Sets))
	for i, set := range rendered.Sets {
		stages[i] = api.Stage{Name: set.Name, Objects: set.Objects}
	}
	return apply.Request{
		Instance: api.Instance{
			Kind: api.KindInstance, APIVersion: api.APIVersion,
			Metadata: api.Metadata{Name: req.Name, Namespace: req.Namespace},
			Module:   rendered.Module, Values: rendered.Values, Images: rendered.Images,
		},
		Stages: stages, Health: rendered, Package: packageOf(req), Options: req.Options, Ahead: req.ahead,
		Bundle: req.Bundle, After: req.after,
		UserValues: req.userValues(), Hidden: req.hidden(), Rendering: func() (api.Rendering, bool) {
			kept, ok := rendered.Rendering()
			kept.Spaces = req.spaces
			return kept, ok
		},
	}
}

// hidden returns the secrets in what the user gave.
func (req ApplyRequest) hidden() []string {
	if req.again != nil {
		return req.again.Hidden
	}
	return values.SecretTexts(req.Values)
}

// userValues returns what the user gave for an instance, as the history keeps it.
func (req ApplyRequest) userValues() *string {
	if req.again != nil {
		return req.again.UserValues
	}
	text, err := values.UserText(req.Values)
	if err != nil { // it was rendered with them
		return nil
	}
	return &text
}

// packageOf returns the package that a request renders, empty for main.
func packageOf(req ApplyRequest) string {
	if req.Package == render.DefaultPackage {
		return ""
	}
	return req.Package
}
