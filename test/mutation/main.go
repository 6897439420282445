// SPDX-License-Identifier: Apache-2.0

// Command mutation shows that the tests of the promises in docs/safety.md can
// fail: it removes what keeps each of them, in a copy of the source, and runs
// the test, which must notice.
//
//	go run ./test/mutation          # all, about 40 s each on two cores
//	go run ./test/mutation s03 s17  # some
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutation:", err)
		os.Exit(1)
	}
}

// run shows it for the promises that are named, or all.
func run(ctx context.Context, names []string) (err error) {
	root, err := controlplane.Root()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mutation-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err = copySource(ctx, root, dir); err != nil {
		return err
	}
	var unnoticed []string
	var problems []error
	for _, p := range protections() {
		if len(names) > 0 && !slices.Contains(names, p.promise) {
			continue
		}
		noticed, err := try(ctx, dir, p)
		if ctx.Err() != nil {
			return err
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", p.promise, err))
			continue
		}
		fmt.Printf("%s: %s without what %s has: noticed %v\n", p.promise, p.command(), p.file, noticed)
		if !noticed {
			unnoticed = append(unnoticed, p.promise)
		}
	}
	if unnoticed != nil {
		problems = append(problems, fmt.Errorf("no test noticed that these were broken: %s", strings.Join(unnoticed, ", ")))
	}
	return errors.Join(problems...)
}

// copySource copies what Git knows, and the binaries.
func copySource(ctx context.Context, root, dir string) error {
	cmd := exec.CommandContext(ctx, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	list, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("git ls-files: %w", err)
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(list), "\x00"), "\x00") {
		if err = copyFile(filepath.Join(root, name), filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	if err = os.CopyFS(filepath.Join(dir, "bin"), os.DirFS(filepath.Join(root, "bin"))); err != nil {
		return fmt.Errorf("copy the binaries: %w: build them with 'make build'", err)
	}
	return nil
}

func copyFile(from, to string) error {
	info, err := os.Lstat(from)
	if errors.Is(err, os.ErrNotExist) { // deleted, and not yet in a commit
		return nil
	}
	if err != nil {
		return err
	}
	if err = os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if info.Mode()&os.ModeSymlink != 0 {
		var target string
		if target, err = os.Readlink(from); err != nil {
			return err
		}
		return os.Symlink(target, to)
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, info.Mode().Perm())
}

// try removes a protection in the copy, and says whether its test notices.
func try(ctx context.Context, dir string, p protection) (noticed bool, err error) {
	path := filepath.Join(dir, filepath.FromSlash(p.file))
	whole, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	broken, err := p.remove(string(whole))
	if err != nil {
		return false, err
	}
	if err = os.WriteFile(path, []byte(broken), 0o644); err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.WriteFile(path, whole, 0o644)) }()
	if strings.HasPrefix(p.command(), "./test/e2e ") { // the scripts run the binaries
		build := []string{"build", "-o", "bin/", "./plugins/kubectl-timoni-apply", "./plugins/kubectl-timoni-instance", "./plugins/kubectl-timoni-build", "./plugins/kubectl-timoni-bundle"}
		if out, buildErr := goTool(ctx, dir, build...); buildErr != nil {
			return false, fmt.Errorf("it does not build: %w\n%s", buildErr, out)
		}
	}
	out, err := goTool(ctx, dir, append([]string{"test", "-vet=off", "-count=1", "-timeout=5m"}, strings.Fields(p.command())...)...)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil && !bytes.Contains(out, []byte("--- FAIL")) || bytes.Contains(out, []byte("no tests to run")) {
		return false, fmt.Errorf("the test did not run: %w\n%s", err, out)
	}
	return err != nil, nil
}

// command returns the arguments of go test.
func (p protection) command() string {
	if p.test != "" {
		return p.test
	}
	return "./test/e2e -run TestScripts/safety/safety_" + p.promise + "$"
}

// remove returns the text of the file without the protection.
func (p protection) remove(text string) (string, error) {
	if n := strings.Count(text, p.old); n != 1 {
		return "", fmt.Errorf("%s has %q %d times, want once", p.file, p.old, n)
	}
	return strings.Replace(text, p.old, p.new, 1), nil
}

func goTool(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-trimpath -buildvcs=false", "PWD="+dir)
	return cmd.CombinedOutput()
}
