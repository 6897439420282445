// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"os"
	"strings"
	"syscall"
)

// machine returns the host's name, the boot and the pid namespace, empty when
// one of them cannot be told.
func machine() string {
	host, err := os.Hostname()
	if err != nil {
		return ""
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return host + ":" + strings.TrimSpace(string(boot)) + ":" + namespace
}

// isAlive says whether there is a process with an id. One of another user
// answers that it may not be signalled.
func isAlive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || !errors.Is(err, syscall.ESRCH)
}
