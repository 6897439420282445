// SPDX-License-Identifier: Apache-2.0

package applycmd

import (
	"bytes"
	"context"
	"io"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui/printer"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
)

// mermaid is the output format that draws a tree.
const mermaid = "mermaid"

// showTree shows the tree of an instance, with watch until it is ready.
func showTree(ctx context.Context, env cli.Env, client *kube.Client, key instance.Key, out *printer.Flags, watch bool, timeout time.Duration) error {
	if watch {
		live := ui.NewLive(env.Stdout)
		return within(ctx, key, timeout, func(ctx context.Context) error {
			return instance.WatchTree(ctx, client, key, func(report *instance.TreeReport) error {
				if _, text := out.Format(); !text {
					return printTree(env.Stdout, report, out)
				}
				var b bytes.Buffer
				if err := printTree(&b, report, out); err != nil {
					return err
				}
				return live.Show(b.String())
			})
		})
	}
	report, err := instance.Tree(ctx, client, key)
	if err != nil {
		return err
	}
	if err = printTree(env.Stdout, report, out); err == nil && !report.IsGood() {
		err = fail.Silent(fail.No)
	}
	return err
}

func printTree(w io.Writer, r *instance.TreeReport, out *printer.Flags) error {
	format, text := out.Format()
	switch {
	case !text:
		return out.Print(w, printer.TreeOf(r))
	case format == mermaid:
		return ui.DrawGraphs(w, mermaid, []ui.Graph{printer.TreeGraph(r)})
	}
	if _, err := ui.Printf(w, "%s in namespace %s%s: %s\n\n", r.Name, r.Namespace, ofBundle(r.Bundle), describeState(r.Summary, r.Ready)); err != nil {
		return err
	}
	header := out.Header("OBJECT", "READY", "STATUS", "RESTARTS", "AGE", "IMAGES", "MESSAGE")
	if err := ui.Table(w, header, printer.TreeRows(r.Roots)); err != nil {
		return err
	}
	for _, what := range r.Unread {
		if _, err := ui.Printf(w, "note: %s are not shown: the right to read them is missing\n", what); err != nil {
			return err
		}
	}
	return nil
}
