// SPDX-License-Identifier: Apache-2.0

// Command schemas writes the schemas of Kubernetes that the binaries have: those
// of 'mod init' and 'mod vendor k8s', as 'cue get go' makes them, and the OpenAPI
// documents by which objects are checked: go run -C test/schemas . The archives
// are the same for the same versions in go.mod and in that of the control plane.
package main

import (
	"archive/zip"
	"bytes"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"cuelang.org/go/cmd/cue/cmd"

	// Required, so that go.mod pins what is generated from.
	_ "k8s.io/api/core/v1"
	_ "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

//go:embed go.mod go.sum
var pins embed.FS

// packages are those of the API groups that are generally available. What they
// import comes along.
func packages() []string {
	return []string{
		"k8s.io/api/admission/v1",
		"k8s.io/api/admissionregistration/v1",
		"k8s.io/api/apps/v1",
		"k8s.io/api/authentication/v1",
		"k8s.io/api/authorization/v1",
		"k8s.io/api/autoscaling/v1",
		"k8s.io/api/autoscaling/v2",
		"k8s.io/api/batch/v1",
		"k8s.io/api/certificates/v1",
		"k8s.io/api/coordination/v1",
		"k8s.io/api/core/v1",
		"k8s.io/api/discovery/v1",
		"k8s.io/api/events/v1",
		"k8s.io/api/flowcontrol/v1",
		"k8s.io/api/networking/v1",
		"k8s.io/api/node/v1",
		"k8s.io/api/policy/v1",
		"k8s.io/api/rbac/v1",
		"k8s.io/api/resource/v1",
		"k8s.io/api/scheduling/v1",
		"k8s.io/api/storage/v1",
		"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1",
	}
}

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "schemas:", err)
		os.Exit(1)
	}
}

// run is called in this directory.
func run(ctx context.Context) error {
	dst, err := filepath.Abs("../../pkg/module/schema/kubernetes/schemas.zip")
	if err != nil {
		return err
	}
	documents, err := openAPI()
	if err != nil {
		return err
	}
	if err = update("../../pkg/module/builtin/openapi.zip", documents); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "schemas")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := generate(ctx, dir); err != nil {
		return err
	}
	data, err := pack(os.DirFS(filepath.Join(dir, "cue.mod", "gen")))
	if err != nil {
		return err
	}
	return update(dst, data)
}

// update writes an archive unless there is one with the same content: another
// version of Go may only compress in another way.
func update(file string, data []byte) error {
	if old, err := os.ReadFile(file); err == nil && holdSame(old, data) {
		return nil
	}
	return os.WriteFile(file, data, 0o644)
}

// holdSame says whether two archives hold the same files in the same order.
func holdSame(a, b []byte) bool {
	x, errX := zip.NewReader(bytes.NewReader(a), int64(len(a)))
	y, errY := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	return errX == nil && errY == nil && slices.EqualFunc(x.File, y.File, func(f, g *zip.File) bool {
		return f.Name == g.Name && f.CRC32 == g.CRC32 && f.UncompressedSize64 == g.UncompressedSize64
	})
}

// generate fills cue.mod/gen of dir.
func generate(ctx context.Context, dir string) error {
	if err := os.CopyFS(dir, pins); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(dir, "cue.mod"), 0o755); err != nil {
		return err
	}
	mod := []byte(`module: "schemas.invalid@v0", language: version: "v0.9.0"`)
	if err := os.WriteFile(filepath.Join(dir, "cue.mod", "module.cue"), mod, 0o644); err != nil {
		return err
	}
	// cue, and the go command that it runs, work in the current directory.
	if err := os.Chdir(dir); err != nil {
		return err
	}
	c, err := cmd.New(append([]string{"get", "go"}, packages()...))
	if err != nil {
		return err
	}
	return c.Run(ctx)
}

// pack returns a zip that is the same for the same files.
func pack(tree fs.FS) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)})
		if err != nil {
			return err
		}
		_, err = f.Write(data)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}
