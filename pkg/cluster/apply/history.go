// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"slices"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
)

// history returns the history with the revision of a run that has ended.
func (e *Engine) history(ctx context.Context, plan *Plan, outcome store.Outcome) []store.Revision {
	req := plan.request
	if req.historyLimit() == 0 {
		return nil
	}
	r := store.Revision{
		Time: plan.instance.LastTransitionTime, Module: plan.instance.Module,
		Values: plan.instance.Values, Images: plan.instance.Images, Package: req.Package,
		User: e.userOf(ctx, plan), Outcome: outcome,
	}
	plan.complete(&r)
	history := plan.ledger.With(r, req.historyLimit())
	if req.History == store.KeptValues {
		for i := range history {
			history[i].Forget()
		}
	}
	return history
}

// completed returns the history after a run that made no revision. The last one
// learns what it lacks: an older version wrote it, or the user now gives values
// that are the module's, which changes nothing else.
func (p *Plan) completed(record *store.Record, outcome store.Outcome) []store.Revision {
	last, known := p.ledger.Last(record)
	given := p.request.UserValues
	if !known || outcome != store.Succeeded || p.request.historyLimit() == 0 ||
		last.Objects != "" && (given == nil || last.UserValues != nil && *last.UserValues == *given) {
		return p.ledger.History
	}
	p.complete(&last)
	history := slices.Clone(p.ledger.History)
	history[len(history)-1] = last
	return history
}

// complete adds to a revision what the user gave and what was rendered.
func (p *Plan) complete(r *store.Revision) {
	req := p.request
	r.UserValues, r.Objects = req.UserValues, p.rendered
	if req.Rendering != nil && req.History != store.KeptValues {
		r.WithoutRendering = req.keepRendering(r)
	}
}

// keepRendering has the history keep what was rendered, or returns why not.
// Secrets are kept where the record has those of the values: readers of Secrets in
// another namespace are others.
func (req Request) keepRendering(r *store.Revision) (reason string) {
	rendering, ok := req.Rendering()
	if !ok {
		return "a health check needs its module"
	}
	for _, stage := range rendering.Stages {
		for _, o := range stage.Objects {
			if ns := o.Namespace(); o.IsSecret() && ns != "" && ns != req.Instance.Metadata.Namespace {
				return "it has Secrets in other namespaces"
			}
		}
	}
	if r.Keep(rendering) != nil {
		return "it cannot be written as JSON"
	}
	return ""
}

// isRendered says whether the objects of the plan are those of the revision that
// is recorded, as far as the history knows.
func (p *Plan) isRendered() bool {
	last, known := p.ledger.Last(p.record)
	return !known || last.Objects == "" || last.Objects == p.rendered
}

// askUser asks the server who applies. It is nil when no history is kept.
func (e *Engine) askUser(ctx context.Context, req Request) *kube.Answer[string] {
	if req.historyLimit() == 0 {
		return nil
	}
	ctx = context.WithoutCancel(ctx) // a run that is interrupted is remembered, too
	return kube.Ask(func() (string, error) { return e.Client.WhoAmI(ctx) })
}

// userOf returns who carries a plan out, empty when no history is kept or the
// server does not say: a revision is worth remembering without it.
func (e *Engine) userOf(ctx context.Context, plan *Plan) string {
	user := plan.user
	if user == nil {
		user = e.askUser(ctx, plan.request)
	}
	if user == nil {
		return ""
	}
	name, err := user.Wait(ctx)
	if err != nil {
		return ""
	}
	return name
}
