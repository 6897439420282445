// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// Image is an artifact that was packed or read.
type Image = v1.Image

// Format is a pair of media types, by which a client knows an artifact as one
// of its own.
type Format string

// The formats.
const (
	FormatTimoni Format = "timoni"
	FormatFlux   Format = "flux" // for the OCIRepository of Flux's source controller
)

// mediaTypes returns the media types of config and layer.
func (f Format) mediaTypes() (config, layer string, err error) {
	switch f {
	case FormatTimoni, "":
		return MediaTypeConfig, MediaTypeContent, nil
	case FormatFlux:
		return "application/vnd.cncf.flux.config.v1+json", "application/vnd.cncf.flux.content.v1.tar+gzip", nil
	}
	return "", "", fail.OneOf("format", f, FormatTimoni, FormatFlux)
}

// contentGeneric is the content type of an artifact for which none is given.
const contentGeneric = "generic"

// ArtifactOptions say what an artifact that is no module looks like.
type ArtifactOptions struct {
	PackOptions
	ContentType string // of the layer, generic when empty; Flux's have none
	Format      Format // FormatTimoni when empty
}

// PackArtifact makes an artifact of one layer from a directory, to which its
// timoni.ignore applies, or from a file.
func PackArtifact(name string, o ArtifactOptions) (v1.Image, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		data, readErr := os.ReadFile(name)
		if readErr != nil {
			return nil, readErr
		}
		return PackContent(filepath.Base(name), data, o)
	}
	ignored, err := readIgnore(name)
	if err != nil {
		return nil, err
	}
	p := &packer{dir: name, resolve: o.ResolveSymlinks, observer: o.Observer, budget: budget{limits: o.Limits.OrDefault()}}
	data, err := p.layer(func(rel string, isDir bool) bool { return !ignored.Match(rel, isDir) })
	if err != nil {
		return nil, err
	}
	return o.image(data)
}

// PackContent makes an artifact whose layer holds one file.
func PackContent(name string, data []byte, o ArtifactOptions) (v1.Image, error) {
	if isGit(name) {
		return nil, fail.Invalidf("%q is a file of Git's, which no artifact holds", name)
	}
	limits := o.Limits.OrDefault()
	if size := int64(len(data)); size > limits.File {
		return nil, fmt.Errorf("%w: file %q has %d bytes, more than %d", ErrTooLarge, name, size, limits.File)
	}
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	w := tar.NewWriter(zip)
	err := errors.Join(
		w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: ".", Mode: 0o755}),
		w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(data))}))
	if err == nil {
		_, err = w.Write(data)
	}
	if err = errors.Join(err, w.Close(), zip.Close()); err != nil {
		return nil, err
	}
	return o.image(out.Bytes())
}

func (o ArtifactOptions) image(layer []byte) (v1.Image, error) {
	config, mediaType, err := o.Format.mediaTypes()
	if err != nil {
		return nil, err
	}
	contentType := o.ContentType
	if contentType == "" && o.Format != FormatFlux {
		contentType = contentGeneric
	}
	return newImage(config, mediaType, o.Annotations, content{contentType, layer})
}

// LayerType returns the media type of the layers that belong to a config.
func LayerType(wanted string) (string, error) {
	for _, f := range []Format{FormatTimoni, FormatFlux} {
		config, layer, err := f.mediaTypes()
		if err != nil || config == wanted {
			return layer, err
		}
	}
	return "", fmt.Errorf("%w: its config has media type %q", ErrNotArtifact, wanted)
}
