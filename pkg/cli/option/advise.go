// SPDX-License-Identifier: Apache-2.0

package option

import (
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
)

// Advise is the adviser for the errors of writing what is rendered.
func Advise(err error) fail.Advice {
	if _, ok := err.(*build.ForeignFilesError); ok { //nolint:errorlint // an adviser looks at one error
		return fail.Advice{Hint: "give another directory, or --overwrite to replace the files"}
	}
	return fail.Advice{}
}
