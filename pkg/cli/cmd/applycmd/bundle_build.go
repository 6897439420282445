// SPDX-License-Identifier: Apache-2.0

package applycmd

import (
	"cmp"
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/choice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/fleet"
)

const bundleBuildLong = `Render the instances of a bundle and print their objects, in the order in which
they would be applied.

A cluster is asked only for the values that a runtime reads there. Where it
names several clusters, select one with --runtime-cluster, or write a directory
for each with --output-dir. In that directory, or in that of the cluster, each
instance has one, and each object a file.

With --emit the objects say to Argo CD or Flux in which order they are applied.
--push pushes them as an artifact: with several clusters one for each, below PATH.

What was read from a Secret is printed where the modules put it, as the objects
need it; --mask-secrets shows *** for it and for the data of all Secrets.`

// bundleBuild are the options of bundle build.
type bundleBuild struct {
	*bundleOptions
	output, dir            string
	overwrite, maskSecrets bool
	kubeVersion            string
	handover               handover
	validation             option.Validation
}

func newBundleBuild(env cli.Env) *cobra.Command {
	o := &bundleBuild{bundleOptions: newBundleOptions(env)}
	cmd := &cobra.Command{
		Use: "build -f FILE", Short: "Render the instances of a bundle to standard output", Long: bundleBuildLong,
		Example: cli.Example(env,
			"build -f bundle.cue",
			"build -f bundle.cue -f production.yaml --runtime runtime.cue --runtime-cluster eu-1",
			"build -f bundle.cue --runtime-from-env --output-dir manifests"),
		Args: cli.Args(0, "no arguments, the bundle with -f"),
		RunE: o.runE(func(ctx context.Context, _ []string) error { return o.run(ctx) }),
	}
	fs := cmd.Flags()
	o.addTo(fs)
	o.validation.AddTo(fs)
	o.validation.AddSchemaTo(fs)
	choice.Flag[string]{Name: "output", Short: "o", Usage: "output format", Default: "yaml", Choices: choice.Of("yaml", "json", "name")}.AddTo(fs, &o.output)
	fs.StringVar(&o.dir, "output-dir", "", "write each object to a file of its own below `DIR` instead of printing it")
	fs.BoolVar(&o.overwrite, "overwrite", false, "let --output-dir replace files that were not written for the instance")
	fs.BoolVar(&o.maskSecrets, "mask-secrets", false, "show *** for the values in the data of Secrets, and for those that a runtime reads from Secrets")
	o.handover.addTo(fs)
	fs.StringVar(&o.kubeVersion, "kube-version", "", "`VERSION` of Kubernetes that the modules are told, such as 1.36")
	return cmd
}

func (o *bundleBuild) check() error {
	if o.dir != "" && o.output != "yaml" {
		return fail.Usagef("--output-dir writes YAML: leave out -o %s", o.output)
	}
	if o.overwrite && o.dir == "" {
		return fail.Usagef("--overwrite is about the files of --output-dir, which is not given")
	}
	return o.handover.check(o)
}

func (o *bundleBuild) run(ctx context.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	observer := ui.Transfers(o.env.Stderr, false, false)
	req, err := o.rendering(ctx, &o.validation, observer)
	if err != nil {
		return err
	}
	req.Render.KubeVersion = cmp.Or(o.kubeVersion, o.env.Getenv(option.KubeVersionVariable))
	req.Render.BuiltIns, req.Render.ObjectsOnly = o.validation.BuiltIns(), true
	clusters, err := offlineSites(o.kube, req.Definition, observer)
	if err != nil {
		return err
	}
	if len(clusters) > 1 && o.dir == "" && o.handover.push == "" {
		return fail.Hint(fail.Usagef("the runtime %q has %d clusters, and the standard output is for one", req.Definition.Name, len(clusters)),
			"select one with --runtime-cluster %s, or give --output-dir or --push", clusters[0].Name)
	}
	for _, site := range clusters {
		if err = o.build(ctx, site, req, observer); err != nil {
			return o.validation.Explain(err)
		}
	}
	return nil
}

func (o *bundleBuild) build(ctx context.Context, site fleet.Site, req fleet.Request, observer event.Observer) error {
	b, err := fleet.Load(ctx, site, req)
	if err != nil {
		return err
	}
	instances, err := fleet.Build(ctx, b, observer)
	if err != nil {
		return err
	}
	for _, in := range instances {
		if err = o.prepare(ctx, site, b, in, observer); err != nil {
			return b.Hide(err)
		}
	}
	var all []api.Object
	for i, in := range instances {
		if o.dir == "" {
			all = append(all, in.Result.Objects()...)
			continue
		}
		written, err := o.write(site, b.Name, instances, i, observer)
		if err != nil {
			return b.Hide(err)
		}
		if err = ui.Value(o.env.Stdout, "", written); err != nil {
			return err
		}
	}
	switch {
	case o.dir != "":
		return nil
	case o.handover.push != "":
		return o.pushObjects(ctx, site, req.Render.OCI, all)
	}
	return o.print(all)
}

// prepare gives the objects of an instance the form in which they are written.
func (o *bundleBuild) prepare(ctx context.Context, site fleet.Site, b *fleet.Bundle, in fleet.Instance, observer event.Observer) error {
	switch o.handover.tool {
	case emitArgoCD:
		in.Result.SyncWaves()
	case emitFlux:
		in.Result.FluxActions()
	}
	if o.maskSecrets {
		for _, set := range in.Result.Sets {
			b.Mask(set.Objects)
		}
	}
	return o.settle(ctx, in, o.directory(site, in), observer)
}

// directory returns that of an instance, empty when none is written.
func (o *bundleBuild) directory(site fleet.Site, in fleet.Instance) string {
	if o.dir == "" {
		return ""
	}
	return filepath.Join(o.dir, site.Name, in.Name)
}

// write writes the directory of an instance.
func (o *bundleBuild) write(site fleet.Site, bundle string, all []fleet.Instance, i int, observer event.Observer) (build.Written, error) {
	in := all[i]
	req := build.DirectoryRequest{
		Dir: o.directory(site, in), Name: in.Name, Namespace: in.Namespace, Complete: true, Overwrite: o.overwrite,
	}
	if o.handover.tool == emitFlux {
		return o.writeFlux(req, bundle, all, i, observer)
	}
	req.Objects = in.Result.Objects()
	return build.WriteDirectory(req)
}

func (o *bundleBuild) print(objects []api.Object) error {
	switch o.output {
	case "json":
		out, err := api.JSON(objects)
		if err == nil {
			_, err = o.env.Stdout.Write(out)
		}
		return err
	case "name":
		names := make([]event.Object, len(objects))
		for i, object := range objects {
			names[i] = object.Ref()
		}
		return ui.Names(o.env.Stdout, names)
	}
	_, err := o.env.Stdout.Write(api.YAML(objects))
	return err
}
