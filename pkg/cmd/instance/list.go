// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/action/instance"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ui/printer"
)

func newList(c *common) *cobra.Command {
	var all bool
	out := c.output("wide", "name")
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List the instances of a namespace",
		Long: "List the instances of a namespace, or of all with -A. A record that cannot be\n" +
			"read is named on stderr, the others are listed, and the exit code is 1.",
		Example: cli.Example(c.env, "list -n apps", "list -A -o wide"),
		Args:    cli.Args(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := out.Check(); err != nil {
				return err
			}
			client, namespace, err := c.open(ui.NewText(c.env.Stderr))
			if err != nil {
				return err
			}
			if all {
				namespace = ""
			}
			list, err := instance.List(cmd.Context(), client, namespace)
			if list == nil && err != nil {
				return err
			}
			if printErr := printList(c, list, out, all); printErr != nil {
				return printErr
			}
			if _, text := out.Format(); text && len(list) == 0 && err == nil {
				fmt.Fprintln(c.env.Stderr, nothingIn(namespace))
			}
			return err
		},
	}
	cmd.Flags().BoolVarP(&all, "all-namespaces", "A", false, "list the instances of all namespaces")
	out.AddTo(cmd.Flags())
	return cmd
}

func nothingIn(namespace string) string {
	if namespace == "" {
		return "No instances found"
	}
	return fmt.Sprintf("No instances found in namespace %q", namespace)
}

func printList(c *common, list []instance.Summary, out *printer.Flags, all bool) error {
	format, text := out.Format()
	if !text {
		return out.Print(c.env.Stdout, printer.Instances(list))
	}
	titles := []string{"NAME", "MODULE", "VERSION", "STATE", "LAST APPLIED"}
	if all {
		titles = append([]string{"NAMESPACE"}, titles...)
	}
	if format == "wide" {
		titles = append(titles, "DIGEST", "BUNDLE", "OBJECTS")
	}
	rows := make([][]string, len(list))
	for n, i := range list {
		row := []string{i.Name, i.Module.Repository, i.Module.Version, string(i.State), i.LastTransition}
		if all {
			row = append([]string{i.Namespace}, row...)
		}
		if format == "wide" {
			row = append(row, i.Module.Digest, i.Bundle, strconv.Itoa(i.Objects))
		}
		rows[n] = row
	}
	return ui.Table(c.env.Stdout, out.Header(titles...), rows)
}
