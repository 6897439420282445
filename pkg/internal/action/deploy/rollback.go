// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
)

// Rollback applies a remembered revision of an instance again, as a new one: what
// was rendered or, where that is not kept or Package is not the recorded one, the
// module with the recorded digest, and the recorded values in place of the
// module's. Name, Namespace and OCI of the request are given. With to 0, it is
// the last revision that succeeded before the one that is there.
func Rollback(ctx context.Context, client *kube.Client, req ApplyRequest, to int, observer event.Observer) (store.Revision, *ApplyResult, error) {
	revision, err := goBack(ctx, client, &req, to)
	if err != nil {
		return revision, nil, err
	}
	result, err := Apply(ctx, client, req, observer)
	return revision, result, err
}

// goBack makes a request one for a remembered revision, which it returns.
func goBack(ctx context.Context, client *kube.Client, req *ApplyRequest, to int) (store.Revision, error) {
	s := store.New(client)
	if _, err := s.Get(ctx, req.Namespace, req.Name); err != nil {
		return store.Revision{}, fail.Hint(err, "see what is installed with 'kubectl timoni list -A'")
	}
	ledger, err := s.Ledger(ctx, req.Namespace, req.Name)
	if err != nil {
		return store.Revision{}, err
	}
	revision, err := choose(ledger.History, to)
	if err != nil {
		return store.Revision{}, fail.Hint(fmt.Errorf("roll back %s: %w", req.Name, err),
			"see the revisions with 'kubectl timoni history %s -n %s'", req.Name, req.Namespace)
	}
	if err = req.goBackTo(revision); err != nil {
		return revision, fmt.Errorf("roll back %s to revision %d: %w", req.Name, revision.Number, err)
	}
	return revision, nil
}

// goBackTo makes a request one that applies a revision again.
func (req *ApplyRequest) goBackTo(r store.Revision) error {
	req.again, req.restored, req.ReplaceValues, req.Kustomization = &r, nil, true, nil
	req.Values = []values.Source{values.Recorded(fmt.Sprintf("revision %d", r.Number), r.Values)}
	if req.Package == "" || req.Package == r.Package {
		req.Package = r.Package
		if req.restore() {
			return nil
		}
	}
	return req.renderAgain()
}

// restore takes what was rendered from the revision that is applied again, and is
// false where that is not kept.
func (req *ApplyRequest) restore() bool {
	r := req.again
	rendering, ok := r.Rendering()
	if !ok {
		return false
	}
	req.spaces = rendering.Spaces
	req.restored = &build.Result{Result: render.Restore(rendering, req.Limits), Module: r.Module}
	req.restored.Values, req.restored.Images = r.Values, r.Images
	return true
}

// renderAgain names the module of the revision that is applied again, and refuses
// one of which it is not known what it was.
func (req *ApplyRequest) renderAgain() error {
	module := req.again.Module
	if module.Name == kustomizationModule {
		return fail.Hint(fail.Refusedf("it was made from the kustomization %s, which may have changed since, and %s", module.Repository, notKept(req.again)),
			"apply the kustomization as it was then: kubectl timoni apply %s -n %s -k DIR", req.Name, req.Namespace)
	}
	reference, err := ref.Parse(module.Repository)
	if err != nil {
		return err
	}
	if reference.IsLocal() {
		return fail.Hint(fail.Refusedf("it was made from the directory %s, which may have changed since, and %s", reference, notKept(req.again)),
			"apply the directory as it was then, or push modules to a registry and apply them from there")
	}
	req.Module, err = reference.Select("", module.Digest)
	return err
}

// notKept says that what was rendered is not kept, and why.
func notKept(r *store.Revision) string {
	text := "what was rendered is not kept"
	if r.WithoutRendering != "" {
		text += ": " + r.WithoutRendering
	}
	return text
}

// choose returns the revision to go back to.
func choose(history []store.Revision, to int) (store.Revision, error) {
	if to > 0 {
		i := slices.IndexFunc(history, func(r store.Revision) bool { return r.Number == to })
		if i < 0 {
			return store.Revision{}, fmt.Errorf("revision %d is not remembered", to)
		}
		return history[i], nil
	}
	if n := len(history); n > 0 && history[n-1].Outcome == store.Succeeded {
		history = history[:n-1] // the one that is there
	}
	for _, r := range slices.Backward(history) {
		if r.Outcome == store.Succeeded {
			return r, nil
		}
	}
	return store.Revision{}, errors.New("no earlier revision that succeeded is remembered")
}
