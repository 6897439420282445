// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

func TestMain(m *testing.M) {
	if kit.Supervising() {
		os.Exit(kit.Supervise())
	}
	os.Exit(m.Run())
}

func TestUpAndDown(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := down(t.Context(), dir); err != nil {
		t.Errorf("down before up: %v", err)
	}
	var first, second bytes.Buffer
	if err := up(t.Context(), dir, &first, io.Discard); err != nil {
		t.Fatal(err)
	}
	if err := up(t.Context(), dir, &second, io.Discard); err != nil {
		t.Error(err)
	}
	if first.String() != second.String() {
		t.Errorf("a second up printed %q, want %q again", &second, &first)
	}
	path, ok := strings.CutPrefix(first.String(), "export KUBECONFIG=")
	if !ok || strings.Count(path, "\n") != 1 {
		t.Errorf("up printed %q, want one export line", &first)
	}
	path = strings.TrimSuffix(path, "\n")
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := down(t.Context(), dir); err != nil {
			t.Error(err)
		}
	}
	for _, gone := range []string{filepath.Dir(path), file(dir)} {
		if _, err := os.Stat(gone); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("down left %s: %v", gone, err)
		}
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{"none": nil, "two": {"up", "down"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := run(t.Context(), args, io.Discard, io.Discard)
			if err == nil || !strings.HasPrefix(err.Error(), "usage: ") {
				t.Errorf("run(%v): %v, want the usage", args, err)
			}
		})
	}
}
