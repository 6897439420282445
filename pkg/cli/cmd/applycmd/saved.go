// SPDX-License-Identifier: Apache-2.0

package applycmd

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/policyflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/deploy"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/saved"
)

// planFile are the flags of a plan that is kept in a file.
type planFile struct {
	save, from string
	secrets    bool
}

func (p *planFile) addTo(fs *pflag.FlagSet) {
	fs.StringVar(&p.save, "save-plan", "", "plan as --dry-run=server does, and write the plan to `FILE`, for a review and --plan")
	fs.StringVar(&p.from, "plan", "", "apply the plan in `FILE` as it was reviewed; refused, exit code 5, if the cluster has changed since")
	fs.BoolVar(&p.secrets, "plan-secrets", false, "write a plan with --save-plan although it holds Secrets, or values that are secret")
}

// check returns a usage error for flags that contradict each other. rendering are
// the flags that say what is rendered, which a plan has decided.
func (p *planFile) check(fs *pflag.FlagSet, rendering ...*pflag.FlagSet) error {
	switch {
	case p.secrets && p.save == "":
		return fail.Usagef("--plan-secrets says what --save-plan may write, which is not given")
	case p.save != "" && fs.Changed("dry-run"):
		return fail.Usagef("--save-plan is a server dry run: leave --dry-run out")
	case p.from == "":
		return nil
	}
	var decided []string
	for _, set := range rendering {
		decided = append(decided, given(set)...)
	}
	for _, name := range append(policyflag.Decided(), "save-plan", "kustomize", "enable-exec", "check-access", "namespace", "prune-instances") {
		if f := fs.Lookup(name); f != nil && f.Changed {
			decided = append(decided, "--"+name)
		}
	}
	if decided != nil {
		slices.Sort(decided)
		return fail.Usagef("--plan=%s: the plan has decided about %s, leave it out", p.from, strings.Join(slices.Compact(decided), ", "))
	}
	return nil
}

// prepare sets in a request that its plan is to be kept.
func (p *planFile) prepare(req *deploy.ApplyRequest) {
	if p.save == "" {
		return
	}
	req.DryRun = deploy.DryRunServer
	req.Keep = &deploy.Keep{
		Program: cli.UserAgent("apply"), Secrets: p.secrets,
		Plan: func(plan saved.Plan) error { return saved.Write(p.save, plan) },
	}
}

// said tells the user where the plan is.
func (p *planFile) said(o *options) error {
	if p.save == "" || o.quiet {
		return nil
	}
	_, err := ui.Printf(o.env.Stderr, "the plan is in %s: review it with 'kubectl timoni plan show %s'\n", p.save, p.save)
	return err
}

// argsOrPlan wants what apply takes, or nothing with --plan.
func (o *applyOptions) argsOrPlan(cmd *cobra.Command, args []string) error {
	if err := o.file.check(cmd.Flags(), o.rendering); err != nil {
		return err
	}
	if o.file.from != "" {
		return cli.Args(0, "no NAME and no MODULE with --plan, which has both")(cmd, args)
	}
	return o.args(cmd, args)
}

// runPlan applies the plan in a file.
func (o *applyOptions) runPlan(ctx context.Context, req deploy.ApplyRequest) error {
	plan, err := saved.Read(ctx, o.file.from)
	if err != nil {
		return err
	}
	if err = o.checkWait(plan); err != nil {
		return err
	}
	observer := o.observer()
	client, err := o.connect(&o.policy.Plan, observer)
	if err != nil {
		return err
	}
	applied, err := deploy.ApplySaved(ctx, client, plan, req, observer)
	if err != nil {
		return errors.Join(err, o.printPart(applied))
	}
	return o.print(applied, req, "applied "+plan.Instances[0].Metadata.Name)
}

// checkWait refuses rules to wait for with a plan that does not wait.
func (o *applyOptions) checkWait(plan saved.Plan) error {
	if plan.Policy.NoWait && o.policy.WaitsFor() {
		return fail.Usagef("--wait-for: the plan was made with --wait=false")
	}
	return nil
}
