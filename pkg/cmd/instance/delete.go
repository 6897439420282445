// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/action/instance"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ui/printer"
)

func newDelete(c *common) *cobra.Command {
	var req instance.DeleteRequest
	out := c.output("name")
	var quiet bool
	cmd := &cobra.Command{
		Use: "delete NAME", Aliases: []string{"uninstall"}, Short: "Delete an instance and its objects",
		Long: "Delete the objects of an instance and then its record. CustomResourceDefinitions,\n" +
			"Namespaces and volumes are kept, because others may use what they hold, and so\n" +
			"is what is annotated with action.timoni.sh/prune: disabled. A delete that was\n" +
			"interrupted can be run again. With --orphan the objects stay and the instance\n" +
			"is forgotten.",
		Example: cli.Example(c.env, "delete app -n apps", "delete app -n apps --dry-run"),
		Args:    cli.Args(1, "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.Check(); err != nil {
				return err
			}
			observer := ui.Observer(c.env.Stderr, quiet)
			client, namespace, err := c.open(observer)
			if err != nil {
				return err
			}
			req.Holder = store.Holder(c.env.Process)
			req.Key = instance.Key{Namespace: namespace, Name: instance.ParseName(args[0])}
			outcomes, err := instance.Delete(cmd.Context(), client, req, observer)
			if err != nil {
				return err
			}
			result := ui.Result{Outcomes: outcomes, Summary: "deleted " + req.Name}
			if req.Orphan {
				result.Summary = "forgot " + req.Name
			}
			if req.DryRun {
				result.DryRun = "dry run"
			}
			if _, text := out.Format(); !text {
				return out.Print(c.env.Stdout, printer.Outcomes(outcomes))
			}
			return result.Print(c.env.Stdout)
		},
	}
	fs := cmd.Flags()
	fs.BoolVar(&req.Wait, "wait", true, "wait until the objects are gone")
	fs.DurationVar(&req.Timeout, "timeout", 5*time.Minute, "how long to wait for the objects to be gone, 0 for ever")
	fs.BoolVar(&req.DryRun, "dry-run", false, "print what would be deleted, delete nothing")
	fs.BoolVar(&req.Also.CRDs, "delete-crds", false, "delete CustomResourceDefinitions too, and with them every object of their kinds")
	fs.BoolVar(&req.Also.Volumes, "delete-volumes", false, "delete PersistentVolumeClaims and PersistentVolumes too, with their data")
	fs.BoolVar(&req.Also.Namespaces, "delete-namespace", false, "delete the Namespaces of the module too, with all that is in them")
	fs.BoolVar(&req.Orphan, "orphan", false, "forget the instance and leave its objects")
	out.AddTo(fs)
	fs.BoolVarP(&quiet, "quiet", "q", false, "print no progress")
	return cmd
}
