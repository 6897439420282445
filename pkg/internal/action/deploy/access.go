// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"context"
	"fmt"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// CheckAccess renders a module and asks the server about every right that an
// apply of it needs.
func CheckAccess(ctx context.Context, client *kube.Client, req ApplyRequest, observer event.Observer) ([]apply.Access, error) {
	if req.ReuseValues {
		req.ahead = apply.New(client, observer).ReadAhead(ctx, api.Metadata{Name: req.Name, Namespace: req.Namespace}, nil)
		if err := req.reuse(ctx); err != nil {
			return nil, err
		}
		req.ahead = nil
	}
	rendered, err := renderFor(ctx, client, &req, observer)
	if err != nil {
		return nil, err
	}
	access, err := apply.New(client, observer).Access(ctx, RequestFor(req, rendered))
	if err != nil {
		return nil, fmt.Errorf("check the access for %s: %w", req.Name, err)
	}
	return access, nil
}
