// SPDX-License-Identifier: Apache-2.0

package instancecmd

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/complete"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui/printer"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
)

// sections are the parts of a record that can be asked for alone.
func sections() []string { return []string{"module", "values", "resources", "images"} }

// sectionsAndInstances completes what the first operand may be.
func (c *common) sectionsAndInstances(ctx context.Context, args []string, typed string) []string {
	return append(c.kube.Instances(ctx, args, typed), sections()...)
}

func newInspect(c *common) *cobra.Command {
	out, user := c.output("name"), false
	cmd := &cobra.Command{
		Use: "inspect [module|values|resources|images] NAME", Short: "Show what is recorded of an instance",
		Long: "Show what the record of an instance says: the module it was made from, its\n" +
			"values, the objects that belong to it and the container images. With the name\n" +
			"of a part, only that is shown. With --user, the values are those that were given\n" +
			"at the last apply, without the module's: those of --reuse-values.",
		Example: cli.Example(c.env, "inspect app -n apps", "inspect values app -n apps"),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 && slices.Contains(sections(), args[0]) {
				return nil
			}
			if len(args) == 2 {
				return fail.Usagef("%q is not one of %s", args[0], strings.Join(sections(), ", "))
			}
			return cli.Args(1, "NAME")(cmd, args)
		},
		ValidArgsFunction: complete.Operands(c.sectionsAndInstances, c.kube.Instances),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.Check(); err != nil {
				return err
			}
			if user && (len(args) < 2 || args[0] != "values") {
				return fail.Usagef("--user is about values: inspect values NAME --user")
			}
			client, namespace, err := c.open(ui.NewText(c.env.Stderr))
			if err != nil {
				return err
			}
			key := instance.Key{Namespace: namespace, Name: instance.ParseName(args[len(args)-1])}
			inspection, err := instance.Inspect(cmd.Context(), client, key)
			if err != nil {
				return err
			}
			section := ""
			if len(args) == 2 {
				section = args[0]
			}
			if user {
				if inspection.Instance.Values, err = instance.UserValues(cmd.Context(), client, key); err != nil {
					return err
				}
			}
			if _, text := out.Format(); !text {
				return out.Print(c.env.Stdout, printer.Inspection(inspection, section))
			}
			return printInspection(c.env.Stdout, inspection, section)
		},
	}
	out.AddTo(cmd.Flags())
	cmd.Flags().BoolVar(&user, "user", false, "with values: those that were given at the last apply, without the module's")
	return cmd
}

func printInspection(w io.Writer, i *instance.Inspection, section string) error {
	var err error
	switch section {
	case "module":
		err = ui.Print(w, describeModule(i.Instance.Module))
	case "values":
		_, err = ui.Println(w, i.Instance.Values)
	case "resources":
		err = ui.Print(w, describeResources(i.Resources))
	case "images":
		for _, image := range i.Instance.Images {
			_, err = ui.Println(w, image)
		}
	default:
		err = ui.Print(w, describeInstance(i))
	}
	return err
}

func describeInstance(i *instance.Inspection) string {
	var b strings.Builder
	m := i.Instance.Metadata
	fmt.Fprintf(&b, "Name:          %s\nNamespace:     %s\nState:         %s\nLast applied:  %s\n",
		m.Name, m.Namespace, i.State, i.Instance.LastTransitionTime)
	b.WriteString(describeModule(i.Instance.Module))
	if i.State == instance.Failed || i.State == instance.Pending {
		fmt.Fprintf(&b, "Wanted:        %s\nComplete:      %s\n", describeVersion(&i.Wanted), describeVersion(i.Complete))
	}
	section(&b, "Values:", i.Instance.Values)
	section(&b, "Resources:", describeResources(i.Resources))
	section(&b, "Images:", strings.Join(i.Instance.Images, "\n"))
	return b.String()
}

func describeModule(m api.Module) string {
	return fmt.Sprintf("Module:        %s\nRepository:    %s\nVersion:       %s\nDigest:        %s\n",
		m.Name, m.Repository, m.Version, m.Digest)
}

// describeVersion says which version of which module was requested, or applied in
// full; none is nil.
func describeVersion(m *api.Module) string {
	if m == nil {
		return "none"
	}
	return m.Repository + " version " + m.Version
}

func describeResources(resources []event.Object) string {
	var b strings.Builder
	for _, o := range resources {
		fmt.Fprintf(&b, "%s\n", api.IDOf(o))
	}
	return b.String()
}

func section(b *strings.Builder, title, text string) {
	if text == "" {
		return
	}
	fmt.Fprintln(b, title)
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		fmt.Fprintf(b, "  %s", line)
	}
	fmt.Fprintln(b)
}
