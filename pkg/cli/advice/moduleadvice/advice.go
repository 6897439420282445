// SPDX-License-Identifier: Apache-2.0

// Package moduleadvice says what the errors of package module mean at the
// command line: their exit codes, and the flag or the command that helps.
package moduleadvice

import (
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
)

// For is a fail.Adviser.
func For(err error) fail.Advice {
	e, ok := err.(*render.LimitError) //nolint:errorlint // an adviser looks at one error
	switch {
	case !ok:
		return fail.Advice{}
	case e.Memory != 0:
		return fail.Advice{Hint: "a module that needs more can be given it with --render-memory, in a KRM function with TIMONI_RENDER_MEMORY"}
	}
	return fail.Advice{Hint: "a module that needs longer can be given it with --render-timeout, in a KRM function with TIMONI_RENDER_TIMEOUT"}
}
