// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/internal/ignore"
)

// PackOptions say how a directory becomes an artifact.
type PackOptions struct {
	Annotations map[string]string // of the manifest
	// ResolveSymlinks packs what a symbolic link points to, in its place. An
	// artifact holds no links, so without it a link is an error.
	ResolveSymlinks bool
	Limits          Limits
	// Observer is warned of names that Windows does not have, nil to discard.
	Observer event.Observer
}

// pack is PackModule without a version.
func pack(dir string, opts PackOptions) (v1.Image, error) {
	manifest := path.Join(vendorDir, "module.cue")
	_, err := os.Stat(filepath.Join(dir, filepath.FromSlash(manifest)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("directory %q is %w: it has no %s", dir, ErrNotModule, manifest)
	}
	if err != nil {
		return nil, err
	}
	ignored, err := readIgnore(dir)
	if err != nil {
		return nil, err
	}
	p := &packer{dir: dir, resolve: opts.ResolveSymlinks, observer: opts.Observer, budget: budget{limits: opts.Limits.OrDefault()}}
	vendor, err := p.layer(func(rel string, _ bool) bool { return isVendor(rel) })
	if err != nil {
		return nil, err
	}
	module, err := p.layer(func(rel string, isDir bool) bool { return !isVendor(rel) && !ignored.Match(rel, isDir) })
	if err != nil {
		return nil, err
	}
	return newImage(MediaTypeConfig, MediaTypeContent, opts.Annotations, content{ContentVendor, vendor}, content{ContentModule, module})
}

// PackModule makes the artifact of the module in dir, with the version among
// the annotations. Equal content gives an equal digest: modes, owners and times
// of the files do not count. The error is ErrNotModule when dir has no
// cue.mod/module.cue. Anything called .git, on any file system, is left out.
func PackModule(dir, version string, o PackOptions) (v1.Image, error) {
	annotations := map[string]string{}
	maps.Copy(annotations, o.Annotations)
	annotations[AnnotationVersion] = version
	o.Annotations = annotations
	return pack(dir, o)
}

// isVendor says whether a path belongs to the vendor layer.
func isVendor(rel string) bool {
	return rel == vendorDir || strings.HasPrefix(rel, vendorDir+"/")
}

func readIgnore(dir string) (ignore.Rules, error) {
	name := filepath.Join(dir, ignoreFile)
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rules, err := ignore.Parse(string(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return rules, nil
}

// packer writes the layers of one artifact.
type packer struct {
	dir      string
	resolve  bool
	budget   budget
	observer event.Observer

	keep func(rel string, isDir bool) bool // decides for the current layer
	tar  *tar.Writer
}

// layer returns the gzip-compressed tar archive of what keep accepts.
func (p *packer) layer(keep func(rel string, isDir bool) bool) ([]byte, error) {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	p.keep, p.tar = keep, tar.NewWriter(zip)
	info, err := os.Stat(p.dir)
	if err != nil {
		return nil, err
	}
	if err = p.writeDir(".", []fs.FileInfo{info}); err != nil {
		return nil, err
	}
	if err = errors.Join(p.tar.Close(), zip.Close()); err != nil {
		return nil, err
	}
	if size := int64(out.Len()); size > p.budget.limits.Blob {
		return nil, fmt.Errorf("%w: directory %q packs into a layer of %d bytes, more than the allowed %d", ErrTooLarge, p.dir, size, p.budget.limits.Blob)
	}
	return out.Bytes(), nil
}

// writeDir writes a directory and what is in it. The last of parents is the
// directory itself.
func (p *packer) writeDir(rel string, parents []fs.FileInfo) error {
	if err := p.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: rel, Mode: 0o755}); err != nil {
		return err
	}
	entries, err := os.ReadDir(p.onDisk(rel))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err = p.writeEntry(path.Join(rel, entry.Name()), parents); err != nil {
			return err
		}
	}
	return nil
}

func (p *packer) writeEntry(rel string, parents []fs.FileInfo) error {
	info, err := p.stat(rel)
	if err != nil {
		return err
	}
	if isGit(path.Base(rel)) || !p.keep(rel, info.IsDir()) {
		return nil
	}
	if isReserved(path.Base(rel)) && p.observer != nil {
		p.observer.Observe(event.Warning{Text: fmt.Sprintf("%q is no file name on Windows, where the artifact cannot be pulled", rel)})
	}
	if _, err = entryName(rel); err != nil {
		return err
	}
	if err = p.budget.add(rel, info); err != nil {
		return err
	}
	switch {
	case info.Mode().IsRegular():
		return p.writeFile(rel, info.Size())
	case !info.IsDir():
		return refuseType(rel, info.Mode())
	}
	for _, parent := range parents {
		if os.SameFile(parent, info) {
			return fmt.Errorf("%q is a symbolic link to a directory that contains it", rel)
		}
	}
	return p.writeDir(rel, append(slices.Clip(parents), info))
}

