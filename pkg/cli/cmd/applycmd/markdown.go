// SPDX-License-Identifier: Apache-2.0

package applycmd

import (
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui/printer"
)

// markdownFormat is the output format of a comment for a review.
const markdownFormat = "markdown"

// newDiffOptions returns the options of the verbs that show differences.
func newDiffOptions(env cli.Env) *options {
	o := newOptions(env)
	o.out = printer.New(printer.InProcess, "name", markdownFormat)
	return o
}
