// SPDX-License-Identifier: Apache-2.0

package plugins

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// Become runs p as a child process, since Windows cannot replace a process,
// and returns an error without text that carries its exit code. A Ctrl-C
// reaches the child from the console itself. When kubectl started this
// process, it turns every exit code but 0 into 1.
func Become(p Process) error {
	cmd := &exec.Cmd{
		Path: p.Path, Args: p.Argv, Env: p.Environ,
		Stdin: p.Stdin, Stdout: p.Stdout, Stderr: p.Stderr,
	}
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return fail.With(fail.Code(exit.ExitCode()), errors.New(""))
	}
	if err != nil {
		return fmt.Errorf("run %s: %w", p.Path, err)
	}
	return nil
}

func fileNames(name string) []string {
	return []string{name + ".exe", name + ".cmd", name + ".bat"}
}

func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && stem(path) != path
}

// shim returns the file that kubectl runs to complete the operands and flags
// of a plugin. As of 1.36 kubectl on Windows takes the file name, extension
// included, for the name of the plugin (registerPluginCommands) and therefore
// completes none; the file is what it will look up once that is mended.
func shim(plugin string) (name, content string) {
	return shimPrefix + plugin + ".cmd", "@rem " + shimMark + "\r\n" +
		"@kubectl-" + plugin + ".exe __complete %*\r\n"
}
