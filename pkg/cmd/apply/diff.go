// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/action/cluster"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/delta"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ui/printer"
)

const diffLong = `Show what an apply of the module would change: the plan of that apply, as the
server has checked it, without carrying it out. The data of Secrets is masked.

The exit code is 0 when nothing would change, 1 when something would, and
above 1 when that could not be found out, as it is with kubectl diff. With
KUBECTL_EXTERNAL_DIFF set, that program shows the differences.`

// externalDiff names the environment variable that kubectl diff reads too.
const externalDiff = "KUBECTL_EXTERNAL_DIFF"

func newDiff(env cli.Env) *cobra.Command {
	o := newOptions(env)
	cmd := &cobra.Command{
		Use: "diff NAME MODULE", Short: "Show what an apply would change", Long: diffLong,
		Example: cli.Example(env, "app ./module -n apps -f values.yaml"),
		Args:    cli.Args(2, "NAME and MODULE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.validate(); err != nil {
				return err
			}
			if err := o.validation.Check(&o.module.Values); err != nil {
				return err
			}
			return o.runDiff(cmd.Context(), args[0], args[1])
		},
	}
	o.addTo(cmd.Flags())
	o.addModule(cmd.Flags())
	return cmd
}

func (o *options) runDiff(ctx context.Context, name, module string) error {
	req, observer, err := o.request(ctx, name, module)
	if err != nil {
		return err
	}
	client, err := o.kube.Connect(cli.UserAgent("apply"), observer)
	if err != nil {
		return err
	}
	differences, err := cluster.Diff(ctx, client, req, observer)
	if err != nil {
		return o.validation.Explain(err)
	}
	if err := o.printDiff(ctx, differences); err != nil {
		return err
	}
	if len(differences) > 0 {
		return fail.With(fail.No, errors.New(""))
	}
	return nil
}

func (o *options) printDiff(ctx context.Context, differences []cluster.Difference) error {
	if _, text := o.out.Format(); !text {
		list := make([]printer.Difference, len(differences))
		for i, d := range differences {
			list[i] = printer.DifferenceOf(d.Outcome, d.Changes)
		}
		return o.out.Print(o.env.Stdout, list)
	}
	if command := o.env.Getenv(externalDiff); command != "" && len(differences) > 0 {
		pairs := make([]ui.Pair, len(differences))
		for i, d := range differences {
			pairs[i] = ui.Pair{Object: d.Object, Before: d.Before, After: d.After}
		}
		if err := ui.ExternalDiff(ctx, o.env.Stdout, o.env.Stderr, command, pairs); err != nil {
			return fmt.Errorf("run %s=%q: %w", externalDiff, command, err)
		}
		return nil
	}
	colours := ui.IsTerminal(o.env.Stdout) && o.env.Getenv("NO_COLOR") == ""
	for _, d := range differences {
		title := fmt.Sprintf("%s (%s)", d.Object, d.Action)
		if d.Reason != "" {
			title += ": " + d.Reason
		}
		text, err := delta.Text("live "+d.Object.String(), d.Before, "planned "+title, d.After)
		if err != nil {
			return err
		}
		if text == "" { // only who owns which field would change
			text = "--- live " + d.Object.String() + "\n+++ planned " + title + "\n"
		}
		if err := ui.Diff(o.env.Stdout, text, colours); err != nil {
			return err
		}
	}
	return nil
}
