// SPDX-License-Identifier: Apache-2.0

package instancecmd

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/complete"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui/printer"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
)

func newHistory(c *common) *cobra.Command {
	out, showValues := c.output(), false
	cmd := &cobra.Command{
		Use: "history NAME", Short: "Show the revisions of an instance",
		Long: "Show the remembered revisions of an instance, the newest last. Of a revision that\n" +
			"is kept in full, a rollback needs neither registry nor directory. With\n" +
			"--show-values and -o json or yaml, the values are shown too, also secrets.",
		Example: cli.Example(c.env, "history app -n apps"),
		Args:    cli.Args(1, "NAME"), ValidArgsFunction: complete.Operands(c.kube.Instances),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.Check(); err != nil {
				return err
			}
			client, namespace, err := c.open(ui.NewText(c.env.Stderr))
			if err != nil {
				return err
			}
			key := instance.Key{Namespace: namespace, Name: instance.ParseName(args[0])}
			history, err := instance.History(cmd.Context(), client, key)
			if err != nil {
				return err
			}
			for i := range history {
				if !showValues {
					history[i].Values, history[i].UserValues, history[i].Hidden = "", nil, nil
				}
			}
			if _, text := out.Format(); !text {
				return out.Print(c.env.Stdout, printer.History(key, history))
			}
			return printHistory(c, history, out)
		},
	}
	out.AddTo(cmd.Flags())
	cmd.Flags().BoolVar(&showValues, "show-values", false, "with -o json or yaml, show the values of each revision, also those that are secret")
	return cmd
}

func printHistory(c *common, history []store.Revision, out *printer.Flags) error {
	rows := make([][]string, len(history))
	for i, r := range history {
		rows[i] = []string{strconv.Itoa(r.Number), printer.Age(r.Time), string(r.Outcome), r.User, keptOf(r), r.Module.Repository, r.Module.Version, r.Module.Digest}
	}
	return ui.Table(c.env.Stdout, out.Header("REVISION", "AGE", "OUTCOME", "USER", "KEPT", "MODULE", "VERSION", "DIGEST"), rows)
}

// keptOf says what is kept of a revision, and why it is no more.
func keptOf(r store.Revision) string {
	text := string(r.Kept())
	if r.WithoutRendering != "" {
		text += " (" + r.WithoutRendering + ")"
	}
	return text
}
