// SPDX-License-Identifier: Apache-2.0

//go:build unix

package kit

import (
	"os/exec"
	"syscall"
)

// ownSession keeps the terminal's signals from the program.
func ownSession(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
