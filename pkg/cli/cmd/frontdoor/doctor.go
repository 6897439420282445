// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/plugins"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/guard"
)

func newDoctor(env cli.Env) *cobra.Command {
	var output, kustomization string
	cmd := &cobra.Command{
		Use: "doctor", Short: "Check what is installed and what is missing", Args: cli.Args(0, "no arguments"),
		Long: `Check the binaries of this plugin, kubectl, kustomize, the registry credentials,
the cluster, and what stands on PATH: what is missing, which commands lack it,
and what to do about it. Nothing is changed and no secret is printed.

kubectl's flags, such as --context and -n, choose the cluster that is asked.

With -k DIR, check a kustomization instead: what each function in it and in its
local bases needs, whether that is there, and whether it is guarded, that is,
whether a build without --enable-exec fails. Without a guard kustomize succeeds
then, and leaves out in silence what the functions make. Where no guard is,
one is printed that was tried out. The network is not asked, and no program of
other function runs; modules in registries come from the cache.

Exit code: 0 if nothing that is needed is missing, 1 otherwise.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			x := plugins.Examination{
				Inquiry: inquiry(env), Getenv: env.Getenv, KubectlArgs: kubectlArgs(cmd.Flags()),
			}
			if kustomization == "" {
				return report(env, output, findings{Checks: x.Checks(cmd.Context())})
			}
			checks, found, err := x.KustomizationChecks(cmd.Context(), kustomization)
			if err != nil {
				return err
			}
			return report(env, output, findings{checks, found})
		},
	}
	cmd.Flags().StringVarP(&kustomization, "kustomize", "k", "", "check the kustomization in `DIR`, not the machine")
	cli.AddOutput(cmd, &output)
	return cmd
}

// findings is what doctor prints as JSON or YAML.
type findings struct {
	Checks        []plugins.Check `json:"checks"`
	Kustomization *guard.Report   `json:"kustomization,omitempty"`
}

func report(env cli.Env, output string, f findings) error {
	var err error
	if output == "" {
		err = ui.Print(env.Stdout, text(f.Checks))
	} else {
		err = ui.Structured(env.Stdout, output, f)
	}
	failed := func(c plugins.Check) bool { return c.Status == plugins.Fail }
	if err == nil && slices.ContainsFunc(f.Checks, failed) {
		return fail.Silent(fail.No)
	}
	return err
}

func text(checks []plugins.Check) string {
	var b strings.Builder
	for _, c := range checks {
		fmt.Fprintf(&b, "%-4s  %s: %s\n", c.Status, c.Name, c.Message)
		if c.Hint != "" {
			fmt.Fprintf(&b, "      hint: %s\n", strings.ReplaceAll(c.Hint, "\n", "\n      "))
		}
	}
	return b.String()
}
