// SPDX-License-Identifier: Apache-2.0

package krmcmd

import (
	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/choice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/function"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/kustomize"
)

const kustomizeLong = `Build a kustomization as 'kustomize build' does, with modules in it.

The kinds of krm.timoni.sh need no annotation and no flag here: this program
runs them itself, and none is ever left out. Functions and plugins of others are
refused (exit code 5) unless --enable-exec allows them to run as programs with
your rights.

DIR is a directory with a kustomization.yaml (default: the current one) or an
address of one, as kustomize takes it.`

// The values of --load-restrictor, which are kustomize's.
const (
	rootOnly = "LoadRestrictionsRootOnly"
	anyFile  = "LoadRestrictionsNone"
)

func newKustomize(env cli.Env) *cobra.Command {
	var k kustomize.Kustomization
	var helm bool
	var helmCommand, restrictor string
	cmd := &cobra.Command{
		Use: "kustomize [DIR]", Short: "Build a kustomization that uses modules", Long: kustomizeLong,
		Example: cli.Example(env, "kustomize overlays/production", "kustomize overlays/production | kubectl apply -f -"),
		Args:    cli.ArgsBetween(0, 1, "a directory"),
		RunE: func(cmd *cobra.Command, args []string) error {
			k.Dir = cli.Operand(args, ".")
			if k.Namespace != "" {
				if err := option.CheckNamespace(k.Namespace); err != nil {
					return err
				}
			}
			k.AnyFile = restrictor == anyFile
			if helm {
				k.Helm = helmCommand
			}
			var err error
			if k.Executable, err = env.Executable(); err != nil {
				return err
			}
			objects, err := function.Build(cmd.Context(), k)
			if err != nil {
				return err
			}
			err = ui.Raw(env.Stdout, objects)
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&k.Namespace, "namespace", "n", "", "namespace of the instances whose configs name none (default \"default\")")
	flags.BoolVar(&k.EnableExec, "enable-exec", false, "run the functions and plugins of others too")
	flags.BoolVar(&helm, "enable-helm", false, "inflate helmCharts")
	flags.StringVar(&helmCommand, "helm-command", "helm", "the helm to run")
	choice.Flag[string]{
		Name: "load-restrictor", Usage: "which files kustomizations may name", Default: rootOnly,
		Choices: []choice.Choice[string]{{Word: rootOnly, Note: "those below their directories"}, {Word: anyFile, Note: "others, too"}},
	}.AddTo(flags, &restrictor)
	return cmd
}
