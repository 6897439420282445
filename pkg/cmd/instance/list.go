// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/action/instance"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ui"
)

func newList(c *common) *cobra.Command {
	var all bool
	var output string
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List the instances of a namespace",
		Long: "List the instances of a namespace, or of all with -A. A record that cannot be\n" +
			"read is named on stderr, the others are listed, and the exit code is 1.",
		Example: cli.Example(c.env, "list -n apps", "list -A -o wide"),
		Args:    cli.Args(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkFormat(output, "wide", "json", "yaml", "name"); err != nil {
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
			if printErr := printList(c, list, output, all); printErr != nil {
				return printErr
			}
			if len(list) == 0 && err == nil && output == "" {
				fmt.Fprintln(c.env.Stderr, nothingIn(namespace))
			}
			return err
		},
	}
	cmd.Flags().BoolVarP(&all, "all-namespaces", "A", false, "list the instances of all namespaces")
	cmd.Flags().StringVarP(&output, "output", "o", "", "output format: wide, json, yaml or name")
	return cmd
}

func nothingIn(namespace string) string {
	if namespace == "" {
		return "No instances found"
	}
	return fmt.Sprintf("No instances found in namespace %q", namespace)
}

func printList(c *common, list []instance.Summary, output string, all bool) error {
	switch output {
	case "json", "yaml":
		return ui.Structured(c.env.Stdout, output, list)
	case "name":
		for _, i := range list {
			if _, err := fmt.Fprintln(c.env.Stdout, i.Name); err != nil {
				return err
			}
		}
		return nil
	}
	header := []string{"NAME", "MODULE", "VERSION", "STATE", "LAST APPLIED"}
	if all {
		header = append([]string{"NAMESPACE"}, header...)
	}
	if output == "wide" {
		header = append(header, "DIGEST", "BUNDLE", "OBJECTS")
	}
	rows := make([][]string, len(list))
	for n, i := range list {
		row := []string{i.Name, i.Module, i.Version, string(i.State), i.LastTransition}
		if all {
			row = append([]string{i.Namespace}, row...)
		}
		if output == "wide" {
			row = append(row, i.Digest, i.Bundle, strconv.Itoa(i.Objects))
		}
		rows[n] = row
	}
	return ui.Table(c.env.Stdout, header, rows)
}

func checkFormat(format string, known ...string) error {
	for _, k := range known {
		if format == k || format == "" {
			return nil
		}
	}
	return ui.UnknownFormat(format, known...)
}
