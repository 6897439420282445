// SPDX-License-Identifier: Apache-2.0

// Package moduleadvice says what the errors of package module mean at the
// command line: their exit codes, and the flag or the command that helps.
package moduleadvice

import (
	"fmt"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/download"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/assignment"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/cuefile"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/sops"
)

// For is a fail.Adviser.
func For(err error) fail.Advice {
	if err == download.ErrPrivate { //nolint:errorlint // an adviser looks at one error
		return hint("if that is meant, give --allow-private-address")
	}
	if err == sops.ErrNoProgram { //nolint:errorlint // the same
		return hint("install sops: https://github.com/getsops/sops/releases")
	}
	switch e := err.(type) { //nolint:errorlint // the same
	case *render.LimitError:
		if e.Memory != 0 {
			return hint("a module that needs more can be given it with --render-memory, in a KRM function with TIMONI_RENDER_MEMORY")
		}
		return hint("a module that needs longer can be given it with --render-timeout, in a KRM function with TIMONI_RENDER_TIMEOUT")
	case *render.NoModuleError:
		return hint("create a module with 'kubectl timoni mod init NAME'")
	case *render.PackageError:
		return hint("add it: sed -i '1i package %s' %s", e.Package, e.File)
	case *render.NotVendoredError:
		return hint("copy it into cue.mod, or let the registry be asked with --allow-cue-registry, which a KRM function never does")
	case *cuefile.NoModuleError:
		return hint("make one with a file cue.mod/module.cue")
	case *values.NoValuesError:
		return hint("a CUE file of values has the form values: {…}")
	case *assignment.ListError:
		return hint("give all of it: --set-json '%s=[…]'", e.Path)
	}
	return fail.Advice{}
}

func hint(format string, args ...any) fail.Advice {
	return fail.Advice{Hint: fmt.Sprintf(format, args...)}
}
