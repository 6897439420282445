// SPDX-License-Identifier: Apache-2.0

package applycmd

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/policyflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui/review"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/deploy"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/fleet"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/saved"
)

const bundleApplyLong = `Render the instances of a bundle and apply them, in the order of the fields, each
after those in its dependsOn, and each when the one before is ready.

All instances are planned first, as 'apply' plans one, and the plan is carried
out as it was shown: if the server rejects an object or one has another owner,
nothing is changed. What an earlier instance brings, such as a kind, a namespace,
a role or a webhook, is deferred, and planned again before the instance that needs
it. Namespaces of instances are created if they are missing.

Once an instance has dependsOn, those that do not depend on each other are
applied at the same time.

An instance belongs to its bundle: another bundle, or 'apply' and 'rollback', do
not change it without --adopt=all. Instances that left the files are named, and
deleted with --prune-instances. A bundle is its name and the namespaces of its
files: another one of the same name elsewhere is never touched.

A runtime with clusters is applied to each, in the order of the fields, or to
several of a group at once with --cluster-concurrency; the first failure ends the
run, so that a group is reached only when the one before is done.

--save-plan writes what would be done on one cluster to a file, and --plan applies
that, without bundle, runtime, modules and values; it is refused if the cluster has
changed since so that something else would be done.`

// planning are the options of the verbs that plan a bundle.
type planning struct {
	*bundleOptions
	validation option.Validation
}

func newPlanning(env cli.Env, o *options) planning {
	p := planning{bundleOptions: newBundleOptions(env)}
	p.kube = o.kube
	return p
}

func (p *planning) addTo(fs *pflag.FlagSet) {
	addCluster(fs, p.kube)
	p.addFiles(fs)
}

// addFiles registers the flags that say what to render.
func (p *planning) addFiles(fs *pflag.FlagSet) {
	p.bundle.AddTo(fs)
	p.validation.AddTo(fs)
}

// request returns which bundle is planned, and how.
func (p *planning) request(ctx context.Context, how deploy.ApplyRequest, observer event.Observer) (fleet.ApplyRequest, error) {
	req, err := p.rendering(ctx, &p.validation, observer)
	return fleet.ApplyRequest{Request: req, Apply: how}, err
}

// sites returns the clusters, to which is written as the flags say.
func (p *planning) sites(req fleet.ApplyRequest, plan *policyflag.Plan, observer event.Observer) ([]fleet.Site, error) {
	clusters, err := sites(p.kube, req.Definition, observer)
	for i := range clusters {
		if err == nil {
			clusters[i].Client = plan.Client(clusters[i].Client)
		}
	}
	return clusters, err
}

type bundleApply struct {
	*applyOptions
	planning       planning
	pruneInstances bool
	atOnce         int
	asking         sync.Mutex // held while a plan is shown
}

func newBundleApply(env cli.Env) *cobra.Command {
	o := &bundleApply{applyOptions: &applyOptions{options: newOptions(env)}}
	o.planning = newPlanning(env, o.options)
	files := pflag.NewFlagSet("", pflag.ContinueOnError)
	o.planning.addFiles(files)
	cmd := &cobra.Command{
		Use: "apply -f FILE|--plan FILE", Short: "Apply the instances of a bundle to the cluster, or to several", Long: bundleApplyLong,
		Example: cli.Example(env,
			"apply -f bundle.cue",
			"apply -f bundle.cue --diff --confirm",
			"apply -f bundle.cue --prune-instances --dry-run=server",
			"apply -f bundle.cue --runtime runtime.cue --runtime-group staging",
			"apply -f bundle.cue --save-plan plan.json",
			"apply --plan plan.json"),
		Args: func(cmd *cobra.Command, args []string) error {
			if err := o.file.check(cmd.Flags(), files); err != nil {
				return err
			}
			return cli.Args(0, "no arguments, the bundle with -f")(cmd, args)
		},
		RunE: o.planning.runE(func(ctx context.Context, _ []string) error {
			req, err := o.request()
			if err != nil {
				return err
			}
			if o.file.from != "" {
				return o.done(o.runPlan(ctx, req))
			}
			return o.done(o.run(ctx, req))
		}),
	}
	fs := cmd.Flags()
	addCluster(fs, o.planning.kube)
	fs.AddFlagSet(files)
	o.addOutput(fs)
	o.addRun(fs)
	o.file.addTo(fs)
	o.addRollback(fs)
	fs.BoolVar(&o.pruneInstances, "prune-instances", false, "delete the instances of the bundle that are no longer in its files")
	addAtOnce(fs, &o.atOnce)
	return cmd
}

