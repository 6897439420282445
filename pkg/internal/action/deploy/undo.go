// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"cmp"
	"context"
	"fmt"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// UndoneError is why a run has failed, and what became of its rollback. It means
// what the failure means.
type UndoneError struct {
	Err      error
	Rollback string
}

// Error says both.
func (e *UndoneError) Error() string { return e.Err.Error() + "; " + e.Rollback }

// Unwrap returns why the run has failed.
func (e *UndoneError) Unwrap() error { return e.Err }

// Undo applies, after a run of a request has failed, the revision before it again
// and waits for it, if the request says so. It returns the plan of that, as far as
// it was carried out, and an error that says both. A run that was refused before
// its first write, or interrupted, is left as it is; so is a first install, as
// what is there tells why it failed.
func Undo(ctx context.Context, engine *apply.Engine, req ApplyRequest, failed *apply.Plan, cause error) (*apply.Plan, error) {
	if !req.RollbackOnFailure || cause == nil || failed == nil || ctx.Err() != nil {
		return nil, cause
	}
	time, isRevision := failed.HasFailed()
	if !isRevision {
		return nil, cause
	}
	revision, found := failed.Before()
	if !found {
		return nil, &UndoneError{cause, "not rolled back: no revision before it succeeded, and what was applied stays"}
	}
	name := "revision " + fmt.Sprint(revision.Number)
	if revision.Number == 0 {
		name = fmt.Sprintf("version %s, which is not in the history", cmp.Or(revision.Module.Version, revision.Module.Digest))
	}
	if engine.Observer != nil {
		engine.Observer.Observe(event.Note{Text: fmt.Sprintf("%s failed: rolling it back to %s", req.Name, name)})
	}
	plan, err := req.applyBefore(ctx, engine, failed, revision, time)
	if err != nil {
		return plan, &UndoneError{cause, fmt.Sprintf("the rollback to %s failed: %v", name, err)}
	}
	return plan, &UndoneError{cause, "rolled back to " + name}
}

// applyBefore applies the revision before a run that has failed, unless another
// run came in between.
func (req ApplyRequest) applyBefore(ctx context.Context, engine *apply.Engine, failed *apply.Plan, before store.Revision, time string) (*apply.Plan, error) {
	req.Options, req.Show = failed.Back(), nil
	req.Package, req.spaces, req.ahead, req.after = "", nil, nil, time
	req.Keep, req.reviewed = nil, nil
	if err := req.goBackTo(before); err != nil {
		return nil, err
	}
	rendered, err := renderFor(ctx, engine.Client, &req, engine.Observer)
	if err != nil {
		return nil, err
	}
	plan, err := run(ctx, engine, req, rendered)
	return plan, mask.Error(err, values.Mask(req.Values))
}
