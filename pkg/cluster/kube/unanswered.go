// SPDX-License-Identifier: Apache-2.0

package kube

import "strings"

// UnansweredError says that objects were kept because the server does not say
// whether they, or what they hold, exist.
type UnansweredError struct{ Objects []string }

func (e *UnansweredError) Error() string {
	return "kept until the server answers for all API groups: " + strings.Join(e.Objects, ", ")
}
