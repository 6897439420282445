// SPDX-License-Identifier: Apache-2.0

package modcmd

import (
	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/expression"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd/cel"
)

// newCEL returns the command with which a sibling has expressions evaluated.
func newCEL(env cli.Env) *cobra.Command {
	return &cobra.Command{
		Use: expression.Verb, Short: "Evaluate the CEL expressions of requests on the standard input", Hidden: true,
		Args: cli.Args(0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			expressions, err := cel.NewExpressions()
			if err != nil {
				return err
			}
			return expression.Serve(env.Stdin, env.Stdout, expressions)
		},
	}
}
