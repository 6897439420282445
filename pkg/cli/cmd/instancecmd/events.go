// SPDX-License-Identifier: Apache-2.0

package instancecmd

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/complete"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/choice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui/printer"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
)

// eventLister lists the events of an instance.
type eventLister struct {
	*common
	watch bool
	types string // empty for all
	out   *printer.Flags
}

func newEvents(c *common) *cobra.Command {
	l := &eventLister{common: c, out: c.output()}
	cmd := &cobra.Command{
		Use: "events NAME", Short: "Show the events about an instance and what it owns",
		Long: "Show the events about the objects of an instance and about the ReplicaSets,\n" +
			"Pods, Jobs and so on that were made for them, the newest last.",
		Example: cli.Example(c.env, "events app -n apps", "events app -n apps --types Warning --watch"),
		Args:    cli.Args(1, "NAME"), ValidArgsFunction: complete.Operands(c.kube.Instances),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := l.out.Check(); err != nil {
				return err
			}
			return l.run(cmd.Context(), args[0])
		},
	}
	fs := cmd.Flags()
	fs.BoolVarP(&l.watch, "watch", "w", false, "go on with each event that comes")
	choice.Flag[string]{Name: "types", Usage: "only events of this `TYPE`", Choices: choice.Of("Normal", "Warning")}.AddTo(fs, &l.types)
	l.out.AddTo(fs)
	return cmd
}

func (l *eventLister) run(ctx context.Context, name string) error {
	progress := ui.NewText(l.env.Stderr)
	client, namespace, err := l.open(progress)
	if err != nil {
		return err
	}
	key := instance.Key{Namespace: namespace, Name: instance.ParseName(name)}
	if l.watch {
		return l.follow(ctx, client, key, progress)
	}
	events, err := instance.Events(ctx, client, key, progress)
	if err != nil {
		return err
	}
	events = slices.DeleteFunc(events, func(e ready.Event) bool { return !l.wants(e) })
	if _, text := l.out.Format(); !text {
		return l.out.Print(l.env.Stdout, printer.Events(key, events))
	}
	if len(events) == 0 {
		_, _ = ui.Println(l.env.Stderr, "No events found")
	}
	return l.print(events, true)
}

func (l *eventLister) wants(e ready.Event) bool {
	return l.types == "" || l.types == e.Type
}

// follow prints a line for each event, or for a program one event after the
// other.
func (l *eventLister) follow(ctx context.Context, client *kube.Client, key instance.Key, progress event.Observer) error {
	first := true
	return instance.WatchEvents(ctx, client, key, progress, func(e ready.Event) error {
		if !l.wants(e) {
			return nil
		}
		if _, text := l.out.Format(); !text {
			return l.out.Print(l.env.Stdout, printer.Events(key, []ready.Event{e})[0])
		}
		defer func() { first = false }()
		return l.print([]ready.Event{e}, first)
	})
}

func (l *eventLister) print(events []ready.Event, withHeader bool) error {
	var header []string
	if withHeader {
		header = l.out.Header("LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE")
	}
	return ui.Table(l.env.Stdout, header, printer.EventRows(events))
}
