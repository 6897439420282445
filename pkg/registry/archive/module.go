// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"encoding/json"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
)

// Manifest describes an artifact that was pulled.
type Manifest struct {
	Digest      string // sha256:…
	Annotations map[string]string
}

// ParseManifest reads an image manifest. The media type in the manifest counts
// more than the one in the answer, for the digest covers it.
func ParseManifest(data []byte, mediaType types.MediaType) (*v1.Manifest, error) {
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
	if _, err = ModuleLayers(manifest); err != nil {
		return "", err
	}
	version := manifest.Annotations[AnnotationVersion]
	return version, ref.CheckVersion(version)
}

// ModuleLayers returns the layers of a module in the order of their meaning.
// Layers of content types that this version does not know are left alone.
func ModuleLayers(manifest *v1.Manifest) ([]v1.Descriptor, error) {
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
