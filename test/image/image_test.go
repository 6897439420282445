// SPDX-License-Identifier: Apache-2.0

package image_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/image"
)

// build returns the image of the binary that 'make build' makes.
func build(t *testing.T) v1.Image {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("bin/timoni-krm is not for Linux")
	}
	root, err := controlplane.Root()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(root, "bin", "timoni-krm"))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("there is no bin/timoni-krm: make build")
	}
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Build(image.Program{Architecture: runtime.GOARCH, Content: content, Version: "1.2.3", Revision: "abc"})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// TestContent holds what runners of functions count on.
func TestContent(t *testing.T) {
	t.Parallel()
	img := build(t)
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.Config.User != "65534:65534" || config.OS != "linux" || config.Config.Labels["org.opencontainers.image.version"] != "1.2.3" {
		t.Errorf("the configuration is %+v", config)
	}
	modes := map[string]int64{}
	content := map[string]string{}
	err = each(img, func(h *tar.Header, r io.Reader) error {
		if h.Uid != 0 || h.Gid != 0 || h.Uname != "" || !h.ModTime.Equal(time.Unix(0, 0)) {
			t.Errorf("%s has an owner or a time: %+v", h.Name, h)
		}
		text, err := io.ReadAll(r)
		modes[h.Name], content[h.Name] = h.Mode, string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int64{
		"etc": 0o755, "etc/group": 0o644, "etc/passwd": 0o644,
		"etc/ssl": 0o755, "etc/ssl/certs": 0o755, "etc/ssl/certs/ca-certificates.crt": 0o644,
		"timoni-krm": 0o755, "tmp": 0o1777,
		"usr": 0o755, "usr/share": 0o755, "usr/share/sbom": 0o755, "usr/share/sbom/timoni-krm.spdx.json": 0o644,
	}
	if diff := cmp.Diff(want, modes); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	var bom struct {
		Packages []struct{ Name string }
	}
	if err := json.Unmarshal([]byte(content["usr/share/sbom/timoni-krm.spdx.json"]), &bom); err != nil || len(bom.Packages) < 10 {
		t.Errorf("the SBOM names %d packages: %v", len(bom.Packages), err)
	}
	if n := bytes.Count([]byte(content["etc/ssl/certs/ca-certificates.crt"]), []byte("BEGIN CERTIFICATE")); n < 50 {
		t.Errorf("%d certificates", n)
	}
}

// TestReproducible holds that the same program makes the same image.
func TestReproducible(t *testing.T) {
	t.Parallel()
	var digests [2]v1.Hash
	for i := range digests {
		var err error
		if digests[i], err = build(t).Digest(); err != nil {
			t.Fatal(err)
		}
	}
	if digests[0] != digests[1] {
		t.Errorf("digests %s and %s", digests[0], digests[1])
	}
}

// each calls do for every file of an image.
func each(img v1.Image, do func(*tar.Header, io.Reader) error) error {
	stream := mutate.Extract(img)
	defer stream.Close()
	r := tar.NewReader(stream)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := do(h, r); err != nil {
			return err
		}
	}
}
