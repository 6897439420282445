// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"context"
	"io"
)

// Unpack writes the module of an image layout, an archive or a directory, into
// dir, as Pull does that of a registry. Manifest and layers are verified.
func Unpack(ctx context.Context, name, dir string, limits Limits) (Manifest, error) {
	m, err := unpack(ctx, name, dir, limits.OrDefault())
	return m, Named("unpack", name, err)
}

func unpack(ctx context.Context, name, dir string, limits Limits) (Manifest, error) {
	image, err := readLayout(name, limits)
	if err != nil {
		return Manifest{}, err
	}
	manifest, err := image.Manifest()
	if err != nil {
		return Manifest{}, err
	}
	digest, err := image.Digest()
	if err != nil {
		return Manifest{}, err
	}
	layers, err := ModuleLayers(manifest)
	if err != nil {
		return Manifest{}, err
	}
	var blobs []io.Reader
	for _, layer := range layers {
		found, err := image.LayerByDigest(layer.Digest)
		if err != nil {
			return Manifest{}, err
		}
		data, err := layerBytes(found)
		if err != nil {
			return Manifest{}, err
		}
		blobs = append(blobs, bytes.NewReader(data))
	}
	return Manifest{Digest: digest.String(), Annotations: manifest.Annotations}, Extract(ctx, dir, limits, nil, blobs...)
}
