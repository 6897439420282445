// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/delta"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/fieldset"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kinds"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// decideMoved decides a step whose write first moves the fields of overridden
// managers to ours. applied is what a dry run makes of the object without that:
// it shows none of the fields that the write removes.
func (e *Engine) decideMoved(ctx context.Context, req Request, s *Step, applied api.Object, move fieldset.Move) error {
	var err error
	s.next, err = e.checkMoved(ctx, s, applied, move)
	switch {
	case apierrors.IsConflict(err):
		return e.readAgain(ctx, req, s)
	case apierrors.IsInvalid(err):
		return e.decideRecreate(ctx, req, s, err)
	case err != nil:
		return s.recordVerdict(err)
	}
	s.Action = event.Configured
	return s.explainMoved(move)
}

// explainMoved says in the reason of a step whose fields the write takes.
func (s *Step) explainMoved(move fieldset.Move) error {
	taken, err := s.manager.TakenFrom(s.Live, delta.Compare(s.Live, s.next))
	if err != nil {
		return fmt.Errorf("%s: %w", s.Ref(), err)
	}
	move.Managers = nil // whom taken names, with the fields
	reasons := slices.DeleteFunc([]string{s.Reason, taken, move.Reason()}, func(reason string) bool { return reason == "" })
	s.Reason = strings.Join(reasons, "; ")
	return nil
}

// checkMoved returns what an apply makes of the live object after fields have
// moved, where applied is what it makes of it before. No dry run can do both,
// so the result is computed, and the server checks and completes it as a dry-run
// update of this very version.
func (e *Engine) checkMoved(ctx context.Context, s *Step, applied api.Object, move fieldset.Move) (api.Object, error) {
	next, err := s.manager.After(move, applied)
	if err != nil {
		return nil, err
	}
	metadata := next["metadata"].(map[string]any)
	metadata["uid"], metadata["resourceVersion"] = kube.UID(s.Live), kube.ResourceVersion(s.Live)
	delete(metadata, "managedFields")
	return e.Client.CheckUpdate(ctx, s.Resource, next)
}

// DeviationError is the error of an object that the server made something else
// of than the plan showed. It is written by then.
type DeviationError struct {
	Object event.Object
	Fields []string
}

func (e *DeviationError) Error() string {
	return fmt.Sprintf("written, but these fields are not as the plan showed them: %s", strings.Join(e.Fields, ", "))
}

// asPlanned returns a DeviationError when the server's answer to a write is not
// what the plan showed. What the server allocates may be another value each
// time.
func (s *Step) asPlanned(got api.Object) error {
	var fields []string
	for _, c := range delta.Compare(s.next, got) {
		if !kinds.IsAllocated(s.Object, c.Path) {
			fields = append(fields, c.Path)
		}
	}
	if fields == nil {
		return nil
	}
	if more := len(fields) - maxNamed; more > 0 {
		fields = append(fields[:maxNamed], fmt.Sprintf("%d more", more))
	}
	return &DeviationError{Object: s.Ref(), Fields: fields}
}
