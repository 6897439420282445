// SPDX-License-Identifier: Apache-2.0

package applycmd

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/bundle"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/kubeflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/fleet"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/sops"
)

// NewBundle returns the command of the binary whose verbs are about many
// instances: bundle, and below it the other group, runtime.
func NewBundle(env cli.Env) *cobra.Command {
	kube.SilenceLogs()
	return cli.WithAdvice(cli.Group("bundle", "Build, apply, compare and delete many instances at once",
		newBundleBuild(env), newBundleVet(env), newBundleApply(env), newBundleDiff(env), newBundleStatus(env), newBundleDelete(env), newBundleGraph(env), newBundleUpdate(env),
		cli.Group("runtime", "Show the values that a bundle reads from clusters", newRuntimeBuild(env)),
	), advisers()...)
}

// bundleOptions are what the verbs on bundles share.
type bundleOptions struct {
	env    cli.Env
	kube   *kubeflag.Flags
	bundle option.Bundle
}

func newBundleOptions(env cli.Env) *bundleOptions {
	o := &bundleOptions{env: env, kube: kubeflag.NewFlags()}
	o.bundle.Registry.Process = env
	return o
}

func (o *bundleOptions) addTo(fs *pflag.FlagSet) {
	addCluster(fs, o.kube)
	o.bundle.AddTo(fs)
}

// addCluster registers kubectl's connection flags without the namespace, which
// each instance has its own of.
func addCluster(fs *pflag.FlagSet, flags *kubeflag.Flags) {
	all := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.AddTo(all)
	all.VisitAll(func(f *pflag.Flag) {
		if f.Name != "namespace" {
			fs.AddFlag(f)
		}
	})
}

// runE returns what runs a verb, and then removes the artifacts with its files.
func (o *bundleOptions) runE(do func(context.Context, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := do(cmd.Context(), args)
		return errors.Join(err, o.bundle.Files.Close())
	}
}

// request returns which bundle the command line names. Reading the files is all
// it does.
func (o *bundleOptions) request(ctx context.Context, observer event.Observer) (fleet.Request, error) {
	var req fleet.Request
	agent, stdin := cli.UserAgent("bundle"), cli.Until(ctx, o.env.Stdin)
	var err error
	if req.Render, err = o.bundle.Request(stdin, agent); err != nil {
		return req, err
	}
	if req.Env, err = o.bundle.Runtime.Env(o.env.Environ); err != nil {
		return req, err
	}
	from := option.Reading{Stdin: stdin, UserAgent: agent, OCI: req.Render.OCI, Observer: observer}
	if req.Files, req.Definition, err = o.bundle.Read(ctx, from); err != nil {
		return req, err
	}
	req.Select, req.Decrypt = o.bundle.Names, sops.Decrypt
	req.Render.WarnScope = true
	return req, nil
}

// rendering returns which bundle the command line names, and how it is rendered
// and checked.
func (o *bundleOptions) rendering(ctx context.Context, v *option.Validation, observer event.Observer) (fleet.Request, error) {
	if err := v.Check(&option.Values{}); err != nil {
		return fleet.Request{}, err
	}
	req, err := o.request(ctx, observer)
	if err != nil {
		return req, err
	}
	return req, v.Complete(ctx, &req.Render, cli.Until(ctx, o.env.Stdin), o.bundle.Files.Download(cli.UserAgent("bundle")))
}

// sites returns the clusters that a runtime names, or else that of the
// kubeconfig's context. No request is sent.
func sites(flags *kubeflag.Flags, d *bundle.Definition, observer event.Observer) ([]fleet.Site, error) {
	if d == nil || len(d.Clusters) == 0 {
		client, err := flags.Connect(cli.UserAgent("bundle"), observer)
		return []fleet.Site{{Client: client}}, err
	}
	if chosen := flags.Chosen(); chosen != nil {
		return nil, fail.Hint(fail.Usagef("%s: the runtime %q names the context of each cluster", strings.Join(chosen, ", "), d.Name),
			"select clusters with --runtime-cluster or --runtime-group")
	}
	list := make([]fleet.Site, len(d.Clusters))
	for i, c := range d.Clusters {
		client, err := flags.InContext(c.Context).Connect(cli.UserAgent("bundle"), observer)
		if err != nil {
			return nil, err
		}
		list[i] = fleet.Site{Cluster: c, Client: client}
	}
	return list, nil
}

// addAtOnce registers the flag that says how many clusters are worked on at once.
func addAtOnce(fs *pflag.FlagSet, n *int) {
	fs.IntVar(n, "cluster-concurrency", 1, "maximum `NUMBER` of clusters of one group at once; a group begins when the one before is done")
}

// offlineSites is sites for a verb that asks a cluster for values alone.
func offlineSites(flags *kubeflag.Flags, d *bundle.Definition, observer event.Observer) ([]fleet.Site, error) {
	switch {
	case d != nil && len(d.Queries) > 0:
		return sites(flags, d, observer)
	case d == nil || len(d.Clusters) == 0:
		return []fleet.Site{{Connect: connector(flags, observer)}}, nil
	}
	list := make([]fleet.Site, len(d.Clusters))
	for i, c := range d.Clusters {
		list[i] = fleet.Site{Cluster: c, Connect: connector(flags.InContext(c.Context), observer)}
	}
	return list, nil
}

func connector(flags *kubeflag.Flags, observer event.Observer) func() (*kube.Client, error) {
	return func() (*kube.Client, error) { return flags.Connect(cli.UserAgent("bundle"), observer) }
}
