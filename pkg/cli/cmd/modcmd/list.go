// SPDX-License-Identifier: Apache-2.0

package modcmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/registryflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/artifact"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
)

// newList returns the command list.
func newList(env cli.Env) *cobra.Command {
	o := &listing{env: env}
	cmd := &cobra.Command{
		Use: "list REPOSITORY", Aliases: []string{"ls"}, Short: "List the versions of a module",
		Long: "List the versions of a module in a registry, the newest first, with their digests.\n" +
			"REPOSITORY is oci://HOST/PATH. Tags that are not semantic versions are left out.",
		Example: cli.Example(env, "list oci://registry.example.com/modules/app",
			"list oci://registry.example.com/modules/app --filter-semver '>=1.2 <2' --limit 1 -o json"),
		Args: cli.Args(1, "REPOSITORY"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args[0]) },
	}
	fs := cmd.Flags()
	registryflag.AddSelectionTo(fs, &o.req.Selection, "versions")
	cli.AddOutput(cmd, &o.output)
	o.registry.Process = env
	o.registry.AddAccessTo(fs)
	return cmd
}

type listing struct {
	env      cli.Env
	registry registryflag.Flags
	req      artifact.ListRequest
	output   string
}

func (o *listing) run(ctx context.Context, repository string) (err error) {
	if o.req.Reference, err = ref.Parse(repository); err != nil {
		return err
	}
	if o.req.OCI, err = o.registry.Options(o.env.Stdin, cli.UserAgent("mod")); err != nil {
		return err
	}
	if err = registryflag.CheckSelection(o.req.Selection); err != nil {
		return err
	}
	o.req.Versions = true
	list, err := artifact.List(ctx, o.req)
	if err != nil {
		return err
	}
	header, rows := o.req.Columns("VERSION", list)
	return ui.Rows(o.env.Stdout, o.output, list, header, rows)
}
