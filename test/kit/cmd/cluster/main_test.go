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

	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
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

// TestStateDir holds that a cluster belongs to a checkout and not to a user.
func TestStateDir(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dirs := map[string]string{}
	for _, name := range []string{"a", "b"} {
		checkout := fixture.Dir(t, map[string]string{"go.mod": "module github.com/kubectl-timoni/kubectl-timoni\n", "sub/x": ""})
		for _, dir := range []string{checkout, filepath.Join(checkout, "sub")} {
			t.Chdir(dir)
			got, err := stateDir()
			if err != nil {
				t.Fatal(err)
			}
			if dirs[name] != "" && dirs[name] != got {
				t.Errorf("one checkout has two clusters: %s, %s", dirs[name], got)
			}
			dirs[name] = got
		}
	}
	if dirs["a"] == dirs["b"] {
		t.Errorf("two checkouts share the cluster in %s", dirs["a"])
	}
}
