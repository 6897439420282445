// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"context"
	"slices"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/earlier"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
)

// spacesToCreate returns the namespaces of instances in a kustomization that have
// objects in it, are not among these, and do not exist.
func spacesToCreate(ctx context.Context, engine *apply.Engine, req ApplyRequest, request apply.Request) ([]string, error) {
	used, rendered := map[string]bool{}, []string{req.Namespace}
	for _, stage := range request.Stages {
		for _, o := range stage.Objects {
			used[o.Namespace()] = true
			if o.IsNamespace() {
				rendered = append(rendered, o.Name())
			}
		}
	}
	wanted := slices.DeleteFunc(slices.Clone(req.spaces), func(ns string) bool { return !used[ns] || slices.Contains(rendered, ns) })
	return engine.Missing(ctx, wanted, req.ExistingNamespace)
}

// runInSpaces applies a request for which namespaces have to be created. They
// are removed again if the plan is refused.
func runInSpaces(ctx context.Context, engine *apply.Engine, req ApplyRequest, request apply.Request, spaces []string) (*apply.Plan, error) {
	review := request.Review
	request.Review = nil
	first := request
	first.Earlier = (*earlier.Instances)(nil).With(earlier.Brings{Name: req.Name, Spaces: spaces})
	plan, err := engine.Plan(ctx, first)
	if err == nil {
		err = plan.Refusal()
	}
	if err == nil && review != nil {
		err = review(ctx, plan)
	}
	if err != nil || req.DryRun.IsDry() {
		return plan, err
	}
	reviewed := plan
	undo, err := engine.CreateNamespaces(ctx, spaces)
	if err == nil {
		plan, err = engine.Plan(ctx, request)
	}
	if err == nil && review != nil {
		err = plan.AsShown(reviewed)
	}
	if err == nil {
		err = plan.Refusal()
	}
	if err != nil {
		return plan, kube.Join(err, undo())
	}
	return engine.Execute(ctx, plan)
}
