// SPDX-License-Identifier: Apache-2.0

package cli

import "os"

// Process identifies this process among those that can see each other's ids:
// of one machine, one boot and, in containers, one pid namespace.
type Process struct {
	Machine string // empty when that is not known
	Pid     int
	Alive   func(pid int) bool
}

func thisProcess() Process {
	return Process{Machine: machine(), Pid: os.Getpid(), Alive: isAlive}
}
