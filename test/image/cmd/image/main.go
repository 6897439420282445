// SPDX-License-Identifier: Apache-2.0

// Command image packs the timoni-krm binaries of several architectures into an
// OCI layout and, for this machine's architecture, into a tarball that docker
// and podman load, and pushes the layout on request:
//
//	go run ./test/image/cmd/image -o dist/image -push ghcr.io/me/timoni-krm amd64=FILE arm64=FILE
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/kubectl-timoni/kubectl-timoni/test/image"
	"github.com/kubectl-timoni/kubectl-timoni/test/release"
)

func main() {
	output := flag.String("o", filepath.Join("dist", "image"), "directory of the layout; the tarball is DIR.tar")
	version := flag.String("version", "", "of the program, and the tag (default: what the first program says)")
	repository := flag.String("push", "", "repository to push to, under the version as the tag")
	revision := flag.String("revision", "", "of the source")
	flag.Parse()
	if err := run(*output, *version, *revision, *repository, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(output, version, revision, repository string, programs []string) error {
	created, err := epoch()
	if err != nil {
		return err
	}
	if len(programs) == 0 {
		return errors.New("name the binaries as ARCHITECTURE=FILE")
	}
	if version == "" {
		_, first, _ := strings.Cut(programs[0], "=")
		said, err := release.VersionOf(first)
		if err != nil {
			return err
		}
		version = strings.TrimPrefix(said, "v")
	}
	index := v1.ImageIndex(empty.Index)
	for _, program := range programs {
		arch, file, found := strings.Cut(program, "=")
		if !found {
			return fmt.Errorf("%q is not ARCHITECTURE=FILE", program)
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		img, err := image.Build(image.Program{Architecture: arch, Content: content, Version: version, Revision: revision, Created: created})
		if err != nil {
			return err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}},
		})
		if arch == runtime.GOARCH {
			if err := writeTarball(output+".tar", version, img); err != nil {
				return err
			}
		}
	}
	if err := writeLayout(output, index); err != nil || repository == "" {
		return err
	}
	return push(repository+":"+version, index)
}

// push pushes the image with the credentials that docker keeps.
func push(tag string, index v1.ImageIndex) error {
	reference, err := name.NewTag(tag)
	if err != nil {
		return err
	}
	if err = remote.WriteIndex(reference, index, remote.WithAuthFromKeychain(authn.DefaultKeychain)); err != nil {
		return fmt.Errorf("push %s: %w", tag, err)
	}
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	fmt.Printf("%s@%s\n", reference.Context(), digest)
	return nil
}

// epoch returns SOURCE_DATE_EPOCH, the time that reproducible builds state.
func epoch() (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return time.Time{}, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	return time.Unix(seconds, 0), nil
}

func writeLayout(dir string, index v1.ImageIndex) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	// The layout's own index holds the platforms: that is what skopeo, crane
	// and buildah take for one multi-platform image.
	if _, err := layout.Write(dir, index); err != nil {
		return err
	}
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	fmt.Printf("%s (%s)\n", dir, digest)
	return nil
}

func writeTarball(path, version string, img v1.Image) error {
	tag, err := name.NewTag("timoni-krm:" + version)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := tarball.WriteToFile(path, tag, img); err != nil {
		return err
	}
	fmt.Printf("%s (%s)\n", path, tag)
	return nil
}
