// SPDX-License-Identifier: Apache-2.0

package render

import (
	"context"
	"fmt"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/healthcheck"
)

// Health evaluates the module's health check for a live object. known is false
// when the module has none for its kind or group. An expression that is not
// complete, because the object lacks a field, counts as false; any other error
// of the evaluation is returned, and that a limit of the rendering was passed.
// It is safe for concurrent use.
func (r *Result) Health(o api.Object) (health api.Health, known bool, err error) {
	c := healthcheck.For(r.checks, o)
	if c == nil {
		return "", false, nil
	}
	health, err = bounded(context.Background(), r.limits, fmt.Sprintf("health check %q of %s", c.Name, o.ID()), func(*stage) (api.Health, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		return c.Health(o)
	})
	return health, true, err
}

// Condition names the conditions that a health check of
// #HealthCheckForCondition reads.
type Condition struct{ Ready, Failed string }

// HealthCondition returns the name of the module's health check for an object,
// empty when it has none, and the conditions that it says it reads, zero when
// it says none.
func (r *Result) HealthCondition(o api.Object) (check string, c Condition) {
	found := healthcheck.For(r.checks, o)
	if found == nil {
		return "", Condition{}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c.Ready, c.Failed = found.Conditions()
	return found.Name, c
}
