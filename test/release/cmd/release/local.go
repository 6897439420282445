// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/release"
)

// local packs the programs for this platform and installs them with krew.
func local(ctx context.Context, root string) error {
	if root == "" {
		return errors.New("local needs -root")
	}
	t := release.Target{OS: runtime.GOOS, Arch: runtime.GOARCH}
	d := dist{dir: filepath.Join("dist", "local"), log: os.Stderr}
	if err := d.make(ctx, []string{t.String()}); err != nil {
		return err
	}
	record, err := release.ReadRecord(filepath.Join(d.dir, release.RecordFile))
	if err != nil {
		return err
	}
	krew, err := controlplane.Extra(ctx, "krew", os.Stderr)
	if err != nil {
		return err
	}
	if root, err = filepath.Abs(root); err != nil {
		return err
	}
	p := release.Packages()[0]
	index, err := filepath.Abs(filepath.Join(d.dir, "index"))
	if err != nil {
		return err
	}
	run := func(args ...string) error {
		cmd := exec.CommandContext(ctx, krew, args...)
		cmd.Env = append(os.Environ(), "KREW_ROOT="+root)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		return cmd.Run()
	}
	if _, err = os.Stat(filepath.Join(root, "receipts", p.Name+".yaml")); err == nil {
		// krew uninstalls nothing before it knows an index.
		if _, err = os.Stat(filepath.Join(root, "index", "local")); err != nil {
			err = run("index", "add", "local", index)
		}
		if err = errors.Join(err, run("uninstall", p.Name)); err != nil {
			return err
		}
	}
	if err = run("install", "--manifest", filepath.Join(index, p.ManifestFile()), "--archive", filepath.Join(d.dir, p.Archive(record.Version, t))); err != nil {
		return err
	}
	fmt.Printf("export PATH=%q:\"$PATH\"\n", filepath.Join(root, "bin"))
	return nil
}
