// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/session"
)

// fetcher reads verified content of one repository, from the cache where it
// can. The session begins with the first request.
type fetcher struct {
	*session.Session // nil before connect

	ref     ref.Reference
	options Options
	limits  archive.Limits
	puller  *remote.Puller
	keeping *sync.WaitGroup // writes of what was downloaded into the cache
}

func newFetcher(r ref.Reference, o Options) (*fetcher, error) {
	if err := r.CheckRemote(); err != nil {
		return nil, err
	}
	o.Cache = o.Cache.Usable(o.Observe)
	return &fetcher{ref: r, options: o, limits: o.Limits.OrDefault(), keeping: &sync.WaitGroup{}}, nil
}

func (f *fetcher) close() {
	f.keeping.Wait()
	if f.Session != nil {
		f.Session.Close()
	}
}

// connect opens the session, unless there is one. Offline it is an error,
// which says that what is not in the cache.
func (f *fetcher) connect(ctx context.Context, what string) (err error) {
	if f.options.Offline {
		return &OfflineError{What: what}
	}
	if f.Session != nil {
		return nil
	}
	if f.Session, err = session.OpenToRead(ctx, f.ref, f.options.Access); err != nil {
		return err
	}
	f.puller, err = remote.NewPuller(f.Session.Remote...)
	return err
}

// requested returns the tag or the digest that the manifest is asked for by.
func (f *fetcher) requested() string {
	if f.ref.Digest != "" && (f.ref.Tag == "" || f.ref.Tag == ref.Latest) {
		return f.ref.Digest
	}
	if f.ref.Tag == "" {
		return ref.Latest
	}
	return f.ref.Tag
}

// address returns where the manifest is, as the cache knows it.
func (f *fetcher) address() string {
	r := ref.Reference{Repository: f.ref.Repository}
	if wanted := f.requested(); wanted == f.ref.Digest {
		r.Digest = wanted
	} else {
		r.Tag = wanted
	}
	return r.String()
}

// manifest returns the manifest that the reference names, and its digest.
func (f *fetcher) manifest(ctx context.Context) (*v1.Manifest, v1.Hash, error) {
	if manifest, digest := f.cachedManifest(); manifest != nil {
		return manifest, digest, f.checkPointer(manifest, digest)
	}
	raw, digest, err := f.raw(ctx)
	if err != nil {
		return nil, v1.Hash{}, err
	}
	manifest, err := archive.ParseManifest(raw.data, raw.mediaType)
	if err != nil {
		return nil, v1.Hash{}, err
	}
	f.options.Cache.Put(digest, raw.data)
	f.options.Cache.Point(f.address(), digest.String())
	return manifest, digest, nil
}

// raw asks the registry for what the reference names, and checks its digest.
func (f *fetcher) raw(ctx context.Context) (rawManifest, v1.Hash, error) {
	if err := f.connect(ctx, f.address()); err != nil {
		return rawManifest{}, v1.Hash{}, err
	}
	wanted := f.requested()
	raw, err := f.readManifest(ctx, wanted)
	if err != nil {
		return rawManifest{}, v1.Hash{}, f.withoutLatest(ctx, err)
	}
	digest := archive.Hash(raw.data)
	if f.ref.Digest != "" && digest.String() != f.ref.Digest {
		return rawManifest{}, v1.Hash{}, fmt.Errorf("%w: the registry has %s for %q", archive.ErrDigest, digest, wanted)
	}
	return raw, digest, nil
}

// withoutLatest explains that the tag latest, which stands for a version that
// is not named, does not exist.
func (f *fetcher) withoutLatest(ctx context.Context, err error) error {
	if f.ref.Tag != "" || f.ref.Digest != "" || !errors.Is(err, session.ErrNotFound) {
		return err
	}
	const shown = 5
	tags, listErr := f.Tags(ctx, f.puller)
	list := choose(tags, ListOptions{Versions: true, Limit: shown})
	if listErr != nil || len(list) == 0 {
		return err
	}
	return &NoVersionError{Newest: list}
}

// rawManifest is a manifest, or an index of them, as a registry sent it.
type rawManifest struct {
	data      []byte
	mediaType types.MediaType
}

// The methods of remote.Taggable with a media type.

func (m rawManifest) RawManifest() ([]byte, error)        { return m.data, nil }
func (m rawManifest) MediaType() (types.MediaType, error) { return m.mediaType, nil }

