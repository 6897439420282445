// SPDX-License-Identifier: Apache-2.0

package applycmd

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/complete"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/kubeflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/policyflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui/printer"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/follow"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/deploy"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/expression"
)

const long = `Render a module with the given values and apply it to the cluster as an
instance: NAME in the namespace of -n or of the kubeconfig's context.

Everything is planned first: the server checks every object in a dry run. If it
rejects one, or one has another owner, nothing is changed. Then the stages of
the module are applied in order, each when the one before is ready. Objects that
the module no longer renders are pruned last.

--replace KIND/NAME deletes an object before its stage is applied: one that is
to be recreated, or one that is no longer rendered and holds a port, a quota or a
volume that a new object needs. It is put back if the new object is refused.

MODULE is a directory, file://DIR or oci://HOST/PATH[:VERSION][@DIGEST]. Of the
values, those of the files of -f come first, then those of --values-from, then
those of --set; a later one wins.

--wait-for adds a condition that must hold before an object counts as ready: a
status condition, a value at a JSONPath, or with KIND=cel=EXPRESSION a CEL
expression over the object, self. The functions are those of Kubernetes; a field
that is missing is waited for.

With -k, any kustomization is applied in place of a module, as one stage: that
of 'kubectl timoni kustomize', in which modules need no flag. As with kubectl,
what names no namespace goes to that of -n, and so does a module whose config
names none; what names another goes there. A function or plugin of another
project is refused unless --enable-exec lets it run as a program with your rights.

--save-plan writes what would be done to a file, and --plan applies that: it needs
neither the module nor a registry nor values, and is refused if the cluster has
changed since so that something else would be done.`

// options of one invocation of a verb that plans.
type options struct {
	env  cli.Env
	kube *kubeflag.Flags
	// Not of rollback, which takes the module from the history.
	module        option.Module
	validation    option.Validation
	rendering     *pflag.FlagSet // what only a module is rendered with
	kustomization kustomization

	quiet bool
	reuse bool // the values of the last apply
	out   *printer.Flags
}

func newOptions(env cli.Env) *options {
	return &options{env: env, kube: kubeflag.NewFlags(), out: printer.New(printer.InProcess, "name")}
}

// addTo registers the flags that all these verbs have.
func (o *options) addTo(fs *pflag.FlagSet) {
	o.kube.AddTo(fs)
	o.addOutput(fs)
}

func (o *options) addOutput(fs *pflag.FlagSet) {
	fs.BoolVarP(&o.quiet, "quiet", "q", false, "print no progress")
	o.out.AddTo(fs)
}

// addModule registers the flags that say what to render.
func (o *options) addModule(fs *pflag.FlagSet) {
	o.rendering = pflag.NewFlagSet("", pflag.ContinueOnError)
	o.module.Registry.Process = o.env
	o.module.AddTo(o.rendering)
	o.module.Values.AddFromTo(o.rendering)
	o.validation.AddTo(o.rendering)
	o.rendering.BoolVar(&o.reuse, "reuse-values", false, "keep the values that were given at the last apply, under those of -f and --set")
	fs.AddFlagSet(o.rendering)
	o.kustomization.addTo(fs)
}

// observer returns what progress goes to.
func (o *options) observer() event.Observer { return ui.Observer(o.env.Stderr, o.quiet) }

// connect returns a client that writes under the name that the flags give.
func (o *options) connect(plan *policyflag.Plan, observer event.Observer) (*kube.Client, error) {
	client, err := o.kube.Connect(cli.UserAgent("apply"), observer)
	if err != nil {
		return nil, err
	}
	return plan.Client(client), nil
}

// plan returns the part of a request that says how to plan.
func (o *options) plan(flags interface {
	Options() (apply.Options, error)
}) (deploy.ApplyRequest, error) {
	var req deploy.ApplyRequest
	var err error
	if req.Options, err = flags.Options(); err != nil {
		return req, err
	}
	req.Holder = store.Holder(o.env.Process)
	return req, o.out.Check()
}

