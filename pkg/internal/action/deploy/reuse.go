// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"context"
	"fmt"
	"slices"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// reuse puts the values that the user gave at the last apply below those of the
// request.
func (req *ApplyRequest) reuse(ctx context.Context) error {
	last, known, err := req.ahead.Last(ctx)
	if err != nil {
		return err
	}
	if !known || last.UserValues == nil {
		return fail.Hint(
			fail.Refusedf("reuse the values of %s: the history does not say which values were given at the last apply", req.Name),
			"see all values with 'kubectl timoni inspect values %s -n %s', and give yours", req.Name, req.Namespace)
	}
	req.Values = slices.Insert(slices.Clone(req.Values), 0, given(last))
	return nil
}

// given returns what the user gave at a revision.
func given(r store.Revision) values.Source {
	return values.Recorded(fmt.Sprintf("revision %d", r.Number), *r.UserValues, r.Hidden...)
}

// sources returns those of the values, and those of the last apply, of which the
// live objects may hold secrets.
func (req ApplyRequest) sources(ctx context.Context) []values.Source {
	if req.ahead == nil {
		return req.Values
	}
	last, known, err := req.ahead.Last(ctx)
	if err != nil || !known || last.UserValues == nil {
		return req.Values
	}
	return append(slices.Clip(req.Values), given(last))
}

// maxDropped bounds how many values are named one by one.
const maxDropped = 10

// nameDropped tells which values were given at the last apply and are not given
// now.
func (req *ApplyRequest) nameDropped(ctx context.Context, observer event.Observer) {
	if req.again != nil || req.ReuseValues || req.Kustomization != nil || observer == nil {
		return
	}
	last, known, err := req.ahead.Last(ctx)
	if err != nil || !known || last.UserValues == nil { // of an error the plan tells
		return
	}
	paths, err := values.Dropped([]values.Source{given(last)}, req.Values)
	if err != nil {
		return // the history cannot be read: it only serves people
	}
	for i, path := range paths {
		if i == maxDropped {
			observer.Observe(event.Note{Text: fmt.Sprintf("and %d more values go back to their defaults", len(paths)-i)})
			break
		}
		observer.Observe(event.Note{Text: fmt.Sprintf("%s goes back to its default: it was given at the last apply, and is not given now", path)})
	}
}
