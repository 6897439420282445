// SPDX-License-Identifier: Apache-2.0

// Command cluster keeps one control plane of the kit running for this checkout,
// for use by hand.
//
//	cluster build         build the control plane's programs
//	cluster build-peers   build the programs of other projects that tests run
//	cluster up            start it, unless it runs, and print its export line
//	cluster down          stop it and remove its files
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

func main() {
	os.Exit(kit.Program(func(ctx context.Context) error { return run(ctx, os.Args[1:], os.Stdout, os.Stderr) }))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) != 1 {
		return errors.New("usage: cluster build|build-peers|up|down")
	}
	switch args[0] {
	case "build":
		_, err := controlplane.Binaries(ctx, stderr)
		return err
	case "build-peers":
		return controlplane.Extras(ctx, stderr)
	}
	dir, err := stateDir()
	if err != nil {
		return err
	}
	unlock, err := lockedfile.MutexAt(filepath.Join(dir, "lock")).Lock()
	if err != nil {
		return fmt.Errorf("lock %s: %w", dir, err)
	}
	defer unlock()
	switch args[0] {
	case "up":
		return up(ctx, dir, stdout, stderr)
	case "down":
		return down(ctx, dir)
	}
	return fmt.Errorf("unknown verb %q: usage: cluster build|build-peers|up|down", args[0])
}

// stateDir returns the directory for what up leaves for down, and makes it. It
// lies in the user's cache, so that 'make clean' does not lose a running
// cluster, and belongs to this checkout: two of them do not end each other's.
func stateDir() (string, error) {
	root, err := controlplane.Root()
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache directory: %w", err)
	}
	sum := sha256.Sum256([]byte(root))
	dir := filepath.Join(cache, "kubectl-timoni", "clusters", hex.EncodeToString(sum[:6]))
	if err = os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("create the cache: %w", err)
	}
	return dir, nil
}

// state is what up leaves for down.
type state struct {
	URL string `json:"url"`
	Pid int    `json:"pid"`
}

func up(ctx context.Context, dir string, stdout, stderr io.Writer) error {
	s, err := load(dir)
	if err != nil {
		return err
	}
	cp, err := kit.Attach(ctx, s.URL)
	if err != nil {
		if s, cp, err = start(ctx, dir, stderr); err != nil {
			return err
		}
	}
	fmt.Fprintf(stderr, "registry: %s\nlogs: %s\n", cp.Registry, cp.Dir)
	fmt.Fprintf(stderr, "to run tests on it: export %s=%s\n", kit.EnvURL, s.URL)
	fmt.Fprintf(stdout, "export KUBECONFIG=%s\n", cp.Kubeconfig)
	return nil
}

func start(ctx context.Context, dir string, stderr io.Writer) (state, *kit.ControlPlane, error) {
	// Built here, because the supervisor's messages go to its log.
	if _, err := controlplane.Binaries(ctx, stderr); err != nil {
		return state{}, nil, err
	}
	sup, err := kit.Spawn(kit.Options{Detached: true, LogFile: filepath.Join(dir, "log")})
	if err != nil {
		return state{}, nil, err
	}
	s := state{URL: sup.URL, Pid: sup.Pid}
	cp, err := kit.Attach(ctx, s.URL)
	if err == nil {
		err = save(dir, s)
	}
	if err != nil {
		return state{}, nil, errors.Join(err, kit.Halt(context.WithoutCancel(ctx), s.URL))
	}
	return s, cp, nil
}

func down(ctx context.Context, dir string) error {
	s, err := load(dir)
	if err != nil {
		return err
	}
	if s.URL == "" {
		return nil
	}
	if _, err := kit.Attach(ctx, s.URL); err == nil {
		if err := kit.Halt(ctx, s.URL); err != nil {
			return err
		}
	}
	return errors.Join(os.Remove(file(dir)), os.Remove(filepath.Join(dir, "log")))
}

func file(dir string) string { return filepath.Join(dir, "state.json") }

// load returns the state that save wrote, or an empty one.
func load(dir string) (state, error) {
	data, err := os.ReadFile(file(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return state{}, nil
	}
	if err != nil {
		return state{}, fmt.Errorf("read the state: %w", err)
	}
	var s state
	if err := json.Unmarshal(data, &s); err != nil {
		return state{}, fmt.Errorf("read %s: %w", file(dir), err)
	}
	return s, nil
}

func save(dir string, s state) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file(dir), data, 0o600); err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	return nil
}
