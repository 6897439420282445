// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"encoding/json"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
)

// Manifest describes an artifact that was pulled.
type Manifest struct {
	Digest      string // sha256:…
	Annotations map[string]string
}

// Pull writes the module that r names into dir, which must be empty or not
// exist. Without tag and digest r means the tag latest; a tag and a digest
// must agree, but latest with a digest means the digest.
//
// A digest that the cache has costs no request, a tag whose manifest it has
// costs one. Manifest and layers are verified before they are parsed. On error
// dir is left as it was found, and the error wraps one of the Err values.
func Pull(ctx context.Context, r ref.Reference, dir string, o Options) (Manifest, error) {
	m, err := pull(ctx, r, dir, o, moduleLayers)
	return m, named("pull", r, err)
}

// pull writes those layers of an artifact that layersOf returns.
func pull(ctx context.Context, r ref.Reference, dir string, o Options, layersOf func(*v1.Manifest) ([]v1.Descriptor, error)) (Manifest, error) {
	f, err := newFetcher(r, o)
	if err != nil {
		return Manifest{}, err
	}
	defer f.close()
	manifest, digest, err := f.manifest(ctx)
	if err != nil {
		return Manifest{}, err
	}
	layers, err := layersOf(manifest)
	if err != nil {
		return Manifest{}, err
	}
	return f.extract(ctx, dir, manifest, digest, layers)
}

func (f *fetcher) extract(ctx context.Context, dir string, manifest *v1.Manifest, digest v1.Hash, layers []v1.Descriptor) (Manifest, error) {
	if v := f.options.Verifier; v != nil {
		if err := v.Verify(ctx, Candidate{f.ref, digest.String(), f.options}); err != nil {
			return Manifest{}, err
		}
	}
	blobs, err := f.blobs(ctx, digest, layers)
	if err != nil {
		return Manifest{}, err
	}
	skipped := func(name string) {
		f.options.observe(event.Warning{Text: fmt.Sprintf("%s: %q is left out: a pulled module holds no Git repository", f.ref, name)})
	}
	if err = extract(ctx, dir, f.limits, skipped, blobs...); err != nil {
		return Manifest{}, err
	}
	return Manifest{Digest: digest.String(), Annotations: manifest.Annotations}, nil
}

// parseManifest reads an image manifest. The media type in the manifest counts
// more than the one in the answer, for the digest covers it.
func parseManifest(data []byte, mediaType types.MediaType) (*v1.Manifest, error) {
	var manifest v1.Manifest
	if err := json.Unmarshal(data, &manifest); err != nil {
		return nil, fmt.Errorf("the manifest cannot be read: %w", err)
	}
	if manifest.MediaType != "" {
		mediaType = manifest.MediaType
	}
	if mediaType.IsIndex() {
		return nil, &NotModuleError{Index: true}
	}
	if mediaType != types.OCIManifestSchema1 {
		return nil, fmt.Errorf("%w: its manifest has media type %q", ErrNotModule, mediaType)
	}
	return &manifest, nil
}

// ModuleVersion returns the version that a module's artifact names. It is
// ErrNotModule for another artifact.
func ModuleVersion(image Image) (string, error) {
	manifest, err := image.Manifest()
	if err != nil {
		return "", err
	}
	if _, err = moduleLayers(manifest); err != nil {
		return "", err
	}
	version := manifest.Annotations[AnnotationVersion]
	return version, ref.CheckVersion(version)
}

// moduleLayers returns the layers of a module in the order of their meaning.
// Layers of content types that this version does not know are left alone.
func moduleLayers(manifest *v1.Manifest) ([]v1.Descriptor, error) {
	if config := manifest.Config.MediaType; config != MediaTypeConfig {
		return nil, &NotModuleError{Config: string(config)}
	}
	var layers []v1.Descriptor
	for _, contentType := range []string{ContentVendor, ContentModule} {
		layer, err := layerOf(manifest, contentType)
		if err != nil {
			return nil, err
		}
		layers = append(layers, layer)
	}
	return layers, nil
}

func layerOf(manifest *v1.Manifest, contentType string) (v1.Descriptor, error) {
	var found []v1.Descriptor
	for _, layer := range manifest.Layers {
		if layer.Annotations[AnnotationContentType] == contentType {
			found = append(found, layer)
		}
	}
	switch {
	case len(found) != 1:
		return v1.Descriptor{}, fmt.Errorf("%w: it has %d layers of content type %q instead of one", ErrNotModule, len(found), contentType)
	case found[0].MediaType != MediaTypeContent:
		return v1.Descriptor{}, fmt.Errorf("%w: its layer %q has media type %q", ErrNotModule, contentType, found[0].MediaType)
	}
	return found[0], nil
}
