// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// isFieldConflict says whether err is about fields and not about a version of
// the object.
func isFieldConflict(err error) bool {
	return apierrors.IsConflict(err) && apierrors.HasStatusCause(err, metav1.CauseTypeFieldManagerConflict)
}

// conflictError returns the refusal for fields that other appliers own, nil
// when err is not about such fields: what controllers have written is ours to
// put right.
func conflictError(s *Step, err error) error {
	status, ok := errors.AsType[*apierrors.StatusError](err)
	if !ok || status.ErrStatus.Details == nil {
		return nil
	}
	appliers := s.manager.OtherAppliers(s.Live)
	var fields []string
	for _, cause := range status.ErrStatus.Details.Causes {
		if cause.Type != metav1.CauseTypeFieldManagerConflict {
			continue
		}
		owned := slices.ContainsFunc(appliers, func(name string) bool {
			return strings.Contains(cause.Message, fmt.Sprintf("%q", name))
		})
		if owned {
			fields = append(fields, fmt.Sprintf("%s (%s)", cause.Field, cause.Message))
		}
	}
	if fields == nil {
		return nil
	}
	return &FieldsOwnedError{Object: s.Ref(), Fields: fields}
}
