// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/action/instance"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ui"
)

func newHistory(c *common) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "history NAME", Short: "Show the revisions of an instance",
		Long: "Show the remembered revisions of an instance, the newest last. With -o json or\n" +
			"yaml, their values are shown too.",
		Example: cli.Example(c.env, "history app -n apps"),
		Args:    cli.Args(1, "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkFormat(output, "json", "yaml"); err != nil {
				return err
			}
			client, namespace, err := c.open(ui.NewText(c.env.Stderr))
			if err != nil {
				return err
			}
			history, err := instance.History(cmd.Context(), client, instance.Key{Namespace: namespace, Name: args[0]})
			if err != nil {
				return err
			}
			return printHistory(c, history, output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "output format: json or yaml")
	return cmd
}

func printHistory(c *common, history []store.Revision, output string) error {
	if history == nil {
		history = []store.Revision{}
	}
	if output != "" {
		return ui.Structured(c.env.Stdout, output, history)
	}
	rows := make([][]string, len(history))
	for i, r := range history {
		rows[i] = []string{strconv.Itoa(r.Number), r.Time, string(r.Outcome), r.Module.Repository, r.Module.Version, r.Module.Digest}
	}
	return ui.Table(c.env.Stdout, []string{"REVISION", "TIME", "OUTCOME", "MODULE", "VERSION", "DIGEST"}, rows)
}
