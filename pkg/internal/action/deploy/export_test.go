// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"context"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// Build returns what the program of a kustomization prints.
func (k Kustomization) Build(ctx context.Context, kubeVersion string, observer event.Observer) ([]byte, error) {
	return k.build(ctx, kubeVersion, observer, func(string) {})
}
