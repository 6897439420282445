// SPDX-License-Identifier: Apache-2.0

package applycmd

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/bundle"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/complete"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/deleteflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui/printer"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/fleet"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
)

// bundleTarget are the options of the verbs on installed bundles, which are
// named by their files or by their name.
type bundleTarget struct {
	*bundleOptions
	out       *printer.Flags
	namespace string
	quiet     bool
}

func newBundleTarget(env cli.Env, formats ...string) *bundleTarget {
	return &bundleTarget{bundleOptions: newBundleOptions(env), out: printer.New(printer.InProcess, formats...)}
}

func (t *bundleTarget) addTo(fs *pflag.FlagSet) {
	t.bundleOptions.addTo(fs)
	fs.StringVarP(&t.namespace, "namespace", "n", "", "one of the bundle NAME, where several have the name")
	fs.BoolVarP(&t.quiet, "quiet", "q", false, "print no progress")
	t.out.AddTo(fs)
}

// args wants the bundle's files or its name.
func (t *bundleTarget) args(cmd *cobra.Command, args []string) error {
	switch {
	case t.bundle.Files.Given() && len(args) > 0:
		return fail.Usagef("-f names the bundle: leave out %q", args[0])
	case t.bundle.Files.Given() && t.namespace != "":
		return fail.Usagef("-n %s: the namespaces of instances stand in the files", t.namespace)
	case t.bundle.Files.Given():
		return nil
	case len(t.bundle.Names) > 0:
		return fail.Usagef("--select names instances in the files of a bundle: give -f FILE")
	}
	return cli.Args(1, "NAME, or -f FILE")(cmd, args)
}

// target returns the bundle that the command line names, and its clusters.
func (t *bundleTarget) target(ctx context.Context, args []string, observer event.Observer) (fleet.Target, []fleet.Site, error) {
	var target fleet.Target
	if len(args) > 0 {
		target.Name, target.Namespace = args[0], t.namespace
		d, err := t.definition(ctx, observer)
		if err != nil {
			return target, nil, err
		}
		target.Definition = d
	} else {
		req, err := t.request(ctx, observer)
		if err != nil {
			return target, nil, err
		}
		target.Request = req
	}
	clusters, err := sites(t.kube, target.Definition, observer)
	return target, clusters, err
}

// definition reads the runtime of a bundle that is given by its name.
func (t *bundleTarget) definition(ctx context.Context, observer event.Observer) (*bundle.Definition, error) {
	from := option.Reading{Stdin: cli.Until(ctx, t.env.Stdin), UserAgent: cli.UserAgent("bundle"), Observer: observer}
	req, err := t.bundle.Request(from.Stdin, from.UserAgent)
	if err != nil {
		return nil, err
	}
	from.OCI = req.OCI
	return t.bundle.Runtime.Read(ctx, &t.bundle.Files, from)
}

const bundleDeleteLong = `Delete the instances of a bundle, the last one first, or where they say on which
others they depend, each before those; each as 'delete' does. The bundle is that
of the files of -f or that of NAME, in each cluster of the runtime, if one is
given. Where several bundles have the name, -n says which one is meant, with any of
its namespaces; all of its instances are deleted. Nothing is deleted when an
instance belongs to another bundle or to none.`

type bundleDelete struct {
	*bundleTarget
	how            deleteflag.Delete
	pruneInstances bool
	atOnce         int
}

func newBundleDelete(env cli.Env) *cobra.Command {
	o := &bundleDelete{bundleTarget: newBundleTarget(env, "name")}
	cmd := &cobra.Command{
		Use: "delete NAME|-f FILE", Aliases: []string{"uninstall"}, Short: "Delete the instances of a bundle", Long: bundleDeleteLong,
		Example: cli.Example(env, "delete -f bundle.cue", "delete shop", "delete -f bundle.cue --dry-run=server"),
		Args:    o.args, ValidArgsFunction: complete.Operands(o.kube.Bundles),
		RunE: o.runE(o.run),
	}
	fs := cmd.Flags()
	o.addTo(fs)
	o.how.AddTo(fs, "bundle")
	fs.BoolVar(&o.pruneInstances, "prune-instances", false, "delete the instances of the bundle that are no longer in its files, too")
	addAtOnce(fs, &o.atOnce)
	return cmd
}