// render sets in a request what to render: the module that is named after the
// instance, or the kustomization.
func (o *options) render(ctx context.Context, req *deploy.ApplyRequest, args []string) error {
	name := args[0]
	namespace, err := o.kube.Namespace()
	if err != nil {
		return err
	}
	if o.kustomization.dir != "" {
		return o.kustomize(req, name, namespace)
	}
	if err = o.validation.Check(&o.module.Values); err != nil {
		return err
	}
	agent := cli.UserAgent("apply")
	req.ReuseValues = o.reuse
	req.Request, err = o.module.Request(ctx, name, namespace, args[1], cli.Until(ctx, o.env.Stdin), agent)
	if err != nil {
		return err
	}
	return o.validation.Complete(ctx, &req.Request, cli.Until(ctx, o.env.Stdin), o.module.Values.Download(agent))
}

// applyOptions are the options of the verbs that carry the plan out.
type applyOptions struct {
	*options
	policy             policyflag.Run
	diff, confirm, yes bool
	rollback           bool // after a failure
	accessOnly         bool // print the rights that are missing
	file               planFile
	events             *ui.Events // nil unless they are asked for
	wantEvents         bool
}

func (o *applyOptions) addTo(fs *pflag.FlagSet) {
	o.options.addTo(fs)
	o.addRun(fs)
}

// addRun registers the flags of the verbs that carry a plan out.
func (o *applyOptions) addRun(fs *pflag.FlagSet) {
	o.policy.AddTo(fs)
	fs.BoolVar(&o.diff, "diff", false, "show what changes in each object before anything is changed: on stdout, or with -o on stderr")
	fs.BoolVar(&o.confirm, "confirm", false, "show the plan and ask on the terminal before anything is changed")
	fs.BoolVar(&o.wantEvents, "events", false, "write what happens to stdout while it happens, as one JSON object a line")
	fs.BoolVarP(&o.yes, "yes", "y", false, "answer the question of --confirm with yes")
}

// addRollback registers the flag of the verbs that apply something new.
func (o *applyOptions) addRollback(fs *pflag.FlagSet) {
	fs.BoolVar(&o.rollback, "rollback-on-failure", false, "after a failure or a timeout, apply the revision before again and wait for it; the exit code stays")
}

// checkRollback refuses what a rollback after a failure cannot do without.
func (o *applyOptions) checkRollback(req deploy.ApplyRequest) error {
	switch {
	case !o.rollback:
	case req.NoWait:
		return fail.Usagef("--rollback-on-failure needs --wait: without it, whether the objects become ready is not known")
	case req.HistoryLimit == apply.NoHistory:
		return fail.Usagef("--rollback-on-failure needs a history, and --history-limit=0 keeps none")
	}
	return nil
}

// request returns the part of a request that says how to plan and how far to go.
func (o *applyOptions) request() (deploy.ApplyRequest, error) {
	req, err := o.plan(&o.policy)
	if err != nil {
		return req, err
	}
	req.DryRun = o.policy.DryRun()
	if req.RollbackOnFailure, err = o.rollback, o.checkRollback(req); err != nil {
		return req, err
	}
	if !o.quiet {
		req.Along = o.policy.Logs()
	}
	o.file.prepare(&req)
	if slices.ContainsFunc(req.WaitFor, ready.WaitRule.HasExpression) {
		if req.Evaluator, err = o.env.Places().Find(expression.Program); err != nil {
			return req, fail.Usagef("--wait-for with cel=: %w", err)
		}
	}
	if _, text := o.out.Format(); o.wantEvents && !text {
		return req, fail.Usagef("--events and -o both write to stdout: the last event is the result")
	}
	if o.wantEvents {
		o.events = ui.NewEvents(o.env.Stdout, time.Now)
	}
	if o.diff && req.DryRun == deploy.DryRunClient {
		return req, fail.Usagef("--diff shows what the server makes of the objects: use --dry-run=server")
	}
	if o.asks(req.DryRun) && !ui.IsTerminal(o.env.Stdin) {
		return req, fail.Usagef("--confirm asks on a terminal, and the standard input is none: answer with --yes")
	}
	if o.diff || o.asks(req.DryRun) {
		req.Show = o.review(req.DryRun)
	}
	return req, nil
}

