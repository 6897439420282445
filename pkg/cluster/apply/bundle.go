// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"slices"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/earlier"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kinds"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// Brings returns what the plan brings that the server cannot judge the objects
// of other instances without.
func (p *Plan) Brings() earlier.Brings {
	m := p.instance.Metadata
	b := earlier.Brings{Name: m.Name, Kinds: renderedKinds(p.request.Stages)}
	if p.newSpace {
		b.Spaces = append(b.Spaces, m.Namespace)
	}
	for _, s := range p.Steps {
		if earlier.IsJudge(s.Object) && changes(s) {
			b.Judges = append(b.Judges, s.Object)
		}
		if !kinds.IsFoundation(s.Object) || !changes(s) {
			continue
		}
		b.Objects = append(b.Objects, s.Object.ID())
		if s.Object.IsNamespace() && s.Action == event.Created {
			b.Spaces = append(b.Spaces, s.Object.Name())
		}
	}
	return b
}

// definitionOf returns the identity of the CustomResourceDefinition of a
// resource.
func definitionOf(r kube.Resource) api.ID {
	return api.ID{Group: api.ExtensionsGroup, Kind: "CustomResourceDefinition", Name: r.Resource + "." + r.Group}
}

// Complete returns a plan in which everything is decided that it defers for what
// earlier instances of its bundle bring, which are applied by now; a plan that
// defers nothing for them as it is. When the rest is no longer what the plan
// shows, the error is a *StaleError: make a new plan.
func (e *Engine) Complete(ctx context.Context, plan *Plan) (*Plan, error) {
	if !slices.ContainsFunc(plan.Steps, func(s *Step) bool { return s.awaits }) {
		return plan, nil
	}
	if slices.ContainsFunc(plan.Steps, func(s *Step) bool { return !s.Resolved }) {
		e.Client.ForgetKinds()
	}
	req := plan.request
	req.Earlier, req.Review = nil, nil
	exists, err := e.checkNamespace(ctx, req)
	if err != nil {
		return nil, err
	}
	full, err := e.planChecked(ctx, req, exists)
	if err == nil {
		err = full.AsShown(plan)
	}
	return full, err
}
