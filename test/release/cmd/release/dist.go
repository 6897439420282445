// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/test/release"
)

// dist makes a directory with the archives, their bills of materials, checksums,
// and what package managers read. The programs stay in its bin, so that what has
// not changed is neither linked nor packed again.
type dist struct {
	dir, base string
	log       io.Writer
}

func (d dist) make(ctx context.Context, platforms []string) error {
	if _, err := exec.LookPath("git"); err != nil {
		return fmt.Errorf("write krew's index: install git: %w", err)
	}
	all, err := release.Programs(".")
	if err != nil {
		return err
	}
	targets, err := chosen(platforms)
	if err != nil {
		return err
	}
	version := ""
	for _, t := range targets {
		if err = d.build(ctx, t); err != nil {
			return err
		}
		if version, err = release.VersionOf(d.program(t, "kubectl-timoni")); err != nil {
			return err
		}
		for _, p := range release.Packages() {
			if err = d.pack(ctx, p, version, t, all); err != nil {
				return err
			}
		}
	}
	if err = d.describe(ctx, version, all); err != nil {
		return err
	}
	return release.Sizes(d.log, d.dir)
}

// chosen returns the platforms that are named, or all.
func chosen(platforms []string) ([]release.Target, error) {
	all := release.Targets()
	if len(platforms) == 0 {
		return all, nil
	}
	var targets []release.Target
	for _, name := range platforms {
		i := slices.IndexFunc(all, func(t release.Target) bool { return t.String() == name })
		if i < 0 {
			return nil, fmt.Errorf("invalid platform %q: want one of %v", name, all)
		}
		targets = append(targets, all[i])
	}
	return targets, nil
}

func (d dist) bin(t release.Target) string { return filepath.Join(d.dir, "bin", t.OS+"-"+t.Arch) }

func (d dist) program(t release.Target, name string) string {
	return filepath.Join(d.bin(t), t.Program(name))
}

// settings returns the environment of the go command, with none of the user's
// settings that change what it builds.
func settings() []string {
	return append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOFIPS140=off")
}

// build builds the programs for t. The go command leaves alone what is current.
func (d dist) build(ctx context.Context, t release.Target) error {
	if err := os.MkdirAll(d.bin(t), 0o755); err != nil {
		return err
	}
	stamp := "-buildvcs=false"
	if exec.CommandContext(ctx, "git", "rev-parse", "HEAD").Run() == nil {
		stamp = "-buildvcs=true"
	}
	for out, pkg := range map[string]string{d.bin(t) + string(filepath.Separator): "./plugins/...", d.program(t, "timoni-krm"): "./krmfn"} {
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", stamp, "-ldflags", "-s -w", "-o", out, pkg)
		cmd.Env = append(settings(), "CGO_ENABLED=0", "GOOS="+t.OS, "GOARCH="+t.Arch)
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build for %s: %w\n%s", t, err, text)
		}
	}
	return nil
}

// pack writes an archive and its bill of materials, unless they are of the same
// programs already. The times of programs say nothing: the go command changes
// them although it builds nothing.
func (d dist) pack(ctx context.Context, p release.Package, version string, t release.Target, all []string) error {
	archive := filepath.Join(d.dir, p.Archive(version, t))
	bom := archive + ".cdx.json"
	var programs []string
	for _, name := range p.Programs(all) {
		programs = append(programs, d.program(t, name))
	}
	if ok, err := current(archive, bom, programs); ok || err != nil {
		return err
	}
	if err := os.RemoveAll(archive); err != nil {
		return err
	}
	licences := filepath.Join(d.bin(t), "licences-"+p.Name)
	if err := inspect(ctx, p.Program, version, bom, licences, programs); err != nil {
		return fmt.Errorf("%s for %s: %w", p.Name, t, err)
	}
	_, err := p.Pack(release.Source{Root: ".", Bin: d.bin(t), Licences: licences}, d.dir, version, t)
	return err
}

// current reports whether an archive is newer than the files in it that are not
// built, and its bill of materials has the checksums of the programs.
func current(archive, bom string, programs []string) (bool, error) {
	made, err := os.Stat(archive)
	if err != nil {
		return false, nil //nolint:nilerr // it is made now
	}
	text, err := os.ReadFile(bom)
	if err != nil {
		return false, nil //nolint:nilerr // likewise
	}
	inputs := []string{"LICENSE", filepath.Join(".ci", "tools", "bom", "main.go")}
	for _, pattern := range []string{"docs/man/*.1", "test/release/*.go"} {
		files, err := filepath.Glob(filepath.FromSlash(pattern))
		if err != nil {
			return false, err
		}
		inputs = append(inputs, files...)
	}
	for _, path := range inputs {
		info, err := os.Stat(path)
		if err != nil || info.ModTime().After(made.ModTime()) {
			return false, err
		}
	}
	for _, path := range programs {
		sum, err := release.Sum(path)
		if err != nil || !strings.Contains(string(text), sum) {
			return false, err
		}
	}
	return true, nil
}

// inspect runs the program of .ci/tools that knows the libraries for bills of
// materials and licences, which are no dependencies of the product.
func inspect(ctx context.Context, name, version, bom, licences string, programs []string) error {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	args := []string{"run", "-C", filepath.Join(".ci", "tools"), "./bom", "-name", name, "-version", version,
		"-o", filepath.Join(root, bom), "-licences", filepath.Join(root, licences), "-root", root}
	for _, program := range programs {
		args = append(args, filepath.Join(root, program))
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = settings()
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("bill of materials: %w\n%s", err, text)
	}
	return nil
}

// describe writes what leads to the archives of a version.
func (d dist) describe(ctx context.Context, version string, all []string) error {
	record, err := release.Collect(d.dir, version)
	if err != nil {
		return err
	}
	if d.base != "" {
		record.Base = d.base
	}
	return record.Write(ctx, d.dir, all)
}
