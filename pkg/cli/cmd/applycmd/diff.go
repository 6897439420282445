// SPDX-License-Identifier: Apache-2.0

package applycmd

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/complete"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/policyflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui/printer"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui/review"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/deploy"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
)

const diffLong = `Show what an apply of the module, or of the kustomization of -k, would change:
the plan of that apply, as the server has checked it, without carrying it out.
The data of Secrets is masked.

Without MODULE, show how the objects of an installed instance differ from what
its last apply left: the fields that others have changed, with their names, and
the objects that are gone. Fields that others have added, and that an apply
leaves alone, are named on stderr.

The exit code is 0 when nothing would change, 1 when something would, and
above 1 when that could not be found out, as it is with kubectl diff. With
KUBECTL_EXTERNAL_DIFF set, that program shows the differences.

-o markdown writes a comment for a review: a table of the objects and a block for
each, at most 65536 characters; what is left out is counted.`

// externalDiff names the environment variable that kubectl diff reads too.
const externalDiff = "KUBECTL_EXTERNAL_DIFF"

func newDiff(env cli.Env) *cobra.Command {
	o := newDiffOptions(env)
	var flags policyflag.Plan
	planning := pflag.NewFlagSet("", pflag.ContinueOnError)
	o.addModule(planning)
	flags.AddTo(planning)
	cmd := &cobra.Command{
		Use: "diff NAME [MODULE|-k DIR]", Short: "Show what an apply would change, or what has changed since", Long: diffLong,
		Example: cli.Example(env, "app ./module -n apps -f values.yaml", "app -n apps", "app -k ./overlays/production -n apps"),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && o.kustomization.dir == "" {
				return withoutModule(planning)
			}
			return o.args(cmd, args)
		},
		ValidArgsFunction: complete.Operands(o.kube.Instances, o.module.Registry.Modules),
		RunE: func(cmd *cobra.Command, args []string) error {
			req, err := o.plan(&flags)
			if err != nil {
				return err
			}
			if len(args) == 1 && o.kustomization.dir == "" {
				return o.runDrift(cmd.Context(), args[0])
			}
			if err = o.render(cmd.Context(), &req, args); err != nil {
				return err
			}
			return o.runDiff(cmd.Context(), &flags, req)
		},
	}
	o.addTo(cmd.Flags())
	cmd.Flags().AddFlagSet(planning)
	complete.Flag(cmd.Flags(), "replace", o.kube.Objects)
	return cmd
}

// withoutModule returns a usage error when a flag is given that says how to
// render or plan a module, and there is none.
func withoutModule(planning *pflag.FlagSet) error {
	if flags := given(planning); flags != nil {
		return fail.Usagef("%s: there is no MODULE to render", strings.Join(flags, ", "))
	}
	return nil
}

// given returns the flags of a set that are on the command line.
func given(fs *pflag.FlagSet) []string {
	var names []string
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Changed {
			names = append(names, "--"+f.Name)
		}
	})
	return names
}

func (o *options) runDiff(ctx context.Context, flags *policyflag.Plan, req deploy.ApplyRequest) error {
	observer := o.observer()
	client, err := o.connect(flags, observer)
	if err != nil {
		return err
	}
	differences, err := deploy.Diff(ctx, client, req, observer)
	if err != nil {
		return o.validation.Explain(err)
	}
	return o.showDiff(ctx, differences, review.Planned)
}

func (o *options) runDrift(ctx context.Context, name string) error {
	namespace, err := o.kube.Namespace()
	if err != nil {
		return err
	}
	client, err := o.kube.Connect(cli.UserAgent("apply"), ui.Observer(o.env.Stderr, o.quiet))
	if err != nil {
		return err
	}
	differences, err := instance.Drift(ctx, client, instance.Key{Namespace: namespace, Name: instance.ParseName(name)})
	if err != nil {
		return err
	}
	return o.showDiff(ctx, differences, review.Recorded)
}

// showDiff prints differences between what is live and what the label says, and
// returns the exit code that they stand for.
func (o *options) showDiff(ctx context.Context, differences []instance.Difference, label string) error {
	if err := o.printDiff(ctx, differences, label); err != nil {
		return err
	}
	return answer(differences)
}

// answer returns the exit code that differences stand for.
func answer(differences []instance.Difference) error {
	if slices.ContainsFunc(differences, instance.Difference.Counts) {
		return fail.Silent(fail.No)
	}
	return nil
}

func (o *options) printDiff(ctx context.Context, differences []instance.Difference, label string) error {
	switch format, text := o.out.Format(); {
	case !text:
		isKept := instance.Difference.IsKept // which is no difference
		return o.out.Print(o.env.Stdout, printer.Differences(slices.DeleteFunc(slices.Clone(differences), isKept)))
	case format == markdownFormat:
		return review.Markdown(o.env.Stdout, []review.Comparison{{Differences: differences}}, label)
	}
	for _, d := range differences {
		if o.quiet {
			break
		}
		if d.IsKept() {
			_, _ = ui.Printf(o.env.Stderr, "%s is no longer in the module and is kept: %s\n", d.Object, d.Reason)
		}
		for _, a := range d.Added {
			_, _ = ui.Printf(o.env.Stderr, "%s: %s has added %s, which stays\n", d.Object, a.Manager, a.Path)
		}
	}
	return o.textDiff(ctx, o.env.Stdout, review.Changes(differences), label)
}

// textDiff writes differences for a person to read.
func (o *options) textDiff(ctx context.Context, w io.Writer, differences []instance.Difference, label string) error {
	if command := o.env.Getenv(externalDiff); command != "" && len(differences) > 0 {
		return o.externalDiff(ctx, w, command, differences)
	}
	return review.Diff(w, differences, label, ui.Colours(w, o.env.Getenv("NO_COLOR")))
}

func (o *options) externalDiff(ctx context.Context, w io.Writer, command string, differences []instance.Difference) error {
	pairs := make([]ui.Pair, len(differences))
	for i, d := range differences {
		pairs[i] = ui.Pair{Object: d.Object, Before: d.Before, After: d.After}
	}
	if err := ui.ExternalDiff(ctx, w, o.env.Stderr, command, pairs); err != nil {
		return fmt.Errorf("run %s=%q: %w", externalDiff, command, err)
	}
	return nil
}
