// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/link"
)

// The names of an OCI image layout.
const (
	layoutFile    = "oci-layout"
	layoutContent = `{"imageLayoutVersion":"1.0.0"}`
	indexFile     = "index.json"
	refName       = "org.opencontainers.image.ref.name"
	archiveSuffix = ".tar"
)

// IsArchive says whether name is that of an archive, as WriteLayout makes it
// for a name that ends in .tar, or a directory with an image layout.
func IsArchive(name string) bool {
	info, err := os.Stat(name)
	if err != nil {
		return strings.HasSuffix(name, archiveSuffix)
	}
	if !info.IsDir() {
		return true
	}
	_, err = os.Stat(filepath.Join(name, layoutFile))
	return err == nil
}

// Layout is a form of an OCI image layout on disk.
type Layout string

// The forms. By default, the name decides: one that ends in .tar is an archive.
const (
	LayoutByName    Layout = ""
	LayoutArchive   Layout = "archive"
	LayoutDirectory Layout = "directory"
)

// WriteLayout writes an artifact as an OCI image layout: into one tar archive
// or into a directory, which must be empty or not exist. Equal artifacts give
// equal bytes.
func WriteLayout(name, tag string, image v1.Image, form Layout) error {
	files, err := layoutFiles(tag, image)
	if err != nil {
		return err
	}
	if form == LayoutArchive || form == LayoutByName && strings.HasSuffix(name, archiveSuffix) {
		return writeArchive(name, files)
	}
	undo, err := emptyDir(name)
	if err != nil {
		return err
	}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		if err = link.Create(name, filepath.FromSlash(file), files[file], 0o644); err != nil {
			return errors.Join(err, undo())
		}
	}
	return nil
}

func layoutFiles(tag string, image v1.Image) (map[string][]byte, error) {
	manifest, err := image.RawManifest()
	if err != nil {
		return nil, err
	}
	config, err := image.RawConfigFile()
	if err != nil {
		return nil, err
	}
	desc := describe(types.OCIManifestSchema1, manifest)
	if tag != "" {
		desc.Annotations = map[string]string{refName: tag}
	}
	index, err := json.Marshal(v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{desc}})
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{layoutFile: []byte(layoutContent), indexFile: index}
	for _, data := range [][]byte{manifest, config} {
		files[blobFile(Hash(data))] = data
	}
	layers, err := image.Layers()
	if err != nil {
		return nil, err
	}
	for _, layer := range layers {
		data, err := layerBytes(layer)
		if err != nil {
			return nil, err
		}
		files[blobFile(Hash(data))] = data
	}
	return files, nil
}

func blobFile(digest v1.Hash) string { return path.Join("blobs", digest.Algorithm, digest.Hex) }

func layerBytes(layer v1.Layer) ([]byte, error) {
	body, err := layer.Compressed()
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

func writeArchive(name string, files map[string][]byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "tmp-")
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, f.Close())
		if err == nil {
			err = errors.Join(os.Chmod(f.Name(), 0o644), os.Rename(f.Name(), name))
		}
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	w := tar.NewWriter(f)
	for _, file := range slices.Sorted(maps.Keys(files)) {
		if err = w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: file, Mode: 0o644, Size: int64(len(files[file]))}); err != nil {
			return err
		}
		if _, err = w.Write(files[file]); err != nil {
			return err
		}
	}
	return w.Close()
}

// ReadLayout reads what WriteLayout wrote. It holds exactly one image, whose
// content is verified.
func ReadLayout(name string, limits Limits) (v1.Image, error) {
	image, err := readLayout(name, limits.OrDefault())
	return image, Named("read", name, err)
}

func readLayout(name string, limits Limits) (v1.Image, error) {
	read, err := layoutReader(name, limits)
	if err != nil {
		return nil, err
	}
	data, err := read(indexFile, MaxManifest)
	if err != nil {
		return nil, err
	}
	var index v1.IndexManifest
	if err = json.Unmarshal(data, &index); err != nil {
		return nil, fmt.Errorf("%s: %w", indexFile, err)
	}
	if len(index.Manifests) != 1 {
		return nil, fmt.Errorf("it holds %d images instead of one", len(index.Manifests))
	}
	verified := func(digest v1.Hash, limit int64) ([]byte, error) {
		blob, readErr := read(blobFile(digest), limit)
		if readErr == nil && Hash(blob) != digest {
			return nil, fmt.Errorf("%w: %s holds other content", ErrDigest, blobFile(digest))
		}
		return blob, readErr
	}
	img := &image{blobs: map[v1.Hash][]byte{}}
	if img.manifest, err = verified(index.Manifests[0].Digest, MaxManifest); err != nil {
		return nil, err
	}
	manifest, err := ParseManifest(img.manifest, types.OCIManifestSchema1)
	if err != nil {
		return nil, err
	}
	if img.config, err = verified(manifest.Config.Digest, MaxManifest); err != nil {
		return nil, err
	}
	for _, layer := range manifest.Layers {
		img.layerType = layer.MediaType // all of an artifact's have the same
		if img.blobs[layer.Digest], err = verified(layer.Digest, limits.Blob); err != nil {
			return nil, err
		}
	}
	return partial.CompressedToImage(img)
}

// layoutReader returns what reads one file of a layout, of at most limit bytes.
func layoutReader(name string, limits Limits) (func(file string, limit int64) ([]byte, error), error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return archiveReader(name, limits)
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	return func(file string, limit int64) ([]byte, error) {
		f, err := root.Open(filepath.FromSlash(file))
		if err != nil {
			return nil, err
		}
		defer f.Close()
		data, err := io.ReadAll(io.LimitReader(f, limit+1))
		if int64(len(data)) > limit {
			return nil, fmt.Errorf("%w: %s has more than %d bytes", ErrTooLarge, file, limit)
		}
		return data, err
	}, nil
}

// archiveReader reads the whole archive, which holds little other than the image.
func archiveReader(name string, limits Limits) (func(file string, limit int64) ([]byte, error), error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	files, spent := map[string][]byte{}, budget{limits: limits}
	for r := tar.NewReader(f); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("not an archive of an image layout: %w", err)
		}
		if header.Typeflag != tar.TypeReg {
			continue // directories, and what no image consists of
		}
		if err = spent.take(header.Name, header.Size); err != nil {
			return nil, err
		}
		if files[path.Clean(header.Name)], err = io.ReadAll(r); err != nil {
			return nil, err
		}
	}
	return func(file string, limit int64) ([]byte, error) {
		data, ok := files[file]
		if !ok {
			return nil, fmt.Errorf("%w: not an archive of an image layout: it has no %s", ErrNotModule, file)
		}
		if int64(len(data)) > limit {
			return nil, fmt.Errorf("%w: %s has more than %d bytes", ErrTooLarge, file, limit)
		}
		return data, nil
	}, nil
}
