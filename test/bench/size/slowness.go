// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
)

// idleStart is the CPU time that a program which does nothing took to start on
// the machine on which the budgets were measured (docs/benchmarks.md).
const idleStart = 2 * time.Millisecond

// slowness returns how many times slower than that machine this one starts a
// program that does nothing, 1 when it is faster: a start on a busy or a slow
// machine costs several times as much, whatever the program.
func slowness(root string) (factor float64, err error) {
	dir, err := os.MkdirTemp("", "size")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "nothing"+controlplane.Exe())
	build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", path, "./test/bench/size/nothing")
	build.Dir = root
	if out, failed := build.CombinedOutput(); failed != nil {
		return 0, fmt.Errorf("build a program that does nothing: %w\n%s", failed, out)
	}
	took, err := startup(path)
	if err != nil {
		return 0, err
	}
	return max(1, float64(took)/float64(idleStart)), nil
}
