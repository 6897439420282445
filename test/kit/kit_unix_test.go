// SPDX-License-Identifier: Apache-2.0

//go:build unix

package kit_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

func TestLeavesNothing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		mode   string
		signal syscall.Signal // sent once the control plane runs
	}{
		"end":       {mode: "end"},
		"panic":     {mode: "panic"},
		"exit":      {mode: "exit"},
		"interrupt": {mode: "wait", signal: syscall.SIGINT},
		"terminate": {mode: "wait", signal: syscall.SIGTERM},
		"kill":      {mode: "wait", signal: syscall.SIGKILL},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cp := victim(t, test.mode, test.signal)
			if len(cp.Pids) != 6 {
				t.Errorf("%d programs, want 6", len(cp.Pids))
			}
			// Only an orderly end waits until everything is gone.
			limit := 10 * time.Second
			if test.mode == "end" {
				limit = 0
			}
			if left := leftover(cp, limit); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// victim runs TestVictim in a process of its own, until that ends, and returns
// the control plane that it had.
func victim(t *testing.T, mode string, signal syscall.Signal) *kit.ControlPlane {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestVictim$")
	cmd.Env = append(os.Environ(), kit.EnvURL+"=", "KIT_VICTIM="+mode)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	cp := &kit.ControlPlane{}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "{") {
			if err := json.Unmarshal(lines.Bytes(), cp); err != nil {
				t.Fatal(err)
			}
			if signal != 0 {
				_ = cmd.Process.Signal(signal)
			}
		}
	}
	_ = cmd.Wait()
	return cp
}

// leftover returns what is still there of cp after a time.
func leftover(cp *kit.ControlPlane, limit time.Duration) []any {
	deadline := time.Now().Add(limit)
	for {
		var left []any
		for _, pid := range cp.Pids {
			if syscall.Kill(pid, 0) == nil {
				left = append(left, pid)
			}
		}
		if _, err := os.Stat(cp.Dir); !errors.Is(err, os.ErrNotExist) {
			left = append(left, cp.Dir)
		}
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
		<-time.After(20 * time.Millisecond)
	}
}
