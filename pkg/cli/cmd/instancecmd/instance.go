// SPDX-License-Identifier: Apache-2.0

// Package instancecmd is the command line of the verbs on installed instances.
package instancecmd

import (
	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/advice/clusteradvice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/kubeflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui/printer"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/plugins"
)

// New returns the command with a subcommand for each verb.
func New(env cli.Env) *cobra.Command {
	kube.SilenceLogs()
	c := &common{env: env, kube: kubeflag.NewFlags()}
	cmd := cli.Group("instance", "List, inspect, follow and delete instances", newList(c), newInspect(c), newHistory(c), newLogs(c), newEvents(c), newDelete(c), newPlan(c))
	c.kube.AddTo(cmd.PersistentFlags())
	return cli.WithAdvice(cmd, clusteradvice.For)
}

// common is what the verbs share.
type common struct {
	env  cli.Env
	kube *kubeflag.Flags
}

// output returns the flags for the output of a verb.
func (c *common) output(others ...string) *printer.Flags {
	find := func(name string) (string, error) {
		executable, err := c.env.Executable()
		if err != nil {
			return "", err
		}
		return plugins.NewPlaces(executable, c.env.Getenv("PATH")).Find(name)
	}
	return printer.New(printer.InSibling(find), others...)
}

// open returns a client and the namespace of the command. It sends no request.
func (c *common) open(observer event.Observer) (*kube.Client, string, error) {
	namespace, err := c.kube.Namespace()
	if err != nil {
		return nil, "", err
	}
	client, err := c.kube.Connect(cli.UserAgent("instance"), observer)
	return client, namespace, err
}
