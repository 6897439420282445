// SPDX-License-Identifier: Apache-2.0

package applycmd

import (
	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui/printer"
)

// newPrint returns the command with which a sibling prints a Go template.
func newPrint(env cli.Env) *cobra.Command {
	out := printer.New(printer.InProcess)
	cmd := &cobra.Command{
		Use: printer.SiblingVerb, Short: "Print the JSON on the standard input with a template", Hidden: true,
		Args: cli.Args(0, "no arguments"),
		RunE: func(*cobra.Command, []string) error { return out.PrintJSON(env.Stdin, env.Stdout) },
	}
	out.AddTo(cmd.Flags())
	return cmd
}
