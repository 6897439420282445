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
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
)

// Rollback applies a remembered revision of an instance again, as a new one:
// the module with the recorded digest, the recorded values in place of the
// module's. Name, Namespace and OCI of the request are given, and Package if it
// is not to be the recorded one; the module and the values are the revision's.
// With to 0, it is the last one that succeeded before the one that is there.
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
	if revision.Module.Name == kustomizationModule {
		return revision, fail.Hint(
			fail.Refusedf("roll back %s: revision %d was made from the kustomization %s, which may have changed since", req.Name, revision.Number, revision.Module.Repository),
			"apply the kustomization as it was then: kubectl timoni apply %s -n %s -k DIR", req.Name, req.Namespace)
	}
	reference, err := ref.Parse(revision.Module.Repository)
	if err != nil {
		return revision, fmt.Errorf("roll back %s to revision %d: %w", req.Name, revision.Number, err)
	}
	if reference.IsLocal() {
		return revision, fail.Hint(
			fail.Refusedf("roll back %s: revision %d was made from the directory %s, which may have changed since", req.Name, revision.Number, reference),
			"apply the directory as it was then, or push modules to a registry and apply them from there")
	}
	if req.Module, err = reference.Select("", revision.Module.Digest); err != nil {
		return revision, fmt.Errorf("roll back %s to revision %d: %w", req.Name, revision.Number, err)
	}
	if req.Package == "" {
		req.Package = revision.Package
	}
	req.ReplaceValues = true
	req.Values = []values.Source{{
		Name: fmt.Sprintf("revision %d", revision.Number), Format: values.CUE, Data: []byte("values: " + revision.Values),
	}}
	return revision, nil
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
