// SPDX-License-Identifier: Apache-2.0

package mod

import (
	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/action/cel"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	crd "github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd/cel"
)

// newCEL returns the command with which a sibling has expressions evaluated.
func newCEL(env cli.Env) *cobra.Command {
	return &cobra.Command{
		Use: cel.Verb, Short: "Evaluate the CEL expressions of requests on the standard input", Hidden: true,
		Args: cli.Args(0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			expressions, err := crd.NewExpressions()
			if err != nil {
				return err
			}
			return cel.Serve(env.Stdin, env.Stdout, expressions)
		},
	}
}
