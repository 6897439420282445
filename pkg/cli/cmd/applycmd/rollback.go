// SPDX-License-Identifier: Apache-2.0

package applycmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/complete"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/deploy"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
)

const rollbackLong = `Apply an earlier revision of an instance again, as a new revision. The revision is
the last one that succeeded before the present one, or the one of --to.

What was rendered then is applied, and its health checks are waited for: neither
the registry nor the directory is needed. Of a revision of which history shows
that only values are kept, and with another --package, the module is rendered
again: that with the recorded digest, with the recorded values. A directory or a
kustomization, which may have changed since, is refused then.`

func newRollback(env cli.Env) *cobra.Command {
	o := &applyOptions{options: newOptions(env)}
	registry := option.Registry{Process: env}
	var to int
	var pkg string
	cmd := &cobra.Command{
		Use: "rollback NAME", Short: "Apply an earlier revision again", Long: rollbackLong,
		Example: cli.Example(env, "app -n apps", "app -n apps --to 3 --dry-run=server --diff"),
		Args:    cli.Args(1, "NAME"), ValidArgsFunction: complete.Operands(o.kube.Instances),
		RunE: func(cmd *cobra.Command, args []string) error {
			req, err := o.request()
			if err != nil {
				return err
			}
			if to < 0 {
				return fail.Usagef("--to=%d: revisions count from 1", to)
			}
			if req.OCI, err = registry.Options(env.Stdin, cli.UserAgent("apply")); err != nil {
				return err
			}
			req.Name, req.Package = instance.ParseName(args[0]), pkg
			return o.done(o.goBack(cmd.Context(), req, to))
		},
	}
	fs := cmd.Flags()
	o.addTo(fs)
	registry.AddTo(fs)
	fs.StringVarP(&pkg, "package", "p", "", "CUE `PACKAGE` of the module; by default that of the revision")
	fs.IntVar(&to, "to", 0, "the `REVISION` to go back to, as history shows it")
	complete.Flag(fs, "to", o.kube.Revisions)
	complete.Flag(fs, "replace", o.kube.Objects)
	return cmd
}

func (o *applyOptions) goBack(ctx context.Context, req deploy.ApplyRequest, to int) error {
	var err error
	if req.Namespace, err = o.kube.Namespace(); err != nil {
		return err
	}
	observer := o.observer()
	client, err := o.connect(&o.policy.Plan, observer)
	if err != nil {
		return err
	}
	revision, applied, err := deploy.Rollback(ctx, client, req, to, observer)
	if err != nil {
		return errors.Join(err, o.printPart(applied))
	}
	return o.print(applied, req, fmt.Sprintf("rolled %s back to revision %d (version %s)", req.Name, revision.Number, revision.Module.Version))
}
