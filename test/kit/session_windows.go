// SPDX-License-Identifier: Apache-2.0

package kit

import (
	"os/exec"
	"syscall"
)

// ownSession keeps the console's signals from the program.
func ownSession(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
