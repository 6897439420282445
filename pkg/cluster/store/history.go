// SPDX-License-Identifier: Apache-2.0

package store

import (
	"slices"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// Keeping says what the history keeps of the revision that a run applies.
type Keeping struct {
	Limit      int     // of revisions, 0 for no history
	What       Kept    // empty for KeptFull
	UserValues *string // as Revision has them
	Hidden     []string
	Objects    string
	// Rendering returns what was rendered, false where a health check needs the
	// module; nil keeps nothing of it.
	Rendering func() (api.Rendering, bool)
}

// Add returns the history with a revision.
func (k Keeping) Add(l *Ledger, m api.Metadata, r Revision) []Revision {
	if k.Limit == 0 {
		return nil
	}
	k.complete(m, &r)
	history := l.With(r, k.Limit)
	if k.What == KeptValues {
		for i := range history {
			history[i].forget()
		}
	}
	return history
}

// Learn returns the history after a run that made no revision. The last one learns
// what it lacks: an older version wrote it, or the user now gives values that are
// the module's, which changes nothing else. It is added if it is missing, because
// the run that made it died before it wrote the ledger, or another tool did.
func (k Keeping) Learn(l *Ledger, rec *Record, pkg string) []Revision {
	if k.Limit == 0 {
		return l.History
	}
	is := rec.Instance
	last, known := l.Last(rec)
	if !known {
		last = Revision{Time: is.LastTransitionTime, Module: is.Module, Values: is.Values, Images: is.Images, Package: pkg, Outcome: Succeeded}
		k.complete(is.Metadata, &last)
		return l.With(last, k.Limit)
	}
	if last.Objects != "" && (k.UserValues == nil || last.UserValues != nil && *last.UserValues == *k.UserValues) {
		return l.History
	}
	k.complete(is.Metadata, &last)
	history := slices.Clone(l.History)
	history[len(history)-1] = last
	return history
}

// complete adds to a revision of an instance what the user gave and what was
// rendered.
func (k Keeping) complete(m api.Metadata, r *Revision) {
	r.UserValues, r.Hidden, r.Objects = k.UserValues, k.Hidden, k.Objects
	if k.Rendering != nil && k.What != KeptValues {
		r.WithoutRendering = k.keepRendering(m, r)
	}
}

// keepRendering has the history keep what was rendered, or returns why not.
// Secrets are kept where the record has those of the values: readers of Secrets in
// another namespace are others.
func (k Keeping) keepRendering(m api.Metadata, r *Revision) (reason string) {
	rendering, ok := k.Rendering()
	if !ok {
		return "a health check needs its module"
	}
	for _, stage := range rendering.Stages {
		for _, o := range stage.Objects {
			if ns := o.Namespace(); o.IsSecret() && ns != "" && ns != m.Namespace {
				return "it has Secrets in other namespaces"
			}
		}
	}
	if r.Keep(rendering) != nil {
		return "it cannot be written as JSON"
	}
	return ""
}
