// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"context"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
)

// Build returns what the program of a kustomization prints.
func (k Kustomization) Build(ctx context.Context, kubeVersion string, observer event.Observer) ([]byte, error) {
	return k.build(ctx, kubeVersion, observer, func(string) {})
}

// WithRendering returns the request to apply what was rendered before.
func (req ApplyRequest) WithRendering(r api.Rendering) ApplyRequest {
	req.spaces = r.Spaces
	req.restored = &build.Result{Result: render.Restore(r, req.Limits), Module: api.Module{Name: "test", Version: "1.0.0"}}
	return req
}
