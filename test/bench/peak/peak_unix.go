// SPDX-License-Identifier: Apache-2.0

//go:build unix

// Package peak tells how much memory a process took.
package peak

import (
	"os"
	"runtime"
	"syscall"
)

// Of returns the largest resident set of a process that has ended, in bytes.
func Of(p *os.ProcessState) float64 {
	size := float64(p.SysUsage().(*syscall.Rusage).Maxrss)
	if runtime.GOOS == "darwin" { // counts bytes, the others kibibytes
		return size
	}
	return size * 1024
}
