// SPDX-License-Identifier: Apache-2.0

// Package buildcmd is the command line of build, which renders an instance to
// standard output.
package buildcmd

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/advice/moduleadvice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/advice/registryadvice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/complete"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
)

const long = `Render an instance of a module and print its Kubernetes objects.

MODULE is a directory, file://DIR or oci://HOST/PATH[:VERSION][@DIGEST]. The
values are merged over the module's own: a later file wins, maps are merged,
lists replaced, and null takes a value away, down to the module's default. YAML
and JSON files hold the values themselves, CUE files have values: {…}.

No cluster is asked and no kubeconfig read: the namespace is that of -n, and the
module is told the version of Kubernetes of --kube-version or, without it, of
TIMONI_KUBE_VERSION. Custom resources are held to the structure that their CRDs
describe, where the module renders these or --crds names them; rules in CEL are
left to the API server. Of Kubernetes' own kinds, what a server would refuse is a
warning, since a server may know more of them than this program: give
--validate=strict to make it an error.

What module.cue names as deps is fetched with --allow-cue-registry alone, and only
where cue.mod has no copy of it.

The objects are printed in the order in which they would be applied, as the
module has them: the labels by which an instance owns its objects are added by
apply alone, so that what another tool applies does not look like an instance.

With --output-dir, each object is written to a file of its own, and files that
an earlier run wrote for the instance and that are no longer rendered are removed.
Files of others stay as they are, and refuse the run when they are in the way.

With --emit=argocd, the number of its stage is each object's sync wave, and
--emit=argocd-health prints the module's health checks as the part of Argo CD's
ConfigMap argocd-cm that its waves need. With --emit=flux, --output-dir gets the
objects in stages/STAGE and in kustomizations an object of Flux for each stage,
which depends on the one before.

Secrets that go to a registry or into what --emit writes are warned of: --sops has
sops encrypt what they hold, which Flux decrypts, and --no-secrets refuses them.
Where --output-dir has an earlier encryption of the same, it stays as it is.`

// New returns the command.
func New(env cli.Env) *cobra.Command {
	o := &options{env: env}
	cmd := &cobra.Command{
		Use: "build NAME MODULE", Short: "Render an instance of a module to standard output", Long: long,
		Example: cli.Example(env,
			"app ./module -n apps",
			"app oci://registry.example.com/modules/app:1.2.0 -n apps -f values.yaml",
			"app ./module -n apps | kubectl apply --server-side -f -",
			"app ./module -n apps --output-dir manifests --show-origin"),
		Args: cli.Args(2, "NAME and MODULE"), ValidArgsFunction: complete.Operands(complete.Words(), o.module.Registry.Modules),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), args[0], args[1])
		},
	}
	cmd.Flags().StringVarP(&o.namespace, "namespace", "n", "default", "namespace of the instance")
	o.module.Registry.Process = env
	o.module.AddTo(cmd.Flags())
	o.validation.AddTo(cmd.Flags())
	o.validation.AddSchemaTo(cmd.Flags())
	o.printing.addTo(cmd.Flags())
	cmd.Flags().StringVar(&o.kubeVersion, "kube-version", "", "`VERSION` of Kubernetes that the module is told, such as 1.36")
	cmd.Flags().StringVar(&o.stage, "stage", "", "only the objects of the stage with this `NAME`")
	cmd.Flags().StringVar(&o.push, "push", "", "push the objects as an artifact for Flux to `TARGET`, oci://HOST/PATH[:TAG], instead of printing them")
	return cli.WithAdvice(cmd, registryadvice.For, moduleadvice.For, option.Advise)
}

type options struct {
	env                cli.Env
	namespace          string
	kubeVersion, stage string
	push               string

	printing   printing
	module     option.Module
	validation option.Validation
}

func (o *options) run(ctx context.Context, name, module string) error {
	if err := o.printing.check(); err != nil {
		return err
	}
	if o.stage != "" && o.printing.emit.whole() {
		return fail.Usagef("--emit=%s is about all stages: leave out --stage", o.printing.emit.target)
	}
	if err := o.validation.Check(&o.module.Values); err != nil {
		return err
	}
	target, err := o.target()
	if err != nil {
		return err
	}
	req, err := o.module.Request(ctx, name, o.namespace, module, cli.Until(ctx, o.env.Stdin), cli.UserAgent("build"))
	if err != nil {
		return err
	}
	req.WarnScope, req.ObjectsOnly = true, true
	req.KubeVersion = cmp.Or(o.kubeVersion, o.env.Getenv(option.KubeVersionVariable))
	req.BuiltIns = o.validation.BuiltIns()
	if err = o.validation.Complete(ctx, &req, cli.Until(ctx, o.env.Stdin), o.module.Values.Download(cli.UserAgent("build"))); err != nil {
		return err
	}
	result, err := build.Render(ctx, req, ui.Transfers(o.env.Stderr, false, false))
	if err != nil {
		return o.validation.Explain(err)
	}
	switch o.printing.emit.target {
	case emitArgoCD:
		result.SyncWaves()
	case emitFlux:
		result.FluxActions()
	}
	if o.stage != "" {
		if err = result.KeepStage(o.stage); err != nil {
			return fmt.Errorf("render %s: %w", name, err)
		}
	}
	if o.printing.emit.target != emitHealth {
		if err = o.settle(ctx, result); err != nil {
			return err
		}
	}
	if o.push != "" {
		return o.pushTo(ctx, target, req.OCI, api.YAML(result.Objects()))
	}
	return o.print(name, result)
}