func (o *bundleApply) run(ctx context.Context, how deploy.ApplyRequest) error {
	observer := o.observer()
	req, err := o.planning.request(ctx, how, observer)
	if err != nil {
		return err
	}
	req.PruneInstances = o.pruneInstances
	clusters, err := o.planning.sites(req, &o.policy.Plan, observer)
	if err != nil {
		return err
	}
	if o.file.save != "" && len(clusters) > 1 {
		return fail.Hint(fail.Usagef("--save-plan: the runtime has %d clusters, and a plan is for one", len(clusters)), "name it with --runtime-cluster")
	}
	all := make([]*fleet.Applied, len(clusters))
	failed := fleet.Each(clusters, o.atOnce, func(i int, site fleet.Site) error {
		one := req
		if site.Name != "" {
			one.Apply.Show = o.showOn(site, how)
		}
		var applyErr error
		all[i], applyErr = fleet.Apply(ctx, site, one, observer)
		return applyErr
	})
	// What was done until an error is a part of the result.
	err = errors.Join(o.planning.validation.Explain(failed), o.printAll(clusters, all, how, failed))
	if err != nil {
		return err
	}
	return o.file.said(o.options)
}

// runPlan applies the plan in a file.
func (o *bundleApply) runPlan(ctx context.Context, how deploy.ApplyRequest) error {
	plan, err := saved.Read(ctx, o.file.from)
	if err != nil {
		return err
	}
	if err = o.checkWait(plan); err != nil {
		return err
	}
	observer := o.observer()
	clusters, err := sites(o.kube, nil, observer)
	if err != nil {
		return err
	}
	applied, failed := fleet.ApplySaved(ctx, clusters[0], plan, how, observer)
	if applied == nil {
		return failed
	}
	return errors.Join(failed, o.printAll(clusters, []*fleet.Applied{applied}, how, failed))
}

// showOn returns what shows the plan of one of several clusters: one at a time.
func (o *bundleApply) showOn(site fleet.Site, how deploy.ApplyRequest) func(context.Context, []instance.Difference) error {
	if how.Show == nil {
		return nil
	}
	return func(ctx context.Context, differences []instance.Difference) error {
		o.asking.Lock()
		defer o.asking.Unlock()
		if _, err := ui.Printf(o.forPeople(), "# cluster %s\n", site.Name); err != nil {
			return err
		}
		return how.Show(ctx, differences)
	}
}

// printAll writes what was done on each cluster, nil for one that was not
// reached.
func (o *bundleApply) printAll(clusters []fleet.Site, all []*fleet.Applied, how deploy.ApplyRequest, failed error) error {
	var outcomes []event.Outcome
	name := ""
	for _, a := range all {
		if a != nil && name == "" {
			name = a.Bundle
		}
	}
	for i, a := range all {
		if a == nil {
			all[i] = &fleet.Applied{Cluster: clusters[i].Cluster, Bundle: name, State: fleet.NotReached}
		}
		outcomes = append(outcomes, all[i].Outcomes()...)
	}
	if format, text := o.out.Format(); !text {
		return o.out.Print(o.env.Stdout, resultOf(all, format == "name"))
	}
	if o.events != nil {
		if failed == nil {
			o.events.Done(ui.Result{Outcomes: outcomes, Summary: "applied the bundle", DryRun: dryRunName(how.DryRun)}, nil)
		}
		return nil
	}
	for _, a := range all {
		for _, r := range resultsOf(a) {
			if name := dryRunName(how.DryRun); name != "" {
				r.DryRun = name + " dry run"
			}
			if err := r.Print(o.env.Stdout); err != nil {
				return err
			}
		}
	}
	return o.summary(all, failed != nil)
}

// dryRunName returns what kind of dry run a mode is, empty when it is none.
func dryRunName(mode deploy.DryRun) string {
	if mode == deploy.DryRunNone {
		return ""
	}
	return string(mode)
}

