// SPDX-License-Identifier: Apache-2.0

package instancecmd

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/action/instance"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui/printer"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

const deleteLong = `Delete the objects of instances and then their records. CustomResourceDefinitions,
Namespaces and volumes are kept, because others may use what they hold, and so
is what is annotated with action.timoni.sh/prune: disabled. A delete that was
interrupted can be run again. With --orphan the objects stay and the instance
is forgotten. Of several names, what can be deleted is, as with kubectl.`

// deleter deletes instances.
type deleter struct {
	*common
	req    instance.DeleteRequest
	wait   bool
	dryRun string
	quiet  bool
	out    *printer.Flags
}

func newDelete(c *common) *cobra.Command {
	d := &deleter{common: c, out: c.output("name")}
	cmd := &cobra.Command{
		Use: "delete NAME...", Aliases: []string{"uninstall"}, Short: "Delete instances and their objects", Long: deleteLong,
		Example: cli.Example(c.env, "delete app -n apps", "delete app -n apps --dry-run=server"),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cli.Args(1, "NAME, or several")(cmd, args)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := errors.Join(d.out.Check(), d.validate()); err != nil {
				return err
			}
			return d.run(cmd.Context(), args)
		},
	}
	fs := cmd.Flags()
	fs.BoolVar(&d.wait, "wait", true, "wait until the objects are gone")
	fs.DurationVar(&d.req.Timeout, "timeout", apply.DefaultTimeout, "how long to wait for the objects to be gone, 0 for ever")
	fs.StringVar(&d.dryRun, "dry-run", "none", "`MODE`: none, client (print what would be deleted) or server (and have the server check it)")
	fs.BoolVar(&d.req.Also.CRDs, "delete-crds", false, "delete CustomResourceDefinitions too, and with them every object of their kinds")
	fs.BoolVar(&d.req.Also.Volumes, "delete-volumes", false, "delete PersistentVolumeClaims and PersistentVolumes too, with their data")
	fs.BoolVar(&d.req.Also.Namespaces, "delete-namespace", false, "delete the Namespaces of the module too, with all that is in them")
	fs.BoolVar(&d.req.Orphan, "orphan", false, "forget the instance and leave its objects")
	fs.BoolVar(&d.req.IgnoreNotFound, "ignore-not-found", false, "succeed if the instance does not exist")
	fs.BoolVarP(&d.quiet, "quiet", "q", false, "print no progress")
	d.out.AddTo(fs)
	return cmd
}

func (d *deleter) validate() error {
	return fail.OneOf("--dry-run", d.dryRun, "none", "client", "server")
}

func (d *deleter) run(ctx context.Context, names []string) error {
	observer := ui.Observer(d.env.Stderr, d.quiet)
	client, namespace, err := d.open(observer)
	if err != nil {
		return err
	}
	d.req.Holder, d.req.DryRun, d.req.Check = store.Holder(d.env.Process), d.dryRun != "none", d.dryRun == "server"
	d.req.NoWait, d.req.Timeout = !d.wait, apply.AtMost(d.req.Timeout)
	var all []event.Outcome
	var errs []error
	_, text := d.out.Format()
	for _, name := range names {
		d.req.Key = instance.Key{Namespace: namespace, Name: instance.ParseName(name)}
		outcomes, err := instance.Delete(ctx, client, d.req, observer)
		all = append(all, outcomes...)
		if err == nil && text && outcomes != nil {
			err = d.print(outcomes)
		}
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	if !text {
		errs = append(errs, d.out.Print(d.env.Stdout, printer.Outcomes(all)))
	}
	return errors.Join(errs...)
}

func (d *deleter) print(outcomes []event.Outcome) error {
	result := ui.Result{Outcomes: outcomes, Summary: "deleted " + d.req.Name}
	if d.req.Orphan {
		result.Summary = "forgot " + d.req.Name
	}
	switch d.dryRun {
	case "client":
		result.DryRun = "dry run"
	case "server":
		result.DryRun = "server dry run"
	}
	return result.Print(d.env.Stdout)
}
