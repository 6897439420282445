// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"errors"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// IsAboutObject says whether the server refuses an object for what it says, and
// not for where it is or who sends it. The server answers 500 for a field that
// the schema of a kind does not know: that is a refusal of the object too.
func IsAboutObject(err error) bool {
	status, isAnswer := errors.AsType[*apierrors.StatusError](err)
	if !isAnswer {
		return false
	}
	switch message := status.ErrStatus.Message; status.ErrStatus.Code {
	case http.StatusUnprocessableEntity:
		return true
	case http.StatusBadRequest:
		return !strings.Contains(message, "denied the request")
	case http.StatusInternalServerError:
		return strings.HasPrefix(message, "failed to create typed patch object")
	}
	return false
}

// IsQuota says whether an object was rejected because a ResourceQuota is used
// up. The server has no reason of its own for that.
func IsQuota(err error) bool {
	return apierrors.IsForbidden(err) && strings.Contains(err.Error(), "exceeded quota")
}
