// SPDX-License-Identifier: Apache-2.0

//go:build unix

package cluster_test

import (
	"os"
	"runtime"
	"syscall"
)

// peak returns the largest resident set of a process, in MB of 10^6 bytes.
func peak(p *os.ProcessState) float64 {
	size := float64(p.SysUsage().(*syscall.Rusage).Maxrss)
	if runtime.GOOS == "darwin" { // counts bytes, the others kibibytes
		return size / 1e6
	}
	return size * 1024 / 1e6
}
