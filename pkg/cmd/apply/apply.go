// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/action/cluster"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ui/printer"
)

const long = `Render a module with the given values and apply it to the cluster as an
instance: NAME in the namespace of -n or of the kubeconfig's context.

Everything is planned first: the server checks every object in a dry run, and
when it rejects one, or one belongs to somebody else, nothing is changed. Then
the stages of the module are applied in order, each when the one before is
ready, and what left the module since the last apply is deleted last.

MODULE is a directory, file://DIR or oci://HOST/PATH[:VERSION][@DIGEST]. Of the
values, those of the files of -f come first, then those of --values-from, then
those of --set; a later one wins.`

// options of one invocation of a verb that plans.
type options struct {
	env  cli.Env
	kube *kube.Flags
	// Not of rollback, which takes the module from the history.
	module     option.Module
	validation option.Validation

	adopt                 string
	force, forceConflicts bool
	quiet                 bool
	out                   *printer.Flags
}

func newOptions(env cli.Env) *options {
	return &options{env: env, kube: kube.NewFlags(), out: printer.New(printer.InProcess, "name")}
}

// addTo registers the flags that decide what the plan is.
func (o *options) addTo(fs *pflag.FlagSet) {
	o.kube.AddTo(fs)
	fs.StringVar(&o.adopt, "adopt", string(apply.AdoptNever), "take over existing objects: `WHICH` is never, unmanaged (those without an owner's mark) or all")
	fs.BoolVar(&o.force, "force", false, "delete and create an object again when an immutable field changes; never a volume, a namespace or a definition of a kind")
	fs.BoolVar(&o.forceConflicts, "force-conflicts", false, "take over fields that another server-side applier owns")
	fs.BoolVarP(&o.quiet, "quiet", "q", false, "print no progress")
	o.out.AddTo(fs)
}

// validate checks the flags that addTo registers, and the output format.
func (o *options) validate() error {
	if !slices.Contains(adoptions(), apply.Adopt(o.adopt)) {
		return fail.Usagef("--adopt=%q is not one of %s", o.adopt, oneOf(adoptions()))
	}
	return o.out.Check()
}

func adoptions() []apply.Adopt {
	return []apply.Adopt{apply.AdoptNever, apply.AdoptUnmanaged, apply.AdoptAll}
}

func oneOf[T ~string](values []T) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = string(v)
	}
	return strings.Join(words, ", ")
}

// request returns the request that the flags make, and where progress goes.
func (o *options) request(ctx context.Context, name, module string) (cluster.ApplyRequest, event.Observer, error) {
	req := o.plan()
	namespace, err := o.kube.Namespace()
	if err != nil {
		return req, nil, err
	}
	agent := cli.UserAgent("apply")
	req.Request, err = o.module.Request(ctx, name, namespace, module, o.env.Stdin, agent)
	if err == nil {
		err = o.validation.Complete(ctx, &req.Request, o.env.Stdin, o.module.Values.Download(agent))
	}
	return req, ui.Observer(o.env.Stderr, o.quiet), err
}

// addModule registers the flags that say what to render.
func (o *options) addModule(fs *pflag.FlagSet) {
	o.module.Registry.Process = o.env
	o.module.AddTo(fs)
	o.module.Values.AddFromTo(fs)
	o.validation.AddTo(fs)
}

// plan returns the part of a request that says how to plan.
func (o *options) plan() cluster.ApplyRequest {
	return cluster.ApplyRequest{
		Adopt: apply.Adopt(o.adopt), Force: o.force, ForceConflicts: o.forceConflicts, Holder: store.Holder(o.env.Process),
	}
}

// applyOptions are the options of the verbs that carry the plan out.
type applyOptions struct {
	*options
	dryRun  string
	wait    bool
	timeout time.Duration
	history int
}

// addTo registers the flags that say how far to go.
func (o *applyOptions) addTo(fs *pflag.FlagSet) {
	o.options.addTo(fs)
	fs.StringVar(&o.dryRun, "dry-run", string(cluster.DryRunNone), "`MODE`: none, client (read the cluster, check nothing) or server (check everything, store nothing)")
	fs.BoolVar(&o.wait, "wait", true, "wait for each stage to become ready, and prune")
	fs.DurationVar(&o.timeout, "timeout", 5*time.Minute, "how long to wait for one stage, 0 for ever")
	fs.IntVar(&o.history, "history-limit", 10, "how many revisions to remember, with their values, in a Secret; 0 for none")
}

// complete sets in a request how far to go.
func (o *applyOptions) complete(req *cluster.ApplyRequest) {
	req.DryRun, req.Wait, req.Timeout, req.HistoryLimit = cluster.DryRun(o.dryRun), o.wait, o.timeout, o.history
}

func newApply(env cli.Env) *cobra.Command {
	o := &applyOptions{options: newOptions(env)}
	cmd := &cobra.Command{
		Use: "apply NAME MODULE", Short: "Apply a module to the cluster", Long: long,
		Example: cli.Example(env,
			"app ./module -n apps",
			"app oci://ghcr.io/org/modules/app --version 1.2.3 -n apps -f values.yaml",
			"app ./module -n apps --dry-run=server"),
		Args: cli.Args(2, "NAME and MODULE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.validate(); err != nil {
				return err
			}
			if err := o.validation.Check(&o.module.Values); err != nil {
				return err
			}
			return o.run(cmd.Context(), args[0], args[1])
		},
	}
	o.addTo(cmd.Flags())
	o.addModule(cmd.Flags())
	return cmd
}

func (o *applyOptions) validate() error {
	modes := []cluster.DryRun{cluster.DryRunNone, cluster.DryRunClient, cluster.DryRunServer}
	if !slices.Contains(modes, cluster.DryRun(o.dryRun)) {
		return fail.Usagef("--dry-run=%q is not one of %s", o.dryRun, oneOf(modes))
	}
	return o.options.validate()
}

func (o *applyOptions) run(ctx context.Context, name, module string) error {
	req, observer, err := o.request(ctx, name, module)
	if err != nil {
		return err
	}
	o.complete(&req)
	client, err := o.kube.Connect(cli.UserAgent("apply"), observer)
	if err != nil {
		return err
	}
	applied, err := cluster.Apply(ctx, client, req, observer)
	if err != nil {
		return o.validation.Explain(err)
	}
	return o.print(applied, "applied "+name)
}

// print writes what was done, or would be.
func (o *applyOptions) print(applied *cluster.ApplyResult, summary string) error {
	if _, text := o.out.Format(); !text {
		return o.out.Print(o.env.Stdout, printer.Outcomes(applied.Outcomes))
	}
	result := ui.Result{Outcomes: applied.Outcomes, Summary: summary}
	if cluster.DryRun(o.dryRun) != cluster.DryRunNone {
		result.DryRun = o.dryRun + " dry run"
	}
	return result.Print(o.env.Stdout)
}
