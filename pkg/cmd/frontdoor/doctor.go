// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/action/plugins"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ui"
)

func newDoctor(env cli.Env) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "doctor", Short: "Check what is installed and what is missing", Args: cli.Args(0, "no arguments"),
		Long: `Check the binaries of this plugin, kubectl, kustomize, the registry credentials,
the cluster, and what stands on PATH: what is missing, which commands lack it,
and what to do about it. Nothing is changed and no secret is printed.

kubectl's flags, such as --context and -n, choose the cluster that is asked.

Exit code: 0 if nothing that is needed is missing, 1 otherwise.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			checks := plugins.Examination{
				Inquiry: inquiry(env), Getenv: env.Getenv, KubectlArgs: kubectlArgs(cmd.Flags()),
			}.Checks(cmd.Context())
			return report(env, output, checks)
		},
	}
	cli.AddOutput(cmd, &output)
	return cmd
}

func report(env cli.Env, output string, checks []plugins.Check) error {
	var err error
	if output == "" {
		_, err = env.Stdout.Write([]byte(text(checks)))
	} else {
		err = ui.Structured(env.Stdout, output, map[string]any{"checks": checks})
	}
	failed := func(c plugins.Check) bool { return c.Status == plugins.Fail }
	if err == nil && slices.ContainsFunc(checks, failed) {
		return fail.With(fail.No, errors.New(""))
	}
	return err
}

func text(checks []plugins.Check) string {
	var b strings.Builder
	for _, c := range checks {
		fmt.Fprintf(&b, "%-4s  %s: %s\n", c.Status, c.Name, c.Message)
		if c.Hint != "" {
			fmt.Fprintf(&b, "      hint: %s\n", c.Hint)
		}
	}
	return b.String()
}
