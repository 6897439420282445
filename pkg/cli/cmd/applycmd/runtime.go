// SPDX-License-Identifier: Apache-2.0

package applycmd

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/kubeflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/fleet"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

const runtimeBuildLong = `Read the values of a runtime from its clusters, or from that of the kubeconfig's
context when it names none, and print them. What was read from a Secret is shown
as *** unless --print-value asks for it. Each query that fails is named, with its
cluster; the others are printed all the same.`

type runtimeBuild struct {
	env        cli.Env
	kube       *kubeflag.Flags
	files      option.Files
	runtime    option.Runtime
	registry   option.Registry
	output     string
	printValue bool
}

func newRuntimeBuild(env cli.Env) *cobra.Command {
	o := &runtimeBuild{env: env, kube: kubeflag.NewFlags()}
	o.registry.Process = env
	cmd := &cobra.Command{
		Use: "build -f FILE", Short: "Print the values that a runtime reads from clusters", Long: runtimeBuildLong,
		Example: cli.Example(env, "runtime build -f runtime.cue", "runtime build -f runtime.cue --runtime-group staging -o json"),
		Args:    cli.Args(0, "no arguments, the runtime with -f"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := o.run(cmd.Context())
			return errors.Join(err, o.files.Close())
		},
	}
	addCluster(cmd.Flags(), o.kube)
	o.files.AddTo(cmd.Flags(), "runtime")
	o.runtime.AddClustersTo(cmd.Flags())
	o.registry.AddTo(cmd.Flags())
	cli.AddOutput(cmd, &o.output)
	cmd.Flags().BoolVar(&o.printValue, "print-value", false, "show what was read from Secrets")
	return cmd
}

// runtimeValues is what was read from one cluster.
type runtimeValues struct {
	Cluster string            `json:"cluster,omitempty"`
	Group   string            `json:"group,omitempty"`
	Values  map[string]string `json:"values"`
	Secret  []string          `json:"secret,omitempty"` // the names of those that were read from Secrets
}

func (o *runtimeBuild) run(ctx context.Context) error {
	from := option.Reading{Stdin: cli.Until(ctx, o.env.Stdin), UserAgent: cli.UserAgent("bundle"), Observer: ui.Transfers(o.env.Stderr, false, false)}
	if o.registry.ReadsStdin() && o.files.ReadsStdin() {
		return fail.Usagef("--creds-stdin and -f - cannot both read the standard input")
	}
	var err error
	if from.OCI, err = o.registry.Options(from.Stdin, from.UserAgent); err != nil {
		return err
	}
	files, err := o.files.Read(ctx, from)
	if err != nil {
		return err
	}
	d, err := o.runtime.Define(files)
	if err != nil {
		return err
	}
	clusters, err := sites(o.kube, d, ui.NewText(o.env.Stderr))
	if err != nil {
		return err
	}
	var all []runtimeValues
	var errs []error
	for _, site := range clusters {
		values, failed := fleet.ReadValues(ctx, site, *d)
		errs = append(errs, site.Wrap(failed))
		all = append(all, o.result(site, values))
	}
	if err = o.print(all); err != nil {
		return err
	}
	return errors.Join(errs...)
}

func (o *runtimeBuild) result(site fleet.Site, values fleet.Values) runtimeValues {
	result := runtimeValues{Cluster: site.Name, Group: site.Group, Values: maps.Clone(values.All), Secret: slices.Sorted(maps.Keys(values.Secret))}
	if !o.printValue {
		for _, name := range result.Secret {
			result.Values[name] = mask.Hidden
		}
	}
	return result
}

func (o *runtimeBuild) print(all []runtimeValues) error {
	if o.output != "" {
		return ui.Structured(o.env.Stdout, o.output, all)
	}
	var rows [][]string
	header := []string{"CLUSTER", "GROUP", "NAME", "VALUE"}
	for _, r := range all {
		for _, name := range slices.Sorted(maps.Keys(r.Values)) {
			rows = append(rows, []string{r.Cluster, r.Group, name, r.Values[name]})
		}
	}
	if len(all) == 1 && all[0].Cluster == "" {
		header = header[2:]
		for i := range rows {
			rows[i] = rows[i][2:]
		}
	}
	return ui.Table(o.env.Stdout, header, rows)
}
