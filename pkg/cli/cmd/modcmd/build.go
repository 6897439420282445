// SPDX-License-Identifier: Apache-2.0

package modcmd

import (
	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/registryflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/artifact"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
)

const buildLong = `Vet and pack a module as push does, without a registry.

OUTPUT is written as an OCI image layout: one archive when the name ends in .tar,
otherwise a directory, which must be empty or not exist. --layout decides
otherwise. Any OCI client reads it, and 'mod push OUTPUT oci://…' pushes it with the digest that is printed.`

// newBuild returns the command build.
func newBuild(env cli.Env) *cobra.Command {
	var p packing
	var output string
	var layout archive.Layout
	cmd := &cobra.Command{
		Use: "build DIR OUTPUT", Short: "Pack a module into an OCI archive or layout", Long: buildLong,
		Example: cli.Example(env, "build ./module app.tar --version 1.2.3"),
		Args:    cli.ArgsToWrite(2, "DIR and OUTPUT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			req, err := p.request(cmd.Context(), env, args[0])
			if err != nil {
				return err
			}
			built, err := artifact.BuildModule(cmd.Context(), req, args[1], layout)
			if err != nil {
				return err
			}
			return ui.Value(env.Stdout, output, built)
		},
	}
	p.addTo(cmd)
	registryflag.AddLayoutTo(cmd.Flags(), &layout)
	cli.AddOutput(cmd, &output)
	return cmd
}
