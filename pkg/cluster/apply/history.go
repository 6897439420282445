// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
)

// keeping returns what the history keeps of the plan.
func (p *Plan) keeping() store.Keeping {
	req := p.request
	return store.Keeping{
		Limit: req.historyLimit(), What: req.History, UserValues: req.UserValues, Hidden: req.Hidden, Objects: p.rendered, Rendering: req.Rendering,
	}
}

// revision returns what is remembered of a run that has ended.
func (e *Engine) revision(ctx context.Context, plan *Plan, outcome store.Outcome) store.Revision {
	is := plan.instance
	return store.Revision{
		Time: is.LastTransitionTime, Module: is.Module, Values: is.Values, Images: is.Images, Package: plan.request.Package,
		User: e.userOf(ctx, plan), Outcome: outcome,
	}
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
