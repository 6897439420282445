// SPDX-License-Identifier: Apache-2.0

// Package applycmd is the command line of the verbs that bring a module to a
// cluster.
package applycmd

import (
	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/advice/clusteradvice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/advice/moduleadvice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/advice/registryadvice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui/printer"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// New returns the command of the verb that was typed: one binary serves them
// all, because all link the same libraries.
func New(env cli.Env) *cobra.Command {
	kube.SilenceLogs()
	return cli.WithAdvice(newCommand(env), advisers()...)
}

// advisers say what the errors of what the binary links mean.
func advisers() []fail.Adviser {
	return []fail.Adviser{clusteradvice.For, registryadvice.For, moduleadvice.For, option.Advise}
}

func newCommand(env cli.Env) *cobra.Command {
	switch env.Verb {
	case "apply", "install", "upgrade":
		return newApply(env)
	case "rollback":
		return newRollback(env)
	case "diff":
		return newDiff(env)
	case printer.SiblingVerb:
		return newPrint(env)
	case "status":
		return newStatus(env)
	}
	return &cobra.Command{
		Use:                env.Verb,
		DisableFlagParsing: true,
		RunE: func(*cobra.Command, []string) error {
			return fail.Hint(fail.Usagef("%q is no verb of this binary", env.Verb),
				"run it as 'kubectl timoni apply' or through 'kubectl timoni'")
		},
	}
}
