// SPDX-License-Identifier: Apache-2.0

package applycmd

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/complete"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/kubeflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui/printer"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
)

const statusLong = `Show the readiness of every object of an instance, what has changed of it since
the last apply, and, when it is not ready or with -o wide, the last events. The
exit code is 0 when all objects exist and are ready and the last apply ended, 1
when not. What has changed is told but no reason to say no: 'diff NAME' shows it.

With --tree, the objects are shown with what they own: ReplicaSets, Pods, Jobs,
EndpointSlices and PersistentVolumeClaims, with age, ready parts, restarts and
images, and of what is not ready the reason, the newest warning and the last line
of its log. -o mermaid draws the tree. What drifted is not shown.

With --watch, the state is printed again at each change until it is ready, as
'kubectl rollout status' does.`

func newStatus(env cli.Env) *cobra.Command {
	flags := kubeflag.NewFlags()
	out := printer.New(printer.InProcess, "wide", mermaid)
	var watch, tree bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use: "status NAME", Short: "Show whether the objects of an instance are ready", Long: statusLong,
		Example: cli.Example(env, "app -n apps", "app -n apps --watch --timeout 5m", "app -n apps --tree", "app -n apps -o json"),
		Args:    cli.Args(1, "NAME"), ValidArgsFunction: complete.Operands(flags.Instances),
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
			key := instance.Key{Namespace: namespace, Name: instance.ParseName(args[0])}
			if format, _ := out.Format(); format == mermaid && !tree {
				return fail.Usagef("-o mermaid draws the tree: it needs --tree")
			}
			if tree {
				return showTree(cmd.Context(), env, client, key, out, watch, timeout)
			}
			if watch {
				return within(cmd.Context(), key, timeout, func(ctx context.Context) error {
					return instance.WatchStatus(ctx, client, key, func(report *instance.StatusReport) error {
						defer fmt.Fprintln(env.Stderr) // an empty line between two states, for a person
						return printStatus(env.Stdout, report, out)
					})
				})
			}
			report, err := instance.Status(cmd.Context(), client, key)
			if err != nil {
				return err
			}
			if err = printStatus(env.Stdout, report, out); err == nil && !report.IsGood() {
				err = fail.Silent(fail.No)
			}
			return err
		},
	}
	fs := cmd.Flags()
	flags.AddTo(fs)
	out.AddTo(fs)
	fs.BoolVar(&tree, "tree", false, "show what the objects own, too")
	fs.BoolVarP(&watch, "watch", "w", false, "print the state at each change until it is ready")
	fs.DurationVar(&timeout, "timeout", 0, "how long to watch, 0 for ever; the exit code is 1 when it is over")
	return cmd
}

// within runs a watch for at most so long, 0 for ever.
func within(ctx context.Context, key instance.Key, timeout time.Duration, watch func(context.Context) error) error {
	over := fail.With(fail.No, fmt.Errorf("instance %q is not ready after %s", key.Name, timeout))
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, timeout, over)
		defer cancel()
	}
	err := watch(ctx)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx) // not of the request that it interrupted
	}
	return err
}

func printStatus(w io.Writer, r *instance.StatusReport, out *printer.Flags) error {
	format, text := out.Format()
	if !text {
		return out.Print(w, printer.StatusOf(r))
	}
	if _, err := ui.Printf(w, "%s in namespace %s%s: %s\n\n", r.Name, r.Namespace, ofBundle(r.Bundle), describeState(r.Summary, r.Ready)); err != nil {
		return err
	}
	rows := make([][]string, len(r.Objects))
	for i, o := range r.Objects {
		rows[i] = []string{o.Object.String(), o.Status, o.Message}
		if o.Drift != "" && o.Message != "" {
			rows[i][2] += "; "
		}
		rows[i][2] += o.Drift
	}
	if err := ui.Table(w, out.Header("OBJECT", "STATUS", "MESSAGE"), rows); err != nil {
		return err
	}
	if len(r.Events) == 0 || r.IsGood() && format != "wide" {
		return nil
	}
	_, _ = ui.Println(w)
	return ui.Table(w, out.Header("LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"), printer.EventRows(r.Events))
}

// ofBundle says which bundle an instance belongs to, if to any.
func ofBundle(name string) string {
	if name == "" {
		return ""
	}
	return " of bundle " + name
}

// describeState says whether an instance is ready, and how its last run ended
// unless it was applied.
func describeState(r instance.Summary, ready bool) string {
	text := "ready"
	if !ready {
		text = "not ready"
	}
	version := printer.Version(r)
	switch r.State {
	case instance.Failed:
		text += ", the last apply failed: version " + version
	case instance.Pending:
		text += ", an apply is under way or its process died: version " + version
	case instance.Deleting:
		text += ", a delete is under way or its process died"
	}
	return text
}
