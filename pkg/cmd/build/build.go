// SPDX-License-Identifier: Apache-2.0

// Package build is the command line of build, which renders an instance to
// standard output.
package build

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/action/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ui"
)

const long = `Render an instance of a module and print its Kubernetes objects.

MODULE is a directory, file://DIR or oci://HOST/PATH[:VERSION][@DIGEST]. The
values are merged over the module's own: a later file wins, maps are merged,
lists replaced, and null takes a value away, down to the module's default. YAML
and JSON files hold the values themselves, CUE files have values: {…}.

No cluster is asked and no kubeconfig read: the namespace is that of -n, and the
module is told the version of Kubernetes in TIMONI_KUBE_VERSION. Custom resources
are held to the structure that their CRDs describe, where the module renders
these or --crds names them; rules in CEL are left to the API server.

The objects are printed in the order in which they would be applied, as the
module has them: the labels by which an instance owns its objects are added by
apply alone, so that what another tool applies does not look like an instance.`

// New returns the command.
func New(env cli.Env) *cobra.Command {
	o := &options{env: env}
	cmd := &cobra.Command{
		Use: "build NAME MODULE", Short: "Render an instance of a module to standard output", Long: long,
		Example: cli.Example(env,
			"app ./module -n apps",
			"app oci://registry.example.com/modules/app:1.2.0 -n apps -f values.yaml",
			"app ./module -n apps | kubectl apply --server-side -f -"),
		Args: cli.Args(2, "NAME and MODULE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), args[0], args[1])
		},
	}
	cmd.Flags().StringVarP(&o.namespace, "namespace", "n", "default", "namespace of the instance")
	cmd.Flags().StringVarP(&o.output, "output", "o", "yaml", "output format: yaml or json")
	o.module.Registry.Process = env
	o.module.AddTo(cmd.Flags())
	cmd.Flags().StringVar(&o.push, "push", "", "push the objects as an artifact for Flux to `TARGET`, oci://HOST/PATH[:TAG], instead of printing them")
	o.validation.AddTo(cmd.Flags())
	return cmd
}

type options struct {
	env       cli.Env
	namespace string
	output    string
	push      string

	module     option.Module
	validation option.Validation
}

func (o *options) run(ctx context.Context, name, module string) error {
	if o.output != "yaml" && o.output != "json" {
		return ui.UnknownFormat(o.output, "yaml", "json")
	}
	if err := o.validation.Check(&o.module.Values); err != nil {
		return err
	}
	target, err := o.target()
	if err != nil {
		return err
	}
	req, err := o.module.Request(ctx, name, o.namespace, module, o.env.Stdin, cli.UserAgent("build"))
	if err != nil {
		return err
	}
	req.KubeVersion = o.env.Getenv(option.KubeVersionVariable)
	if err = o.validation.Complete(ctx, &req, o.env.Stdin, o.module.Values.Download(cli.UserAgent("build"))); err != nil {
		return err
	}
	result, err := render.Render(ctx, req, ui.Transfers(o.env.Stderr, false, false))
	if err != nil {
		return o.validation.Explain(err)
	}
	if o.push != "" {
		return o.pushTo(ctx, target, req.OCI, api.YAML(result.Objects()))
	}
	return o.print(result.Objects())
}

func (o *options) print(objects []api.Object) error {
	out := api.YAML(objects)
	if o.output == "json" {
		var err error
		if out, err = api.JSON(objects); err != nil {
			return err
		}
	}
	_, err := o.env.Stdout.Write(out)
	return err
}
