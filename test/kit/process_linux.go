// SPDX-License-Identifier: Apache-2.0

package kit

import (
	"os/exec"
	"syscall"
)

// guard makes the kernel kill the program when the supervisor is killed.
func guard(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
