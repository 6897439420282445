// SPDX-License-Identifier: Apache-2.0

package instancecmd

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui/printer"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
)

// lister lists instances.
type lister struct {
	*common
	req        instance.ListRequest
	all, watch bool
	bundles    bool // the table says whose instances are
	out        *printer.Flags
}

func newList(c *common) *cobra.Command {
	l := &lister{common: c, out: c.output("wide", "name")}
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List the instances of a namespace",
		Long: "List the instances of a namespace, or of all with -A. A record that cannot be\n" +
			"read is named on stderr, the others are listed, and the exit code is 1.",
		Example: cli.Example(c.env, "list -n apps", "list -A -o wide", "list -A --not-ready", "list -n apps --watch"),
		Args:    cli.Args(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := l.out.Check(); err != nil {
				return err
			}
			if err := l.req.Validate(); err != nil {
				return err
			}
			return l.run(cmd.Context())
		},
	}
	fs := cmd.Flags()
	fs.BoolVarP(&l.all, "all-namespaces", "A", false, "list the instances of all namespaces")
	fs.StringVarP(&l.req.Labels, "selector", "l", "", "list those alone whose record has these labels: KEY=VALUE,…")
	fs.StringVar(&l.req.Bundle, "bundle", "", "list those alone that this `BUNDLE` owns")
	fs.BoolVar(&l.req.NotReady, "not-ready", false, "list those alone whose objects are not all ready, or whose last run did not end")
	fs.BoolVarP(&l.watch, "watch", "w", false, "go on with each instance that is applied, changed or deleted")
	l.out.AddTo(fs)
	return cmd
}

func (l *lister) run(ctx context.Context) error {
	client, namespace, err := l.open(ui.NewText(l.env.Stderr))
	if err != nil {
		return err
	}
	if !l.all {
		l.req.Namespace = namespace
	}
	if l.watch {
		return l.follow(ctx, client)
	}
	list, err := instance.List(ctx, client, l.req)
	if list == nil && err != nil {
		return err
	}
	if printErr := l.print(list, l.out.Header("")); printErr != nil {
		return printErr
	}
	if _, text := l.out.Format(); text && len(list) == 0 && err == nil {
		_, _ = ui.Println(l.env.Stderr, nothingIn(l.req.Namespace))
	}
	return err
}

// follow prints, as kubectl does, a table and then a line for each change; for
// a program, one instance after the other. It ends after --request-timeout, as
// 'kubectl get --watch' does.
func (l *lister) follow(ctx context.Context, client *kube.Client) error {
	timeout, err := l.kube.RequestTimeout()
	if err != nil {
		return err
	}
	watching, stop := kube.WithTimeout(ctx, timeout)
	defer stop()
	if err = l.printChanges(watching, client); kube.TimedOut(watching) {
		return nil // a watch lasts as long as its request may
	}
	return err
}

func (l *lister) printChanges(ctx context.Context, client *kube.Client) error {
	header := l.out.Header("")
	return instance.WatchList(ctx, client, l.req, func(list []instance.Summary) error {
		if _, text := l.out.Format(); text {
			err := l.print(list, header)
			header = nil
			return err
		}
		for _, i := range list {
			if err := l.out.Print(l.env.Stdout, printer.InstanceOf(i)); err != nil {
				return err
			}
		}
		return nil
	})
}

func nothingIn(namespace string) string {
	if namespace == "" {
		return "No instances found"
	}
	return fmt.Sprintf("No instances found in namespace %q", namespace)
}

// print writes instances, as a table with headers unless header is nil.
func (l *lister) print(list []instance.Summary, header []string) error {
	format, text := l.out.Format()
	if !text {
		return l.out.Print(l.env.Stdout, printer.Instances(list))
	}
	if header != nil { // the headers of a watch are written once
		l.bundles = slices.ContainsFunc(list, func(i instance.Summary) bool { return i.Bundle != "" })
	}
	columns := l.columns(format == "wide")
	if header != nil {
		header = make([]string, len(columns))
		for n, c := range columns {
			header[n] = c.title
		}
	}
	rows := make([][]string, len(list))
	for n, i := range list {
		for _, c := range columns {
			rows[n] = append(rows[n], c.cell(i))
		}
	}
	return ui.Table(l.env.Stdout, header, rows)
}

type column struct {
	title string
	cell  func(instance.Summary) string
}

func (l *lister) columns(wide bool) []column {
	var columns []column
	if l.all {
		columns = append(columns, column{"NAMESPACE", func(i instance.Summary) string { return i.Namespace }})
	}
	columns = append(columns,
		column{"NAME", func(i instance.Summary) string { return i.Name }},
		column{"MODULE", func(i instance.Summary) string { return i.Module.Repository }},
		column{"VERSION", printer.Version},
		column{"STATE", func(i instance.Summary) string { return string(i.State) }})
	if l.req.NotReady {
		columns = append(columns, column{"READY", func(i instance.Summary) string { return strconv.FormatBool(*i.Ready) }})
	}
	if l.bundles && !wide {
		columns = append(columns, column{"BUNDLE", func(i instance.Summary) string { return i.Bundle }})
	}
	columns = append(columns, column{"LAST APPLIED", func(i instance.Summary) string { return printer.Age(i.LastTransition) }})
	if wide {
		columns = append(columns,
			column{"DIGEST", func(i instance.Summary) string { return i.Module.Digest }},
			column{"BUNDLE", func(i instance.Summary) string { return i.Bundle }},
			column{"OBJECTS", func(i instance.Summary) string { return strconv.Itoa(i.Objects) }})
	}
	return columns
}
