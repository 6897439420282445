// SPDX-License-Identifier: Apache-2.0

// Package image makes the container image of the KRM function, without a
// container runtime: kustomize, kubectl and kpt run functions in containers as
// the user nobody, without network and with nothing mounted.
package image

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"fmt"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"

	"io"
)

// Program is the binary of an image: static, for Linux.
type Program struct {
	Architecture string // amd64, arm64
	Content      []byte
	Version      string
	Revision     string    // of the source, empty when it is not known
	Created      time.Time // zero for the beginning of 1970
}

// uidNobody is the user that function runners start containers as; some name it,
// others give the number.
const uidNobody = "65534"

// Build returns the image of a program. The same program makes the same image,
// on every machine.
func Build(p Program) (v1.Image, error) {
	bom, err := p.sbom()
	if err != nil {
		return nil, err
	}
	certificates, err := roots()
	if err != nil {
		return nil, err
	}
	base, err := layer([]file{
		{name: "etc/", mode: 0o755},
		{name: "etc/group", mode: 0o644, content: []byte("root:x:0:\nnobody:x:" + uidNobody + ":\n")},
		{name: "etc/passwd", mode: 0o644, content: []byte("root:x:0:0:root:/:/sbin/nologin\nnobody:x:" + uidNobody + ":" + uidNobody + ":nobody:/nonexistent:/sbin/nologin\n")},
		{name: "etc/ssl/", mode: 0o755},
		{name: "etc/ssl/certs/", mode: 0o755},
		{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, content: certificates},
		{name: "tmp/", mode: 0o1777},
	})
	if err != nil {
		return nil, err
	}
	top, err := layer([]file{
		{name: "timoni-krm", mode: 0o755, content: p.Content},
		{name: "usr/", mode: 0o755},
		{name: "usr/share/", mode: 0o755},
		{name: "usr/share/sbom/", mode: 0o755},
		{name: "usr/share/sbom/timoni-krm.spdx.json", mode: 0o644, content: bom},
	})
	if err != nil {
		return nil, err
	}
	image := mutate.MediaType(mutate.ConfigMediaType(empty.Image, types.OCIConfigJSON), types.OCIManifestSchema1)
	if image, err = mutate.AppendLayers(image, base, top); err != nil {
		return nil, err
	}
	return p.configure(image)
}

// configure sets what a runtime is told.
func (p Program) configure(image v1.Image) (v1.Image, error) {
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", p.Architecture
	config.Created = v1.Time{Time: p.created()}
	config.Config = v1.Config{
		User:       uidNobody + ":" + uidNobody,
		Entrypoint: []string{"/timoni-krm"},
		Env:        []string{"PATH=/", "HOME=/nonexistent"},
		WorkingDir: "/",
		Labels: map[string]string{
			"org.opencontainers.image.title":       "timoni-krm",
			"org.opencontainers.image.description": "KRM function that renders Timoni modules",
			"org.opencontainers.image.licenses":    "Apache-2.0",
			"org.opencontainers.image.source":      "https://github.com/kubectl-timoni/kubectl-timoni",
			"org.opencontainers.image.version":     p.Version,
		},
	}
	if p.Revision != "" {
		config.Config.Labels["org.opencontainers.image.revision"] = p.Revision
	}
	return mutate.ConfigFile(image, config)
}

func (p Program) created() time.Time {
	if p.Created.IsZero() {
		return time.Unix(0, 0).UTC()
	}
	return p.Created.UTC()
}

// file is an entry of a layer: a directory when its name ends in a slash.
type file struct {
	name    string
	mode    int64
	content []byte
}

// layer returns a layer of the files, which belong to root and have no times.
func layer(files []file) (v1.Layer, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, f := range files {
		header := &tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.content)), ModTime: time.Unix(0, 0), Typeflag: tar.TypeReg}
		if f.content == nil {
			header.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(buf.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer))
}

// roots returns the certificates that Mozilla's programs trust, in PEM form:
// they come with a module of Go, so that no machine's own get into the image.
func roots() ([]byte, error) {
	var all bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue // a file of certificates cannot express it
		}
		if err := pem.Encode(&all, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
			return nil, err
		}
	}
	return all.Bytes(), nil
}