func (p *packer) stat(rel string) (fs.FileInfo, error) {
	if p.resolve {
		return os.Stat(p.onDisk(rel))
	}
	return os.Lstat(p.onDisk(rel))
}

func (p *packer) onDisk(rel string) string {
	return filepath.Join(p.dir, filepath.FromSlash(rel))
}

func (p *packer) writeFile(rel string, size int64) error {
	f, err := os.Open(p.onDisk(rel))
	if err != nil {
		return err
	}
	defer f.Close()
	if err = p.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: rel, Mode: 0o644, Size: size}); err != nil {
		return err
	}
	if _, err = io.CopyN(p.tar, f, size); err != nil {
		return fmt.Errorf("read %s: %w", f.Name(), err)
	}
	return nil
}

func refuseType(rel string, mode fs.FileMode) error {
	if mode&fs.ModeSymlink == 0 {
		return fmt.Errorf("%q is neither a file nor a directory (%s): list it in %s", rel, mode.Type(), ignoreFile)
	}
	return &LinkError{Name: rel, Ignore: ignoreFile}
}

// content is a layer of an artifact.
type content struct {
	contentType string
	data        []byte
}

// image is an artifact in memory.
type image struct {
	manifest  []byte
	config    []byte
	layerType types.MediaType
	blobs     map[v1.Hash][]byte
}

func newImage(configType, layerType string, annotations map[string]string, layers ...content) (v1.Image, error) {
	img := &image{config: []byte(emptyConfig), layerType: types.MediaType(layerType), blobs: map[v1.Hash][]byte{}}
	m := v1.Manifest{
		SchemaVersion: 2, MediaType: types.OCIManifestSchema1,
		Config: describe(types.MediaType(configType), img.config), Annotations: annotations,
	}
	for _, l := range layers {
		desc := describe(img.layerType, l.data)
		if l.contentType != "" {
			desc.Annotations = map[string]string{AnnotationContentType: l.contentType}
		}
		m.Layers = append(m.Layers, desc)
		img.blobs[desc.Digest] = l.data
	}
	var err error
	if img.manifest, err = json.Marshal(m); err != nil {
		return nil, err
	}
	return partial.CompressedToImage(img)
}

// NewReferrer returns the artifact that holds data and refers to subject, with
// the subject field of OCI 1.1.
func NewReferrer(subject v1.Descriptor, mediaType string, data []byte, annotations map[string]string) (v1.Image, error) {
	img := &image{config: []byte(emptyJSON), layerType: types.MediaType(mediaType), blobs: map[v1.Hash][]byte{Hash(data): data}}
	var err error
	img.manifest, err = json.Marshal(v1.Manifest{
		SchemaVersion: 2, MediaType: types.OCIManifestSchema1, ArtifactType: mediaType,
		Config: describe(MediaTypeEmpty, img.config), Layers: []v1.Descriptor{describe(img.layerType, data)},
		Annotations: annotations, Subject: &subject,
	})
	if err != nil {
		return nil, err
	}
	return partial.CompressedToImage(img)
}

func describe(mediaType types.MediaType, data []byte) v1.Descriptor {
	return v1.Descriptor{MediaType: mediaType, Size: int64(len(data)), Digest: Hash(data)}
}

// Hash returns the digest of data.
func Hash(data []byte) v1.Hash {
	sum := sha256.Sum256(data)
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}
}

// The methods of partial.CompressedImageCore.

func (i *image) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }
func (i *image) RawManifest() ([]byte, error)        { return i.manifest, nil }
func (i *image) RawConfigFile() ([]byte, error)      { return i.config, nil }

func (i *image) LayerByDigest(digest v1.Hash) (partial.CompressedLayer, error) {
	data, ok := i.blobs[digest]
	if !ok {
		return nil, fmt.Errorf("the artifact has no layer %s", digest)
	}
	return memoryLayer{static.NewLayer(data, i.layerType), digest, data}, nil
}

// memoryLayer is a layer whose content says what it is, so that who sends it
// can report it.
type memoryLayer struct {
	v1.Layer
	digest v1.Hash
	data   []byte
}

// Compressed implements partial.CompressedLayer.
func (l memoryLayer) Compressed() (io.ReadCloser, error) {
	return layerBody{bytes.NewReader(l.data), l.digest}, nil
}

// layerBody is the content of a layer on its way to a registry.
type layerBody struct {
	*bytes.Reader
	digest v1.Hash
}

// LayerDigest says of which layer it is.
func (b layerBody) LayerDigest() string { return b.digest.String() }

// Close implements io.Closer.
func (layerBody) Close() error { return nil }
