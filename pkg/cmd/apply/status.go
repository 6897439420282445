// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/action/instance"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ui/printer"
)

func newStatus(env cli.Env) *cobra.Command {
	flags := kube.NewFlags()
	out := printer.New(printer.InProcess)
	cmd := &cobra.Command{
		Use: "status NAME", Short: "Show whether the objects of an instance are ready",
		Long: "Show the readiness of every object of an instance. The exit code is 0 when all\n" +
			"exist and are ready and the last apply ended, 1 when not.",
		Example: cli.Example(env, "app -n apps", "app -n apps -o json"),
		Args:    cli.Args(1, "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.Check(); err != nil {
				return err
			}
			namespace, err := flags.Namespace()
			if err != nil {
				return err
			}
			client, err := flags.Connect(cli.UserAgent("apply"), ui.NewText(env.Stderr))
			if err != nil {
				return err
			}
			report, err := instance.Status(cmd.Context(), client, instance.Key{Namespace: namespace, Name: instance.ParseName(args[0])})
			if err != nil {
				return err
			}
			if err := printStatus(env.Stdout, report, out); err != nil {
				return err
			}
			if !report.IsGood() {
				return fail.With(fail.No, errors.New(""))
			}
			return nil
		},
	}
	flags.AddTo(cmd.Flags())
	out.AddTo(cmd.Flags())
	return cmd
}

func printStatus(w io.Writer, r *instance.StatusReport, out *printer.Flags) error {
	if _, text := out.Format(); !text {
		return out.Print(w, printer.StatusOf(r))
	}
	ready := "ready"
	if !r.Ready {
		ready = "not ready"
	}
	if r.State != instance.Applied {
		ready += ", the last run did not end (" + string(r.State) + ")"
	}
	if _, err := fmt.Fprintf(w, "%s in namespace %s: %s\n\n", r.Name, r.Namespace, ready); err != nil {
		return err
	}
	rows := make([][]string, len(r.Objects))
	for i, o := range r.Objects {
		rows[i] = []string{o.Object.String(), o.Status, o.Message}
	}
	return ui.Table(w, out.Header("OBJECT", "STATUS", "MESSAGE"), rows)
}