// cachedManifest returns a manifest from the cache when the registry need not,
// or must not, be asked: it is pinned by digest, and the version that may be
// named next to the digest is the one that the manifest names itself.
func (f *fetcher) cachedManifest() (*v1.Manifest, v1.Hash) {
	pinned := f.ref.Digest
	if pinned == "" && f.options.Offline {
		pinned = f.options.Cache.Lookup(f.address())
	}
	digest, err := v1.NewHash(pinned)
	if err != nil {
		return nil, v1.Hash{}
	}
	data := f.options.Cache.Get(digest, archive.MaxManifest)
	if data == nil {
		return nil, v1.Hash{}
	}
	// Manifests that the cache holds have their media type in themselves or
	// were read as what they are before.
	manifest, err := archive.ParseManifest(data, types.OCIManifestSchema1)
	if err != nil {
		return nil, v1.Hash{}
	}
	wanted := f.requested()
	if f.ref.Digest != "" && wanted != f.ref.Digest && manifest.Annotations[archive.AnnotationVersion] != wanted {
		return nil, v1.Hash{}
	}
	return manifest, digest
}

// checkPointer returns an error when the cache leads from a version to the
// manifest of another one. Online the registry decides.
func (f *fetcher) checkPointer(manifest *v1.Manifest, digest v1.Hash) error {
	wanted, has := f.requested(), manifest.Annotations[archive.AnnotationVersion]
	if f.ref.Digest != "" || has == "" || has == wanted || ref.CheckVersion(wanted) != nil {
		return nil //nolint:nilerr // a tag that is no version says nothing of one
	}
	return &PointerError{Digest: digest.String(), Wanted: wanted, Has: has}
}

// readManifest asks for the manifest without introducing itself first: most
// registries hand out what is public at once, and the library's own way begins
// with a request to find out how to log in. That way is taken for anything but
// success, so that its errors, retries and credentials count.
func (f *fetcher) readManifest(ctx context.Context, wanted string) (rawManifest, error) {
	if data, mediaType, ok := f.Direct(ctx, wanted); ok {
		return rawManifest{data, mediaType}, nil
	}
	// A digest is sent as if it were a tag, because the library's own check
	// believes the digest in a header of the answer when that answer calls
	// itself a manifest of the old schema 1.
	answer, err := f.puller.Get(ctx, f.Repo.Tag(wanted))
	if err != nil {
		return rawManifest{}, f.Explain(ctx, err)
	}
	return rawManifest{answer.Manifest, answer.MediaType}, nil
}

// blobs returns the content of layers. What the cache does not have is
// downloaded, all of it at the same time, by one process of several.
func (f *fetcher) blobs(ctx context.Context, manifest v1.Hash, layers []v1.Descriptor) ([]io.Reader, error) {
	for _, layer := range layers {
		if layer.Digest.Algorithm != "sha256" || layer.Size < 0 || layer.Size > f.limits.Blob {
			return nil, fmt.Errorf("%w: layer %s has %d bytes, more than %d", archive.ErrTooLarge, layer.Digest, layer.Size, f.limits.Blob)
		}
	}
	contents := make([][]byte, len(layers))
	if !f.fromCache(layers, contents) {
		if err := f.fill(ctx, manifest, layers, contents); err != nil {
			return nil, err
		}
	}
	readers := make([]io.Reader, len(layers))
	for i, data := range contents {
		readers[i] = bytes.NewReader(data)
	}
	return readers, nil
}

// fromCache reads the layers that are still missing, and says whether none is
// after that.
func (f *fetcher) fromCache(layers []v1.Descriptor, contents [][]byte) bool {
	complete := true
	for i, layer := range layers {
		if contents[i] != nil {
			continue
		}
		if contents[i] = f.options.Cache.Get(layer.Digest, layer.Size); int64(len(contents[i])) != layer.Size {
			contents[i] = nil
		}
		complete = complete && contents[i] != nil
	}
	return complete
}

func (f *fetcher) fill(ctx context.Context, manifest v1.Hash, layers []v1.Descriptor, contents [][]byte) error {
	if err := f.connect(ctx, "the layers of "+manifest.String()); err != nil {
		return err
	}
	unlock := f.options.Cache.Lock(ctx, manifest)
	if f.fromCache(layers, contents) {
		unlock()
		return nil
	}
	var puts sync.WaitGroup
	err := f.downloadAll(ctx, layers, contents, func(digest v1.Hash, data []byte) {
		puts.Go(func() { f.options.Cache.Put(digest, data) })
	})
	// Only close waits for the cache: it is written while the
	// layers are unpacked.
	f.keeping.Go(func() {
		defer unlock()
		puts.Wait()
		// What cannot be pruned now can be another time.
		_, _ = f.options.Cache.Prune(time.Time{})
	})
	return err
}

// downloadAll gets the layers that are missing. It hands each that has its
// digest to keep.
func (f *fetcher) downloadAll(ctx context.Context, layers []v1.Descriptor, contents [][]byte, keep func(v1.Hash, []byte)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, len(layers))
	var group sync.WaitGroup
	for i, layer := range layers {
		if contents[i] != nil {
			continue
		}
		group.Go(func() {
			contents[i], errs[i] = f.download(ctx, layer)
			if errs[i] != nil {
				cancel()
				return
			}
			keep(layer.Digest, contents[i])
		})
	}
	group.Wait()
	for _, err := range errs {
		// One layer's failure cancels the others, which is not the reason.
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	return errors.Join(errs...)
}