func (o *bundleDelete) run(ctx context.Context, args []string) error {
	if err := o.out.Check(); err != nil {
		return err
	}
	observer := ui.Observer(o.env.Stderr, o.quiet)
	target, clusters, err := o.target(ctx, args, observer)
	if err != nil {
		return err
	}
	req := fleet.DeleteRequest{Target: target, Delete: o.how.Request(store.Holder(o.env.Process)), PruneInstances: o.pruneInstances}
	_, text := o.out.Format()
	var all []any
	var mu sync.Mutex
	failed := fleet.Each(clusters, o.atOnce, func(_ int, site fleet.Site) error {
		return fleet.Delete(ctx, site, req, observer, func(deleted fleet.Deleted) error {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, outcomesIn(site.Name, deleted.Key, deleted.Outcomes)...)
			if !text || deleted.Err != nil {
				return nil
			}
			return o.print(deleted, site)
		})
	})
	if text {
		return failed
	}
	return errors.Join(failed, o.out.Print(o.env.Stdout, all))
}

func (o *bundleDelete) print(d fleet.Deleted, site fleet.Site) error {
	r := ui.Result{Outcomes: d.Outcomes, Summary: "deleted " + d.Name, DryRun: o.how.Label()}
	if site.Name != "" {
		r.Summary += " on cluster " + site.Name
	}
	return r.Print(o.env.Stdout)
}

const bundleStatusLong = `Show the state of each instance of a bundle, and the objects that are not ready.
An instance of another bundle, or of none, is Foreign. The exit code is 0 when all
instances are installed and ready, 1 when not.`

func newBundleStatus(env cli.Env) *cobra.Command {
	o := newBundleTarget(env)
	cmd := &cobra.Command{
		Use: "status NAME|-f FILE", Short: "Show whether the instances of a bundle are ready", Long: bundleStatusLong,
		Example: cli.Example(env, "status -f bundle.cue", "status shop -o json"),
		Args:    o.args, ValidArgsFunction: complete.Operands(o.kube.Bundles),
		RunE: o.runE(o.status),
	}
	o.addTo(cmd.Flags())
	return cmd
}

func (t *bundleTarget) status(ctx context.Context, args []string) error {
	if err := t.out.Check(); err != nil {
		return err
	}
	observer := ui.Observer(t.env.Stderr, t.quiet)
	target, clusters, err := t.target(ctx, args, observer)
	if err != nil {
		return err
	}
	var rows, problems [][]string
	var all []printer.Status
	good := true
	for _, site := range clusters {
		reports, failed := fleet.Status(ctx, site, target, observer)
		err = errors.Join(err, failed)
		for _, r := range reports {
			good = good && r.IsGood()
			all = append(all, printer.StatusOf(r))
			rows = append(rows, statusRow(site, r))
			problems = append(problems, notReady(r)...)
		}
	}
	if err != nil && all == nil {
		return err
	}
	if _, text := t.out.Format(); !text {
		err = errors.Join(err, t.out.Print(t.env.Stdout, all))
	} else {
		err = errors.Join(err, t.printStatus(rows, problems))
	}
	if err == nil && !good {
		err = fail.Silent(fail.No)
	}
	return err
}

func (t *bundleTarget) printStatus(rows, problems [][]string) error {
	header := []string{"CLUSTER", "NAMESPACE", "NAME", "VERSION", "STATE", "READY"}
	if len(rows) > 0 && rows[0][0] == "" {
		header = header[1:]
		for i := range rows {
			rows[i] = rows[i][1:]
		}
	}
	if err := ui.Table(t.env.Stdout, t.out.Header(header...), rows); err != nil || len(problems) == 0 {
		return err
	}
	_, _ = ui.Println(t.env.Stdout)
	return ui.Table(t.env.Stdout, t.out.Header("OBJECT", "STATUS", "MESSAGE"), problems)
}

func statusRow(site fleet.Site, r *instance.StatusReport) []string {
	ready := 0
	for _, o := range r.Objects {
		if o.Status == "Current" {
			ready++
		}
	}
	row := []string{site.Name, r.Namespace, r.Name, "-", string(r.State), "-"}
	if r.State != fleet.NotInstalled && r.State != fleet.Foreign {
		row[3], row[5] = printer.Version(r.Summary), fmt.Sprintf("%d/%d", ready, len(r.Objects))
	}
	return row
}

// notReady returns the rows of the objects that are not ready.
func notReady(r *instance.StatusReport) [][]string {
	var rows [][]string
	for _, o := range r.Objects {
		if o.Status != "Current" && !r.Ready {
			rows = append(rows, []string{o.Object.String(), o.Status, o.Message})
		}
	}
	return rows
}
