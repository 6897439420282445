// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/plugins"
)

func newCompletion(env cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "completion bash|zsh|fish|powershell|install", Short: "Set up shell completion",
		Long: `Set up the completion of 'kubectl timoni' and of 'kubectl-timoni'.

kubectl's own completion (kubectl completion --help) completes 'kubectl timoni …'
by running executables named kubectl_complete-timoni… on PATH. 'completion
install' writes them; nothing else is needed.

'completion bash|zsh|fish|powershell' prints a script for the shell that
completes 'kubectl-timoni …', for those who type the name with a dash.`,
		Args: cobra.ExactArgs(1), ValidArgs: []cobra.Completion{"bash", "zsh", "fish", "powershell"},
		RunE: func(cmd *cobra.Command, args []string) error { return script(env, cmd.Root(), args[0]) },
	}
	cmd.Example = fmt.Sprintf("  %[1]s completion install\n  source <(%[1]s completion bash)", env.Program)
	cmd.Args = cli.Args(1, "one of bash, zsh, fish, powershell and install")
	cmd.AddCommand(newInstall(env))
	return cmd
}

func script(env cli.Env, root *cobra.Command, shell string) error {
	switch shell {
	case "bash":
		return root.GenBashCompletionV2(env.Stdout, true)
	case "zsh":
		return root.GenZshCompletion(env.Stdout)
	case "fish":
		return root.GenFishCompletion(env.Stdout, true)
	case "powershell":
		return root.GenPowerShellCompletionWithDesc(env.Stdout)
	}
	return fail.OneOf("shell", shell, "bash", "zsh", "fish", "powershell")
}

func newInstall(env cli.Env) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use: "install", Short: "Write the executables through which kubectl completes 'kubectl timoni'",
		Long: `Write the executables kubectl_complete-timoni… through which kubectl (1.26 or
newer) completes 'kubectl timoni …', and print their paths. Files that this
command did not write are left alone, and then none is written (exit code 5).`,
		Args: cli.Args(0, "no arguments"),
		RunE: func(*cobra.Command, []string) error { return install(env, dir) },
	}
	cmd.Flags().StringVar(&dir, "dir", "", "directory to write to; it must be on PATH (default: where kubectl-timoni is)")
	return cmd
}

func install(env cli.Env, dir string) error {
	places := env.Places()
	if dir == "" {
		var err error
		if dir, err = places.ShimDir(); err != nil {
			return fail.Usagef("%w: name a directory with --dir", err)
		}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	paths, err := plugins.InstallShims(dir)
	if _, foreign := errors.AsType[*plugins.ForeignFileError](err); foreign {
		return fail.Hint(err, "move it away, or choose another directory with --dir")
	}
	for _, path := range paths {
		_, _ = ui.Println(env.Stdout, path)
	}
	if err == nil && !slices.Contains(places.Path, dir) {
		_, _ = ui.Printf(env.Stderr, "warning: %s is not on PATH, so kubectl does not find them\n", dir)
	}
	return err
}
