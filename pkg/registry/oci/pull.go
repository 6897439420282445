// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/session"
)

// Pull writes the module that r names into dir, which must be empty or not
// exist. Without tag and digest r means the tag latest; a tag and a digest
// must agree, but latest with a digest means the digest.
//
// A digest that the cache has costs no request, a tag whose manifest it has
// costs one. Manifest and layers are verified before they are parsed. On error
// dir is left as it was found, and the error wraps one of the Err values.
func Pull(ctx context.Context, r ref.Reference, dir string, o Options) (archive.Manifest, error) {
	m, err := pull(ctx, r, dir, o, archive.ModuleLayers)
	return m, archive.Named("pull", r, err)
}

// pull writes those layers of an artifact that layersOf returns.
func pull(ctx context.Context, r ref.Reference, dir string, o Options, layersOf func(*v1.Manifest) ([]v1.Descriptor, error)) (archive.Manifest, error) {
	f, err := newFetcher(r, o)
	if err != nil {
		return archive.Manifest{}, err
	}
	defer f.close()
	manifest, digest, err := f.manifest(ctx)
	if err != nil {
		return archive.Manifest{}, err
	}
	layers, err := layersOf(manifest)
	if err != nil {
		return archive.Manifest{}, err
	}
	return f.extract(ctx, dir, manifest, digest, layers)
}

func (f *fetcher) extract(ctx context.Context, dir string, manifest *v1.Manifest, digest v1.Hash, layers []v1.Descriptor) (archive.Manifest, error) {
	if v := f.options.Verifier; v != nil {
		if err := v.Verify(ctx, Candidate{f.ref, digest.String(), f.options}); err != nil {
			return archive.Manifest{}, err
		}
	}
	blobs, err := f.blobs(ctx, digest, layers)
	if err != nil {
		return archive.Manifest{}, err
	}
	skipped := func(name string) {
		f.options.Observe(event.Warning{Text: fmt.Sprintf("%s: %q is left out: a pulled module holds no Git repository", f.ref, name)})
	}
	if err = archive.Extract(ctx, dir, f.limits, skipped, blobs...); err != nil {
		return archive.Manifest{}, err
	}
	return archive.Manifest{Digest: digest.String(), Annotations: manifest.Annotations}, nil
}

// PullArtifact writes the layers of an artifact into dir, which must be empty
// or not exist, one after the other: those of a content type, or all when
// contentType is empty. It takes artifacts of every Format. The rest is as for
// Pull.
func PullArtifact(ctx context.Context, r ref.Reference, dir, contentType string, o Options) (archive.Manifest, error) {
	m, err := pull(ctx, r, dir, o, func(m *v1.Manifest) ([]v1.Descriptor, error) { return artifactLayers(m, contentType) })
	return m, archive.Named("pull", r, err)
}

// artifactLayers returns the layers of a content type.
func artifactLayers(manifest *v1.Manifest, contentType string) ([]v1.Descriptor, error) {
	known, err := archive.LayerType(string(manifest.Config.MediaType))
	if err != nil {
		return nil, err
	}
	var layers []v1.Descriptor
	var present []string
	for _, layer := range manifest.Layers {
		if string(layer.MediaType) != known {
			return nil, fmt.Errorf("%w: it has a layer of media type %q", archive.ErrNotArtifact, layer.MediaType)
		}
		has := layer.Annotations[archive.AnnotationContentType]
		present = append(present, has)
		if contentType == "" || contentType == has {
			layers = append(layers, layer)
		}
	}
	if len(layers) == 0 {
		return nil, fmt.Errorf("%w: no layer of content type %q among %q", session.ErrNotFound, contentType, present)
	}
	return layers, nil
}
