// SPDX-License-Identifier: Apache-2.0

//go:build unix

package input_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/input"
)

// TestStored holds that the open file decides whether content is stored, under
// whatever name it is read.
func TestStored(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	file, removed := at("file"), at("removed")
	for _, name := range []string{file, removed} {
		if err := os.WriteFile(name, []byte("a: 1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	gone, err := os.Open(removed)
	if err != nil {
		t.Fatal(err)
	}
	defer gone.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	fifo := at("fifo")
	for _, err := range []error{
		os.Remove(removed), syscall.Mkfifo(fifo, 0o600), os.Symlink(file, at("link")),
		os.Symlink("/dev/null", at("device")), os.Symlink(descriptor(r), at("pipe")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	go func() {
		_, _ = w.WriteString("a: 1\n")
		_ = w.Close()
		_ = os.WriteFile(fifo, []byte("a: 1\n"), 0o600)
	}()
	for name, want := range map[string]bool{
		file: true, at("link"): true, fifo: false, at("device"): false, at("pipe"): false, descriptor(gone): false,
	} {
		got, err := input.Read(t.Context(), name)
		if err != nil || got.Stored != want || name != at("device") && !bytes.Equal(got.Data, []byte("a: 1\n")) {
			t.Errorf("%s: %+v, error %v", name, got, err)
		}
	}
	if got, err := input.Read(t.Context(), "/proc/self/status"); err == nil && got.Stored {
		t.Error("a file of /proc is stored")
	}
}

func descriptor(f *os.File) string { return "/dev/fd/" + strconv.Itoa(int(f.Fd())) }

// TestAwait holds that the end of the context ends the wait for a pipe that has no
// writer.
func TestAwait(t *testing.T) {
	t.Parallel()
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	over := errors.New("over")
	ctx, cancel := context.WithCancelCause(t.Context())
	go cancel(over)
	if _, err := input.Read(ctx, fifo); !errors.Is(err, over) {
		t.Errorf("a file: %v", err)
	}
	r, w := io.Pipe()
	defer w.Close()
	if _, err := input.All(ctx, r); !errors.Is(err, over) {
		t.Errorf("a stream: %v", err)
	}
}
