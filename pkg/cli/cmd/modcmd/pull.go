// SPDX-License-Identifier: Apache-2.0

package modcmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/complete"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/registryflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/artifact"
)

const pullLong = `Pull a module from an OCI registry into a directory.

MODULE is oci://HOST/PATH[:VERSION][@DIGEST]; --version takes a range of versions
too, of which the newest is pulled. DIR must be empty or not exist.

Nothing is written unless the module is signed as --key, an identity with its
issuer, and the policy ask for.`

// newPull returns the command pull.
func newPull(env cli.Env) *cobra.Command {
	o := &pulling{env: env}
	cmd := &cobra.Command{
		Use: "pull MODULE DIR", Short: "Pull a module into a directory", Long: pullLong,
		Example: cli.Example(env,
			"pull oci://registry.example.com/modules/app:1.2.3 ./app",
			"pull oci://registry.example.com/modules/app ./app --version '>=1.2 <2'"),
		Args: cli.ArgsToWrite(2, "MODULE and DIR"), ValidArgsFunction: complete.Operands(o.registry.References, complete.Directories),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args[0], args[1]) },
	}
	o.selection.AddTo(cmd.Flags())
	o.registry.Process = env
	o.registry.AddTo(cmd.Flags())
	complete.Flag(cmd.Flags(), "version", o.registry.Versions)
	o.signers.AddTo(cmd.Flags())
	cmd.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "print no progress")
	cli.AddOutput(cmd, &o.output)
	return cmd
}

type pulling struct {
	env       cli.Env
	selection option.Selection
	registry  option.Registry
	signers   registryflag.Signers
	output    string
	quiet     bool
}

func (o *pulling) run(ctx context.Context, module, dir string) error {
	r, err := o.selection.Reference(module)
	if err != nil {
		return err
	}
	options, err := o.registry.Options(o.env.Stdin, cli.UserAgent("mod"))
	if err != nil {
		return err
	}
	if options, err = o.signers.Require(options, &o.registry); err != nil {
		return err
	}
	req := artifact.PullRequest{Reference: r, Dir: dir, OCI: options}
	pulled, err := artifact.PullModule(ctx, req, ui.Transfers(o.env.Stderr, o.quiet, true))
	if err != nil {
		return err
	}
	return ui.Value(o.env.Stdout, o.output, pulled)
}
