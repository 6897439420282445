// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/ownership"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// HasFailed says whether the plan was carried out as a revision that has failed,
// and what time the record has of it.
func (p *Plan) HasFailed() (revision string, failed bool) {
	return p.instance.LastTransitionTime, p.failed
}

// Before returns the last revision that was applied in full when the plan was
// made, and false when there is none.
func (p *Plan) Before() (store.Revision, bool) { return p.ledger.Complete(p.record) }

// Back returns the options with which the revision before the plan is applied
// again after it has failed: what the plan recreated may be recreated, what took
// the room of an object that was replaced makes room for it, and what it adopted
// is given back.
func (p *Plan) Back() Options {
	o := p.request.Options
	o.Review, o.Unchecked, o.WaitFor, o.Expressions = nil, nil, nil, nil
	o.AllowEmpty, o.NoWait, o.Replace = true, false, nil
	for _, s := range p.Steps {
		o.Force = o.Force || s.Action == event.Recreated && s.written != nil
		if s.Live != nil && s.written != nil && !ownership.Is(s.Live, p.request.Instance.Metadata) {
			o.Former = append(o.Former, s.Live)
		}
	}
	for _, old := range p.Prune {
		for _, s := range old.makesRoom {
			if s.written != nil {
				ref := s.Ref()
				o.Replace = append(o.Replace, api.Target{Kind: ref.Kind, Group: ref.Group, Namespace: ref.Namespace, Name: ref.Name})
			}
		}
	}
	return o
}

// checkAfter refuses to follow another revision than the one of the request.
func (req Request) checkAfter(record *store.Record) error {
	if req.After == "" || record != nil && record.Wanted().LastTransitionTime == req.After {
		return nil
	}
	m := req.Instance.Metadata
	return fail.Refusedf("another run has changed instance %q in namespace %q since", m.Name, m.Namespace)
}
