// SPDX-License-Identifier: Apache-2.0

package plugins

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Build is what a binary was built from, as it says itself: the fields of
// cli.Build, which each of them prints.
type Build struct {
	Version  string `json:"version,omitempty"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go,omitempty"`
	CUE      string `json:"cue,omitempty"`
	Platform string `json:"platform,omitempty"`
}

// Binary is one of the binaries of the product as it was found. Problem is
// empty when it answered with the version of the front door.
type Binary struct {
	Name string `json:"name"`
	Path string `json:"path,omitempty"`
	Build
	Problem string `json:"problem,omitempty"`

	err error // ErrNotInstalled
}

// Inquiry is what is needed to ask the siblings what they were built from.
type Inquiry struct {
	Places  Places
	Own     Build
	Argv0   string // the argv[0] by which a sibling knows the question
	Environ []string
	Timeout time.Duration
}

// Binaries returns the siblings with what they were built from, in the order
// of the table. All are asked at the same time.
func (q Inquiry) Binaries(ctx context.Context) []Binary {
	ctx, cancel := context.WithTimeout(ctx, q.Timeout)
	defer cancel()
	var binaries []Binary
	for _, name := range Siblings() {
		binaries = append(binaries, Binary{Name: name})
	}
	var wg sync.WaitGroup
	for i := range binaries {
		wg.Go(func() { q.ask(ctx, &binaries[i]) })
	}
	wg.Wait()
	return binaries
}

func (q Inquiry) ask(ctx context.Context, b *Binary) {
	path, err := q.Places.Find(b.Name)
	if err != nil {
		b.err, b.Problem = err, ErrNotInstalled.Error()
		return
	}
	b.Path = path
	out, err := run(ctx, q.Environ, path, q.Argv0)
	if err == nil {
		err = json.Unmarshal(out, &b.Build)
	}
	switch {
	case err != nil:
		b.Problem = fmt.Sprintf("does not tell its version: %v", err)
	case b.Version != q.Own.Version:
		b.Problem = fmt.Sprintf("is version %s, not %s", cmp.Or(b.Version, "unknown"), q.Own.Version)
	}
}

// run returns what a program prints on stdout. Its error ends with what the
// program said on stderr.
func run(ctx context.Context, environ []string, path string, argv ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, path)
	cmd.Args, cmd.Env = argv, environ
	out, stderr, err := capture(cmd)
	if err == nil {
		return out, nil
	}
	if ctx.Err() != nil {
		return out, fmt.Errorf("timed out: %w", ctx.Err())
	}
	if said := strings.TrimSpace(string(stderr)); said != "" {
		err = fmt.Errorf("%w: %s", err, said[strings.LastIndexByte(said, '\n')+1:])
	}
	return out, err
}

// capture runs a program and returns what it printed. It prints to files, not
// to pipes: a child of the program that keeps those open would hold us up, and
// how long to wait for the rest of a pipe is no question of time.
func capture(cmd *exec.Cmd) (stdout, stderr []byte, err error) {
	dir, err := os.MkdirTemp("", "kubectl-timoni-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	out, err := os.Create(filepath.Join(dir, "stdout"))
	if err != nil {
		return nil, nil, err
	}
	defer out.Close()
	errs, err := os.Create(filepath.Join(dir, "stderr"))
	if err != nil {
		return nil, nil, err
	}
	defer errs.Close()
	cmd.Stdout, cmd.Stderr = out, errs
	err = cmd.Run()
	stdout, outErr := os.ReadFile(out.Name())
	stderr, errErr := os.ReadFile(errs.Name())
	return stdout, stderr, errors.Join(err, outErr, errErr)
}
