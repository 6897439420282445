// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"cmp"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/plugins"
)

// versions is what version prints as JSON or YAML: what the front door was
// built from, the CUE version of the set, and the siblings.
type versions struct {
	plugins.Build
	Binaries []plugins.Binary `json:"binaries"`
}

func newVersion(env cli.Env) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "version", Short: "Show the versions of all binaries", Args: cli.Args(0, "no arguments"),
		Long: "Show what each binary was built from, as it says itself. A binary that is missing,\ndoes not answer or is of another version is marked.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := versions{Build: plugins.Build(cli.ThisBuild())}
			v.Binaries = inquiry(env).Binaries(cmd.Context())
			for _, b := range v.Binaries {
				v.CUE = cmp.Or(v.CUE, b.CUE)
			}
			if output != "" {
				return ui.Structured(env.Stdout, output, v)
			}
			return printVersions(env, v)
		},
	}
	cli.AddOutput(cmd, &output)
	return cmd
}

func inquiry(env cli.Env) plugins.Inquiry {
	return plugins.Inquiry{
		Places: env.Places(), Own: plugins.Build(cli.ThisBuild()), Argv0: cli.VersionProgram,
		Environ: env.Environ(), Timeout: plugins.DefaultTimeout,
	}
}

func printVersions(env cli.Env, v versions) error {
	row := func(name string, b plugins.Build, problem string) []string {
		return []string{name, cmp.Or(b.Version, "-"), cmp.Or(b.Revision, "-"), cmp.Or(b.CUE, "-"), cmp.Or(problem, "ok")}
	}
	own := v.Build
	own.CUE = "" // it is the siblings'
	rows := [][]string{row(plugins.FrontDoor, own, "")}
	for _, b := range v.Binaries {
		rows = append(rows, row(b.Name, b.Build, b.Problem))
	}
	return ui.Table(env.Stdout, []string{"BINARY", "VERSION", "REVISION", "CUE", "STATUS"}, rows)
}
