// SPDX-License-Identifier: Apache-2.0

//go:build unix

package plugins

import (
	"fmt"
	"os"
	"syscall"
)

// Become replaces this process with p, which inherits its streams. It returns
// only when that is not possible.
func Become(p Process) error {
	return fmt.Errorf("run %s: %w", p.Path, syscall.Exec(p.Path, p.Argv, p.Environ))
}

func fileNames(name string) []string { return []string{name} }

func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// shim returns the file that kubectl runs to complete the operands and flags
// of a plugin. The plugin is found on PATH because that is where kubectl found
// it; started by its path, it knows that "kubectl …" was typed.
func shim(plugin string) (name, content string) {
	return shimPrefix + plugin, "#!/bin/sh\n# " + shimMark + "\n" +
		`exec "$(command -v kubectl-` + plugin + `)" __complete "$@"` + "\n"
}
