// SPDX-License-Identifier: Apache-2.0

package krmcmd

import (
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/function"
)

func newInstall(env cli.Env) *cobra.Command {
	var dir string
	var plugins bool
	cmd := &cobra.Command{
		Use: "install", Short: "Put timoni-krm on PATH, where kustomize looks for it",
		Long: `Put timoni-krm on PATH, where kustomize looks for it, and print what is there
now. Where krew installed this plugin, an upgrade does not break it.

--kustomize-plugins also makes links in kustomize's plugin directory
($KUSTOMIZE_PLUGIN_HOME, or kustomize/plugin in $XDG_CONFIG_HOME), after which

    kubectl kustomize --enable-alpha-plugins DIR

works for function configs without the annotation config.kubernetes.io/function.

Files that this command did not make are left alone, and then nothing is done
(exit code 5).`,
		Args: cli.Args(0, "no arguments"),
		RunE: func(*cobra.Command, []string) error { return install(env, dir, plugins) },
	}
	cmd.Flags().StringVar(&dir, "dir", "", "directory on PATH (default: where kubectl-timoni is)")
	cmd.Flags().BoolVar(&plugins, "kustomize-plugins", false, "also make the links that kubectl kustomize needs")
	return cmd
}

func install(env cli.Env, dir string, plugins bool) error {
	path := env.Getenv("PATH")
	in := function.Installation{FrontDoor: function.FindFrontDoor(path), Dir: dir}
	var err error
	if in.Executable, err = env.Executable(); err != nil {
		return err
	}
	in.Krew = function.FindKrew(path, in.Executable)
	if plugins {
		in.PluginHome = function.PluginHome(env.Getenv)
	}
	paths, err := function.Install(in)
	if err != nil {
		return err
	}
	for _, p := range paths {
		_, _ = ui.Println(env.Stdout, p)
	}
	if dir := filepath.Dir(paths[0]); !slices.Contains(filepath.SplitList(path), dir) {
		_, _ = ui.Printf(env.Stderr, "warning: %s is not on PATH, so kustomize does not find it\n", dir)
	}
	return nil
}
