// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
)

// Manifest is what is known of an artifact once it was pulled.
type Manifest struct {
	Digest      string // sha256:…
	Annotations map[string]string
}

// Pull writes the module that r names into dir, which must be empty or not
// exist. Without tag and digest r means the tag latest; a tag and a digest
// must agree, but latest with a digest means the digest.
//
// Manifest and layers are verified before they are parsed. On error dir is
// left as it was found, and the error wraps one of the Err values.
func Pull(ctx context.Context, r ref.Reference, dir string, o Options) (Manifest, error) {
	m, err := pull(ctx, r, dir, o)
	return m, named("pull", r, err)
}

func pull(ctx context.Context, r ref.Reference, dir string, o Options) (Manifest, error) {
	s, err := open(ctx, r, o)
	if err != nil {
		return Manifest{}, err
	}
	defer s.close()
	puller, err := remote.NewPuller(s.options...)
	if err != nil {
		return Manifest{}, err
	}
	f := &fetcher{session: s, puller: puller}
	manifest, digest, err := f.manifest(ctx)
	if err != nil {
		return Manifest{}, err
	}
	layers, err := moduleLayers(manifest)
	if err != nil {
		return Manifest{}, err
	}
	blobs, err := f.blobs(ctx, layers)
	if err != nil {
		return Manifest{}, err
	}
	if err = Extract(ctx, dir, s.limits, blobs...); err != nil {
		return Manifest{}, err
	}
	return Manifest{Digest: digest, Annotations: manifest.Annotations}, nil
}

// fetcher reads verified content from one repository.
type fetcher struct {
	*session
	puller *remote.Puller
}

// manifest returns the manifest that the session's reference names, and its
// digest.
func (f *fetcher) manifest(ctx context.Context) (*v1.Manifest, string, error) {
	wanted := f.ref.Tag
	if wanted == "" {
		wanted = ref.Latest
	}
	if wanted == ref.Latest && f.ref.Digest != "" {
		wanted = f.ref.Digest
	}
	// A digest is sent as if it were a tag, because the library's own check
	// believes the digest in a header of the answer when that answer calls
	// itself a manifest of the old schema 1.
	answer, err := f.puller.Get(ctx, f.repo.Tag(wanted))
	if err != nil {
		return nil, "", f.explain(ctx, err)
	}
	digest := hash(answer.Manifest).String()
	if f.ref.Digest != "" && digest != f.ref.Digest {
		return nil, "", fmt.Errorf("%w: the registry has %s for %q", ErrDigest, digest, wanted)
	}
	manifest, err := parseManifest(answer.Manifest, answer.MediaType)
	return manifest, digest, err
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
		return nil, fail.Hint(fmt.Errorf("%w: it is an index of several images", ErrNotModule),
			"name the digest of the module's own manifest")
	}
	if mediaType != types.OCIManifestSchema1 {
		return nil, fmt.Errorf("%w: its manifest has media type %q", ErrNotModule, mediaType)
	}
	return &manifest, nil
}

// moduleLayers returns the layers of a module in the order of their meaning.
// Layers of content types that this version does not know are left alone.
func moduleLayers(manifest *v1.Manifest) ([]v1.Descriptor, error) {
	if config := manifest.Config.MediaType; config != MediaTypeConfig {
		return nil, fail.Hint(fmt.Errorf("%w: its config has media type %q", ErrNotModule, config),
			"push a module with 'kubectl timoni mod push'")
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

// blobs downloads layers at the same time.
func (f *fetcher) blobs(ctx context.Context, layers []v1.Descriptor) ([]io.Reader, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	readers := make([]io.Reader, len(layers))
	errs := make([]error, len(layers))
	var group sync.WaitGroup
	for i, layer := range layers {
		group.Go(func() {
			data, err := f.blob(ctx, layer)
			readers[i], errs[i] = bytes.NewReader(data), err
			if err != nil {
				cancel()
			}
		})
	}
	group.Wait()
	for _, err := range errs {
		// One layer's failure cancels the others, which is not the reason.
		if err != nil && !errors.Is(err, context.Canceled) {
			return nil, err
		}
	}
	return readers, errors.Join(errs...)
}

// blob downloads one layer. A connection that breaks within it is tried
// again, which the library does for the beginning of an answer only.
func (f *fetcher) blob(ctx context.Context, layer v1.Descriptor) ([]byte, error) {
	if layer.Digest.Algorithm != "sha256" || layer.Size < 0 || layer.Size > f.limits.Blob {
		return nil, fmt.Errorf("%w: layer %s has %d bytes, more than %d", ErrTooLarge, layer.Digest, layer.Size, f.limits.Blob)
	}
	const attempts = 3
	for attempt := 1; ; attempt++ {
		data, err := f.readBlob(ctx, layer)
		if !errors.Is(err, errCut) || attempt == attempts {
			return data, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(time.Duration(attempt) * 200 * time.Millisecond):
		}
	}
}

var errCut = errors.New("the connection broke")

func (f *fetcher) readBlob(ctx context.Context, layer v1.Descriptor) ([]byte, error) {
	digest := layer.Digest.String()
	remoteLayer, err := f.puller.Layer(ctx, f.repo.Digest(digest))
	if err != nil {
		return nil, f.explain(ctx, err)
	}
	body, err := remoteLayer.Compressed()
	if err != nil {
		return nil, f.explain(ctx, err)
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, layer.Size+1))
	return data, f.verifyBlob(ctx, layer, data, err)
}

// verifyBlob decides what the end of a download means. Its judgement rests on
// the bytes that came; err is the library's.
func (f *fetcher) verifyBlob(ctx context.Context, layer v1.Descriptor, data []byte, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	size := int64(len(data))
	if size < layer.Size {
		reason := "the answer ended"
		if err != nil {
			reason = f.clean(err.Error())
		}
		return fmt.Errorf("layer %s: %w after %d of %d bytes: %s", layer.Digest, errCut, size, layer.Size, reason)
	}
	if size > layer.Size || hash(data) != layer.Digest {
		return fmt.Errorf("%w: the registry sent other content for layer %s", ErrDigest, layer.Digest)
	}
	return err
}
