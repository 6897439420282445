// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/complete"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// AddOutput registers -o of a command that prints a text for people when none
// is given, otherwise one of formats, by default JSON or YAML. Another one is
// refused before the command runs.
func AddOutput(cmd *cobra.Command, output *string, formats ...string) {
	if formats == nil {
		formats = []string{"json", "yaml"}
	}
	last := len(formats) - 1
	cmd.Flags().StringVarP(output, "output", "o", "", "output format: "+strings.Join(formats[:last], ", ")+" or "+formats[last])
	complete.Flag(cmd.Flags(), "output", complete.Words(formats...))
	cmd.PreRunE = func(*cobra.Command, []string) error {
		return fail.OneOf("output format", *output, append(formats, "")...)
	}
}
