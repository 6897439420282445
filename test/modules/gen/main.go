// SPDX-License-Identifier: Apache-2.0

// Command gen writes the Kubernetes schemas that the sample modules vendor, as
// 'cue get go' makes them: (cd test/modules/gen && go run .)
package main

import (
	"context"
	"embed"
	"fmt"
	"os"
	"path/filepath"

	"cuelang.org/go/cmd/cue/cmd"

	// Required, so that go.mod pins what is generated from.
	_ "k8s.io/api/core/v1"
)

//go:embed go.mod go.sum
var pins embed.FS

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// run is called in this directory.
func run(ctx context.Context) error {
	dst, err := filepath.Abs("../minimal/cue.mod/gen")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "gen")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := generate(ctx, dir); err != nil {
		return err
	}
	if err := os.RemoveAll(dst); err != nil {
		return err
	}
	return os.CopyFS(dst, os.DirFS(filepath.Join(dir, "cue.mod", "gen")))
}

// generate fills cue.mod/gen of dir. The packages that these three import
// come along.
func generate(ctx context.Context, dir string) error {
	if err := os.CopyFS(dir, pins); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(dir, "cue.mod"), 0o755); err != nil {
		return err
	}
	mod := []byte(`module: "gen.invalid@v0", language: version: "v0.9.0"`)
	if err := os.WriteFile(filepath.Join(dir, "cue.mod", "module.cue"), mod, 0o644); err != nil {
		return err
	}
	// cue, and the go command that it runs, work in the current directory.
	if err := os.Chdir(dir); err != nil {
		return err
	}
	c, err := cmd.New([]string{"get", "go", "k8s.io/api/core/v1", "k8s.io/api/apps/v1", "k8s.io/api/batch/v1"})
	if err != nil {
		return err
	}
	return c.Run(ctx)
}
