// SPDX-License-Identifier: Apache-2.0

package instancecmd

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/complete"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/deleteflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui/printer"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
)

const deleteLong = `Delete the objects of instances and then their records. CustomResourceDefinitions,
Namespaces and volumes are kept, because others may use what they hold, and so
is what is annotated with action.timoni.sh/prune: disabled. A delete that was
interrupted can be run again. With --orphan the objects stay and the instance
is forgotten. Of several names, what can be deleted is, as with kubectl.`

// deleter deletes instances.
type deleter struct {
	*common
	how    deleteflag.Delete
	orphan bool
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
		ValidArgsFunction: complete.Each(c.kube.Instances),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := d.out.Check(); err != nil {
				return err
			}
			return d.run(cmd.Context(), args)
		},
	}
	fs := cmd.Flags()
	d.how.AddTo(fs, "instance")
	fs.BoolVar(&d.orphan, "orphan", false, "forget the instance and leave its objects")
	fs.BoolVarP(&d.quiet, "quiet", "q", false, "print no progress")
	d.out.AddTo(fs)
	return cmd
}

func (d *deleter) run(ctx context.Context, names []string) error {
	observer := ui.Observer(d.env.Stderr, d.quiet)
	client, namespace, err := d.open(observer)
	if err != nil {
		return err
	}
	req := d.how.Request(store.Holder(d.env.Process))
	req.Orphan = d.orphan
	var all []event.Outcome
	var errs []error
	_, text := d.out.Format()
	for _, name := range names {
		req.Key = instance.Key{Namespace: namespace, Name: instance.ParseName(name)}
		outcomes, err := instance.Delete(ctx, client, req, observer)
		all = append(all, outcomes...)
		if err == nil && text && outcomes != nil {
			err = d.print(req.Name, outcomes)
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

func (d *deleter) print(name string, outcomes []event.Outcome) error {
	result := ui.Result{Outcomes: outcomes, Summary: "deleted " + name, DryRun: d.how.Label()}
	if d.orphan {
		result.Summary = "forgot " + name
	}
	return result.Print(d.env.Stdout)
}
