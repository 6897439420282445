// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"context"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/action/instance"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
)

// The parts of Apply, for a caller that applies several instances: it renders
// and plans all of them before it carries out the first.

// StartExpressions starts what evaluates the rules in CEL, if there are any,
// until end is called.
func StartExpressions(ctx context.Context, req *ApplyRequest) (end func(), err error) {
	return startExpressions(ctx, req)
}

// RequestFor returns the request to apply a rendered instance.
func RequestFor(req ApplyRequest, rendered *build.Result) apply.Request {
	req.ReadOnly = req.DryRun == DryRunClient
	return requestFor(req, rendered)
}

// Differences returns what a plan changes, without the objects that stay as
// they are.
func Differences(plan *apply.Plan) []instance.Difference { return differences(plan) }
