// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/action/cluster"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ui"
)

const long = `Render a module with the given values and apply it to the cluster as an
instance: NAME in the namespace of -n or of the kubeconfig's context.

Everything is planned first: the server checks every object in a dry run, and
when it rejects one, or one belongs to somebody else, nothing is changed. Then
the stages of the module are applied in order, each when the one before is
ready, and what left the module since the last apply is deleted last.

MODULE is a directory, file://DIR or oci://HOST/PATH[:VERSION][@DIGEST].`

// noMode is what --dry-run holds when it was given without a value.
const noMode = "unset"

// options of one invocation of apply.
type options struct {
	env    cli.Env
	kube   *kube.Flags
	module option.Module

	dryRun, adopt, output string
	force, forceConflicts bool
	wait, quiet           bool
	timeout               time.Duration
}

func newApply(env cli.Env) *cobra.Command {
	o := &options{env: env, kube: kube.NewFlags()}
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
			return o.run(cmd, args[0], args[1])
		},
	}
	fs := cmd.Flags()
	o.kube.AddTo(fs)
	o.module.AddTo(fs)
	fs.StringVar(&o.dryRun, "dry-run", string(cluster.DryRunNone), "`MODE`: none, client (read the cluster, check nothing) or server (check everything, store nothing)")
	fs.Lookup("dry-run").NoOptDefVal = noMode
	fs.StringVar(&o.adopt, "adopt", string(apply.AdoptNever), "take over existing objects: `WHICH` is never, unmanaged (those without an owner's mark) or all")
	fs.BoolVar(&o.force, "force", false, "delete and create an object again when an immutable field changes; never a volume, a namespace or a definition of a kind")
	fs.BoolVar(&o.forceConflicts, "force-conflicts", false, "take over fields that another server-side applier owns")
	fs.BoolVar(&o.wait, "wait", true, "wait for each stage to become ready, and prune")
	fs.DurationVar(&o.timeout, "timeout", 5*time.Minute, "how long to wait for one stage, 0 for ever")
	fs.StringVarP(&o.output, "output", "o", "", "output format: json, yaml or name")
	fs.BoolVarP(&o.quiet, "quiet", "q", false, "print no progress")
	return cmd
}

func (o *options) validate() error {
	switch cluster.DryRun(o.dryRun) {
	case cluster.DryRunNone, cluster.DryRunClient, cluster.DryRunServer:
	case noMode:
		// kubectl's own meaning of --dry-run without a value has changed once.
		return fail.Usagef("--dry-run needs a value: client or server")
	default:
		return fail.Usagef("--dry-run=%q is not one of none, client, server", o.dryRun)
	}
	switch apply.Adopt(o.adopt) {
	case apply.AdoptNever, apply.AdoptUnmanaged, apply.AdoptAll:
	default:
		return fail.Usagef("--adopt=%q is not one of never, unmanaged, all", o.adopt)
	}
	switch o.output {
	case "", "json", "yaml", "name":
		return nil
	}
	return ui.UnknownFormat(o.output, "json", "yaml", "name")
}

func (o *options) run(cmd *cobra.Command, name, module string) error {
	namespace, err := o.kube.Namespace()
	if err != nil {
		return err
	}
	req := cluster.ApplyRequest{
		DryRun: cluster.DryRun(o.dryRun), Adopt: apply.Adopt(o.adopt),
		Force: o.force, ForceConflicts: o.forceConflicts, Wait: o.wait, Timeout: o.timeout,
	}
	if req.Request, err = o.module.Request(name, namespace, module, o.env.Stdin, cli.UserAgent("apply")); err != nil {
		return err
	}
	observer := ui.Observer(o.env.Stderr, o.quiet)
	client, err := o.kube.Connect(cli.UserAgent("apply"), observer)
	if err != nil {
		return err
	}
	applied, err := cluster.Apply(cmd.Context(), client, req, observer)
	if err != nil {
		return err
	}
	result := ui.Result{Outcomes: applied.Outcomes, Summary: "applied " + name}
	if req.DryRun != cluster.DryRunNone {
		result.DryRun = o.dryRun + " dry run"
	}
	return result.Print(o.env.Stdout, o.output)
}
