// SPDX-License-Identifier: Apache-2.0

package krmcmd

import (
	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/function"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/guard"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/kustomize"
)

// newExamine returns what 'kubectl timoni doctor -k' asks.
func newExamine(env cli.Env) *cobra.Command {
	return &cobra.Command{
		Use: guard.Verb + " DIR", Short: "Print a report on a kustomization as JSON", Hidden: true,
		Args: cli.Args(1, "DIR"),
		RunE: func(_ *cobra.Command, args []string) error {
			executable, err := env.Executable()
			if err != nil {
				return err
			}
			report, err := kustomize.Kustomization{Dir: args[0], Executable: executable}.Examine(function.PluginHome(env.Getenv))
			if err != nil {
				return err
			}
			return ui.Structured(env.Stdout, "json", report)
		},
	}
}