// resultsOf returns the results of the instances on one cluster that a run is
// done with.
func resultsOf(a *fleet.Applied) []ui.Result {
	on := ""
	if a.Cluster.Name != "" {
		on = " on cluster " + a.Cluster.Name
	}
	var results []ui.Result
	for _, in := range a.Instances {
		switch in.State {
		case fleet.Done, fleet.Planned:
			results = append(results, ui.Result{Outcomes: in.Outcomes, Summary: "applied " + in.Name + on})
		case fleet.Gone:
			results = append(results, ui.Result{Outcomes: in.Outcomes, Summary: "deleted " + in.Name + on})
		}
	}
	return results
}

// summary writes a line for each cluster, where there are several, and after a
// failure one for each instance, where one is done.
func (o *bundleApply) summary(all []*fleet.Applied, failed bool) error {
	var rows [][]string
	header := []string{"CLUSTER", "GROUP", "STATE", "INSTANCES", "OBJECTS"}
	if all[0].Cluster.Name == "" {
		if !failed || all[0].Reached() == 0 {
			return nil
		}
		header = []string{"NAMESPACE", "NAME", "STATE", "OBJECTS"}
		for _, in := range all[0].Instances {
			rows = append(rows, []string{in.Namespace, in.Name, string(in.State), ui.Counts(in.Outcomes)})
		}
		return ui.Table(o.env.Stdout, o.out.Header(header...), rows)
	}
	for _, a := range all {
		instances := fmt.Sprintf("%d/%d", a.Reached(), len(a.Instances))
		rows = append(rows, []string{a.Cluster.Name, a.Cluster.Group, string(a.State), instances, ui.Counts(a.Outcomes())})
	}
	return ui.Table(o.env.Stdout, o.out.Header(header...), rows)
}

const bundleDiffLong = `Show what an apply of the bundle would change: the plan of that apply, as the
server has checked it, without carrying it out. What was read from Secrets, and
the data of Secrets, is masked.

The exit code is 0 when nothing would change, 1 when something would, and above 1
when that could not be found out. -o markdown writes a comment for a review.`

func newBundleDiff(env cli.Env) *cobra.Command {
	o := newDiffOptions(env)
	p := newPlanning(env, o)
	var flags policyflag.Plan
	cmd := &cobra.Command{
		Use: "diff -f FILE", Short: "Show what an apply of a bundle would change", Long: bundleDiffLong,
		Example: cli.Example(env, "diff -f bundle.cue", "diff -f bundle.cue --runtime runtime.cue --runtime-cluster eu-1 -o json"),
		Args:    cli.Args(0, "no arguments, the bundle with -f"),
		RunE: p.runE(func(ctx context.Context, _ []string) error {
			how, err := o.plan(&flags)
			if err != nil {
				return err
			}
			return o.bundleDiff(ctx, &p, &flags, how)
		}),
	}
	p.addTo(cmd.Flags())
	o.addOutput(cmd.Flags())
	flags.AddTo(cmd.Flags())
	return cmd
}

func (o *options) bundleDiff(ctx context.Context, p *planning, flags *policyflag.Plan, how deploy.ApplyRequest) error {
	observer := o.observer()
	req, err := p.request(ctx, how, observer)
	if err != nil {
		return err
	}
	clusters, err := p.sites(req, flags, observer)
	if err != nil {
		return err
	}
	format, text := o.out.Format()
	var all []instance.Difference
	var each []review.Comparison
	for _, site := range clusters {
		var differences []instance.Difference
		if differences, err = fleet.Diff(ctx, site, req, observer); err != nil {
			err = p.validation.Explain(err)
		}
		all, each = append(all, differences...), append(each, review.Comparison{Cluster: site.Name, Differences: differences})
		if text && format == "" {
			if printed := o.diffOn(ctx, site, differences); printed != nil {
				return errors.Join(err, printed)
			}
		}
		if err != nil {
			break
		}
	}
	switch {
	case !text:
		err = errors.Join(err, o.printDiff(ctx, all, review.Planned))
	case format == markdownFormat:
		err = errors.Join(err, review.Markdown(o.env.Stdout, each, review.Planned))
	}
	if err != nil {
		return err
	}
	return answer(all)
}

// diffOn writes the differences on one cluster for a person.
func (o *options) diffOn(ctx context.Context, site fleet.Site, differences []instance.Difference) error {
	if site.Name != "" {
		if _, err := ui.Printf(o.env.Stdout, "# cluster %s\n", site.Name); err != nil {
			return err
		}
	}
	return o.printDiff(ctx, differences, review.Planned)
}
