// SPDX-License-Identifier: Apache-2.0

//go:build unix

package render_test

import (
	"os"
	"runtime"
	"syscall"
)

// peak returns the largest resident set of a process, in MiB.
func peak(p *os.ProcessState) float64 {
	size := float64(p.SysUsage().(*syscall.Rusage).Maxrss)
	if runtime.GOOS == "darwin" { // counts bytes, the others kibibytes
		return size / (1 << 20)
	}
	return size / 1024
}
