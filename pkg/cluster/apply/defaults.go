// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// dropDefaults decides a step whose update the server calls invalid, where that
// is so because of what it has defaulted itself: the write then takes those
// defaults over and drops them. No dry run can move fields, so what comes of it
// is computed, and the server checks that as an update. elsewhere is what the
// server made of the object under another name.
func (e *Engine) dropDefaults(ctx context.Context, s *Step, elsewhere api.Object, invalid error) (decided bool, err error) {
	applied := s.manager.Applied(elsewhere)
	if applied == nil {
		return false, nil
	}
	defaults := s.manager.Defaults(s.Live, applied, refusedFields(invalid))
	move, err := s.manager.Move(s.Live, defaults)
	if err != nil {
		return false, fmt.Errorf("%s: %w", s.Ref(), err)
	}
	if defaults == nil && move.Entries == nil {
		return false, nil
	}
	predicted, err := s.manager.Predict(move, s.Live, elsewhere)
	if err != nil {
		return false, fmt.Errorf("%s: %w", s.Ref(), err)
	}
	got, err := e.Client.CheckUpdate(ctx, s.Resource, predicted)
	switch {
	case apierrors.IsInvalid(err): // for another reason
		return false, nil
	case err != nil:
		return true, s.recordVerdict(err)
	}
	s.Action, s.next, s.drop = event.Configured, got, defaults
	return true, s.explainMoved(move)
}

// refusedFields returns the fields that the server names in a refusal.
func refusedFields(err error) []string {
	status, ok := errors.AsType[*apierrors.StatusError](err)
	if !ok || status.ErrStatus.Details == nil {
		return nil
	}
	var fields []string
	for _, cause := range status.ErrStatus.Details.Causes {
		fields = append(fields, cause.Field)
	}
	return fields
}
