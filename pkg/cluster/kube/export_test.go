// SPDX-License-Identifier: Apache-2.0

package kube

import "github.com/kubectl-timoni/kubectl-timoni/pkg/api"

// ApplyBody is applyBody.
func ApplyBody(o api.Object) ([]byte, error) { return applyBody(o) }

// Grace is grace.
const Grace = grace
