// SPDX-License-Identifier: Apache-2.0

package render

import (
	"sync"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/healthcheck"
)

// Rendering returns what can be applied again without the module, and false where
// a health check has no text that says the same without it. The objects are those
// of the result.
func (r *Result) Rendering() (api.Rendering, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	checks, ok := healthcheck.KeepAll(r.checks)
	if !ok {
		return api.Rendering{}, false
	}
	kept := api.Rendering{Checks: checks}
	for _, set := range r.Sets {
		kept.Stages = append(kept.Stages, api.Stage{Name: set.Name, Objects: set.Objects})
	}
	return kept, true
}

// Restore returns a result with the stages and the health checks of a rendering,
// which are evaluated within limits. Values and Images are left to the caller.
func Restore(kept api.Rendering, limits Limits) *Result {
	r := &Result{mu: &sync.Mutex{}, limits: limits, checks: healthcheck.AllKept(kept.Checks)}
	for _, s := range kept.Stages {
		r.Sets = append(r.Sets, Set{Name: s.Name, Objects: s.Objects})
	}
	return r
}