func newApply(env cli.Env) *cobra.Command {
	o := &applyOptions{options: newOptions(env)}
	cmd := &cobra.Command{
		Use: "apply NAME MODULE|NAME -k DIR|--plan FILE", Short: "Apply a module to the cluster", Long: long,
		Example: cli.Example(env,
			"app ./module -n apps",
			"app oci://ghcr.io/org/modules/app --version 1.2.3 -n apps -f values.yaml",
			"app ./module -n apps --dry-run=server",
			"app -k ./overlays/production -n apps",
			"app ./module -n apps --diff --confirm",
			"app ./module -n apps --wait-for 'Widget=jsonpath={.status.phase}=Running'",
			"app ./module -n apps --wait-for 'Widget/app=cel=self.status.phase == \"Ready\"'",
			"app ./module -n apps --replace Service/old",
			"app ./module -n apps --save-plan plan.json",
			"--plan plan.json"),
		Args: o.argsOrPlan, ValidArgsFunction: complete.Operands(o.kube.Instances, o.module.Registry.Modules),
		RunE: func(cmd *cobra.Command, args []string) error {
			req, err := o.request()
			if err != nil {
				return err
			}
			if o.file.from != "" {
				return o.done(o.runPlan(cmd.Context(), req))
			}
			return o.done(o.run(cmd.Context(), req, args))
		},
	}
	o.addTo(cmd.Flags())
	o.addRollback(cmd.Flags())
	o.addModule(cmd.Flags())
	complete.Flag(cmd.Flags(), "replace", o.kube.Objects)
	o.file.addTo(cmd.Flags())
	cmd.Flags().BoolVar(&o.accessOnly, "check-access", false, "change nothing and print the rights that an apply would need and that are missing; the exit code is 1 if there are any")
	return cmd
}

func (o *applyOptions) run(ctx context.Context, req deploy.ApplyRequest, args []string) error {
	if err := o.render(ctx, &req, args); err != nil {
		return err
	}
	if o.accessOnly {
		return o.checkAccess(ctx, req)
	}
	observer := o.observer()
	client, err := o.connect(&o.policy.Plan, observer)
	if err != nil {
		return err
	}
	applied, err := deploy.Apply(ctx, client, req, observer)
	if err != nil {
		return errors.Join(o.validation.Explain(err), o.printPart(applied))
	}
	return errors.Join(o.print(applied, req, "applied "+req.Name), o.file.said(o.options))
}

// printPart writes for a program what a run that failed has done by then.
func (o *applyOptions) printPart(applied *deploy.ApplyResult) error {
	if _, text := o.out.Format(); text || applied == nil || !slices.ContainsFunc(applied.Outcomes, event.Outcome.IsChange) {
		return nil
	}
	return o.out.Print(o.env.Stdout, printer.Outcomes(applied.Outcomes))
}

// observer returns what progress goes to.
func (o *applyOptions) observer() event.Observer {
	if o.events != nil {
		return o.events
	}
	logs := o.policy.Logs()
	look := ui.Look{Colours: ui.Colours(o.env.Stderr, o.env.Getenv("NO_COLOR")), Events: logs == follow.LogsAll}
	return look.Observer(o.env.Stderr, o.quiet)
}

// done ends a run: its error is an event too.
func (o *applyOptions) done(err error) error {
	if err != nil && o.events != nil {
		o.events.Done(ui.Result{}, fail.Advise(err, advisers()...))
	}
	return err
}

// print writes what was done, or would be.
func (o *applyOptions) print(applied *deploy.ApplyResult, req deploy.ApplyRequest, summary string) error {
	if _, text := o.out.Format(); !text {
		return o.out.Print(o.env.Stdout, printer.Outcomes(applied.Outcomes))
	}
	result := ui.Result{Outcomes: applied.Outcomes, Summary: summary}
	if o.events != nil {
		if req.DryRun != deploy.DryRunNone {
			result.DryRun = string(req.DryRun)
		}
		o.events.Done(result, nil)
		return nil
	}
	if req.DryRun != deploy.DryRunNone {
		result.DryRun = string(req.DryRun) + " dry run"
	}
	return result.Print(o.env.Stdout)
}
