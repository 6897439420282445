// SPDX-License-Identifier: Apache-2.0

package krmcmd

import (
	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/krm"
)

func newSchema(env cli.Env) *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print the schema of function configs",
		Long: `Print the OpenAPI document of the kinds of krm.timoni.sh. It is a JSON schema
too: an editor checks a file by it that begins with

    # yaml-language-server: $schema=timoni-krm.json

kustomize takes it as openapi.path, but then forgets its own schema: name it only
in a kustomization of function configs, or patches of Deployments lose containers.`,
		Args: cli.Args(0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			schema, err := krm.Schema()
			if err != nil {
				return err
			}
			_, err = ui.Printf(env.Stdout, "%s\n", schema)
			return err
		},
	}
}
