// SPDX-License-Identifier: Apache-2.0

package instancecmd

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/complete"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
)

const logsLong = `Show the logs of all containers of an instance: of the Pods that its Deployments,
StatefulSets, Jobs, custom resources and so on have made. With KIND/NAME, those
of one of its objects, or of a Pod that was made for one. Each line has a prefix
with its Pod and container, in colour on a terminal.

With -f, the logs are followed, also those of Pods that come, until the Pods and
Jobs that were named have ended, or for ever. What would control the terminal is
removed from the lines or escaped.`

func newLogs(c *common) *cobra.Command {
	var req instance.LogsRequest
	tail, noPrefix := -1, false
	cmd := &cobra.Command{
		Use: "logs NAME [KIND/NAME]", Short: "Show the logs of all containers of an instance", Long: logsLong,
		Example: cli.Example(c.env, "logs app -n apps", "logs app -n apps -f --since 5m", "logs app Deployment/web -n apps --tail 20"),
		Args:    cli.ArgsBetween(1, 2, "NAME and at most a KIND/NAME"), ValidArgsFunction: complete.Operands(c.kube.Instances),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 {
				target, err := api.ParseTarget(args[1])
				if err != nil {
					return err
				}
				req.Object = &target
			}
			if req.Previous && req.Follow {
				return fail.Usagef("--previous and --follow: a container that has ended writes no more")
			}
			if tail >= 0 {
				req.Tail = &tail
			}
			return runLogs(cmd.Context(), c, req, args[0], noPrefix)
		},
	}
	fs := cmd.Flags()
	fs.BoolVarP(&req.Follow, "follow", "f", false, "go on with what comes, also of new Pods")
	fs.DurationVar(&req.Since, "since", time.Duration(0), "only lines that are newer than a duration like 5s, 2m or 3h")
	fs.IntVar(&tail, "tail", -1, "only the last `LINES` of each container, -1 for all")
	fs.StringVarP(&req.Container, "container", "c", "", "only the containers of this `NAME`")
	fs.BoolVarP(&req.Previous, "previous", "p", false, "the logs of the containers before they were started again")
	fs.BoolVar(&noPrefix, "no-prefix", false, "print the lines without the names of their Pod and container")
	return cmd
}

func runLogs(ctx context.Context, c *common, req instance.LogsRequest, name string, noPrefix bool) error {
	progress := ui.NewText(c.env.Stderr)
	client, namespace, err := c.open(progress)
	if err != nil {
		return err
	}
	req.Key = instance.Key{Namespace: namespace, Name: instance.ParseName(name)}
	look := ui.Look{Colours: ui.Colours(c.env.Stdout, c.env.Getenv("NO_COLOR")), Bare: noPrefix}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var unwritten atomic.Pointer[error] // which no more lines would mend
	err = instance.Logs(ctx, client, req, look.Logs(c.env.Stdout, progress, func(err error) { unwritten.CompareAndSwap(nil, &err); stop(err) }))
	if first := unwritten.Load(); first != nil {
		return *first
	}
	return err
}
