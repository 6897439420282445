// SPDX-License-Identifier: Apache-2.0

package instancecmd

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui/printer"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui/review"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/saved"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// newPlan returns the verbs on saved plans.
func newPlan(c *common) *cobra.Command { return cli.Group("plan", "Show a saved plan", newPlanShow(c)) }

func newPlanShow(c *common) *cobra.Command {
	out := c.output("markdown")
	cmd := &cobra.Command{
		Use: "show FILE", Short: "Show what a saved plan would do",
		Long: "Show the plan that 'apply --save-plan' or 'bundle apply --save-plan' has written to\n" +
			"FILE: which instances of which modules, on which cluster, and what changes. The\n" +
			"data of Secrets is masked. No cluster is asked. -o markdown writes a comment for a\n" +
			"review. A file that was changed since it was written is refused.",
		Example: cli.Example(c.env, "plan show plan.json", "plan show plan.json -o markdown"),
		Args:    cli.Args(1, "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.Check(); err != nil {
				return err
			}
			plan, err := saved.Read(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return c.showPlan(plan, out)
		},
	}
	out.AddTo(cmd.Flags())
	return cmd
}

func (c *common) showPlan(plan saved.Plan, out *printer.Flags) error {
	var all []instance.Difference
	for _, d := range plan.Differences() {
		all = append(all, instance.NewDifference(d.Outcome, d.Before, d.After))
	}
	switch format, text := out.Format(); {
	case !text:
		return out.Print(c.env.Stdout, printer.Plan(plan, all))
	case format == "markdown":
		return review.Markdown(c.env.Stdout, []review.Comparison{{Cluster: plan.Cluster, Differences: all}}, review.Planned)
	}
	if err := ui.Print(c.env.Stdout, describePlan(plan, all)); err != nil {
		return err
	}
	colours := ui.Colours(c.env.Stdout, c.env.Getenv("NO_COLOR"))
	return review.Diff(c.env.Stdout, review.Changes(all), review.Planned, colours)
}

// describePlan returns the lines above the diff, which patch and git skip.
func describePlan(plan saved.Plan, differences []instance.Difference) string {
	var b strings.Builder
	line := func(format string, args ...any) { b.WriteString("# " + mask.Line(fmt.Sprintf(format, args...)) + "\n") }
	line("made %s by %s", plan.Created, plan.Program)
	line("for the cluster whose namespace kube-system has the UID %s", plan.ClusterUID)
	if plan.Cluster != "" {
		line("which is %s in the runtime", plan.Cluster)
	}
	for _, in := range plan.Instances {
		m := in.Module
		line("instance %s in namespace %s: %s %s (%s)", in.Metadata.Name, in.Metadata.Namespace, m.Repository, m.Version, m.Digest)
	}
	for _, l := range plan.Leaving {
		line("instance %s in namespace %s: no longer in the bundle, it is deleted", l.Name, l.Namespace)
	}
	if plan.HasSecrets {
		line("the file may hold secrets, which are not shown")
	}
	var outcomes []event.Outcome
	for _, d := range differences {
		outcomes = append(outcomes, d.Outcome)
		if d.IsKept() {
			line("%s is no longer in the module and is kept: %s", d.Object, d.Reason)
		}
	}
	if outcomes == nil {
		line("nothing changes")
		return b.String()
	}
	line("%s", ui.Counts(outcomes))
	return b.String()
}
