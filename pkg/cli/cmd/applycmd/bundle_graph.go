// SPDX-License-Identifier: Apache-2.0

package applycmd

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/fleet"
)

const bundleGraphLong = `Draw the order in which the instances of a bundle are applied, with their modules
and versions. An arrow leads from an instance to those that are applied after it.

A cluster is asked only for the values that a runtime reads there; with --live
also for the state of each instance and the version that is installed. No module
is fetched.`

type bundleGraph struct {
	*bundleOptions
	output string
	live   bool
}

func newBundleGraph(env cli.Env) *cobra.Command {
	o := &bundleGraph{bundleOptions: newBundleOptions(env)}
	cmd := &cobra.Command{
		Use: "graph -f FILE", Short: "Draw the order in which the instances of a bundle are applied", Long: bundleGraphLong,
		Example: cli.Example(env, "graph -f bundle.cue", "graph -f bundle.cue --live -o dot | dot -Tsvg >bundle.svg"),
		Args:    cli.Args(0, "no arguments, the bundle with -f"),
		RunE:    o.runE(func(ctx context.Context, _ []string) error { return o.run(ctx) }),
	}
	o.addTo(cmd.Flags())
	cli.AddOutput(cmd, &o.output, append(ui.GraphFormats(), "json")...)
	cmd.Flags().BoolVar(&o.live, "live", false, "show the state of each instance in the cluster")
	return cmd
}

func (o *bundleGraph) run(ctx context.Context) error {
	observer := ui.NewText(o.env.Stderr)
	req, err := o.request(ctx, observer)
	if err != nil {
		return err
	}
	connect := offlineSites
	if o.live {
		connect = sites
	}
	clusters, err := connect(o.kube, req.Definition, observer)
	if err != nil {
		return err
	}
	all := make([]*fleet.Graph, len(clusters))
	for i, site := range clusters {
		if all[i], err = fleet.NewGraph(ctx, site, req, o.live, observer); err != nil {
			return err
		}
	}
	if o.output == "json" {
		return ui.Structured(o.env.Stdout, o.output, all)
	}
	drawn := make([]ui.Graph, len(all))
	for i, g := range all {
		drawn[i] = drawing(g)
	}
	return ui.DrawGraphs(o.env.Stdout, o.output, drawn)
}

func drawing(g *fleet.Graph) ui.Graph {
	d := ui.Graph{Name: g.Bundle}
	if g.Cluster != "" {
		d.Title = g.Cluster + " (" + g.Group + ")"
	}
	for _, in := range g.Instances {
		d.Nodes = append(d.Nodes, ui.GraphNode{Name: in.Name, Lines: labelOf(in), From: in.After})
	}
	return d
}

func labelOf(n fleet.Node) []string {
	version := n.Version
	if n.Digest != "" {
		version = strings.TrimSpace(version + " @" + n.Digest)
	}
	lines := []string{n.Namespace + "/" + n.Name, strings.TrimSpace(n.Module + " " + version)}
	if n.Live == nil {
		return lines
	}
	state := n.Live.State
	if n.Live.Version != "" {
		state += " " + n.Live.Version
	}
	if n.Live.Version != "" && !n.Live.Ready {
		state += ", not ready"
	}
	return append(lines, state)
}
