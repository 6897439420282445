// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/cache"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/session"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/signature"
)

// Where Cosign keeps signatures: as layers of an image under a tag made of the
// artifact's digest, each with the signature itself among its annotations, or,
// since its version 3, as bundles that refer to the artifact.
const (
	mediaTypePayload      = "application/vnd.dev.cosign.simplesigning.v1+json"
	mediaTypeBundle       = "application/vnd.dev.sigstore.bundle." // and a version
	annotationSignature   = "dev.cosignproject.cosign/signature"
	annotationCertificate = "dev.sigstore.cosign/certificate"
	annotationChain       = "dev.sigstore.cosign/chain"
	annotationRekor       = "dev.sigstore.cosign/bundle"
	annotationTimestamp   = "dev.sigstore.cosign/rfc3161timestamp"
)

// What is read of signatures: more than any artifact needs, and less than would
// fill the memory.
const (
	maxSignature  = 1 << 20 // bytes of one
	maxSignatures = 64      // of each kind
)

// Verifier decides whether an artifact may be used. It is asked before any of
// the content is on disk.
type Verifier interface {
	Verify(ctx context.Context, c Candidate) error
}

// Candidate is an artifact about which Verifier has to decide.
type Candidate struct {
	Reference ref.Reference
	Digest    string // of the manifest
	options   Options
}

// Lookup returns the artifact that r names as a candidate, after one request
// at most.
func Lookup(ctx context.Context, r ref.Reference, o Options) (Candidate, error) {
	f, err := newFetcher(r, o)
	if err != nil {
		return Candidate{}, archive.Named("ask for", r, err)
	}
	defer f.close()
	_, digest, err := f.manifest(ctx)
	return Candidate{r, digest.String(), o}, archive.Named("ask for", r, err)
}

// Signatures hands the signatures of the artifact to accept until that returns
// nil. The cache's come first, so that what was accepted once needs no request
// again; then all that the registry has. The error is that of the registry or
// the last of accept.
func (c Candidate) Signatures(ctx context.Context, accept func([]signature.Signature) error) error {
	offline := c.options
	offline.Offline = true
	known, err := c.read(ctx, offline, (*fetcher).tagged, (*fetcher).bundles)
	if err == nil {
		err = accept(known)
	}
	if err == nil || c.options.Offline {
		return err
	}
	tagged, err := c.read(ctx, c.options, (*fetcher).tagged)
	if err != nil {
		return err
	}
	if len(tagged) > 0 && accept(tagged) == nil {
		return nil
	}
	bundles, err := c.read(ctx, c.options, (*fetcher).bundles)
	if err != nil {
		return err
	}
	return accept(append(tagged, bundles...))
}

// read returns what each of the kinds finds. What the cache alone does not
// have is an error only when it has nothing at all.
func (c Candidate) read(ctx context.Context, o Options, kinds ...func(*fetcher, context.Context, string) ([]signature.Signature, error)) ([]signature.Signature, error) {
	o.Limits.Blob = maxSignature
	f, err := newFetcher(ref.Reference{Repository: c.Reference.Repository}, o)
	if err != nil {
		return nil, err
	}
	defer f.close()
	var all []signature.Signature
	var missing error
	for _, kind := range kinds {
		found, err := kind(f, ctx, c.Digest)
		if errors.Is(err, ErrOffline) {
			missing = err
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("signatures of %s: %w", c.Digest, err)
		}
		all = append(all, found...)
	}
	if len(all) > 0 {
		missing = nil
	}
	return all, missing
}

// at returns a fetcher for another artifact of the repository, in the same
// session.
func (f *fetcher) at(tag, digest string) *fetcher {
	other := *f
	other.ref = ref.Reference{Repository: f.ref.Repository, Tag: tag, Digest: digest}
	return &other
}

func signatureTag(digest string) string { return strings.Replace(digest, ":", "-", 1) + ".sig" }

// tagged returns the signatures under the tag made of an artifact's digest.
func (f *fetcher) tagged(ctx context.Context, digest string) ([]signature.Signature, error) {
	if err := f.connectUnlessOffline(ctx); err != nil {
		return nil, err
	}
	f = f.at(signatureTag(digest), "")
	manifest, own, err := f.manifest(ctx)
	if errors.Is(err, session.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	layers := small(manifest.Layers, func(d v1.Descriptor) bool { return d.MediaType == mediaTypePayload })
	payloads, err := f.contents(ctx, own, layers)
	if err != nil {
		return nil, err
	}
	list := make([]signature.Signature, len(layers))
	for i, layer := range layers {
		list[i] = signature.Signature{
			Payload: payloads[i], Value: layer.Annotations[annotationSignature],
			Certificate: layer.Annotations[annotationCertificate], Chain: layer.Annotations[annotationChain],
			Rekor: layer.Annotations[annotationRekor], Timestamp: layer.Annotations[annotationTimestamp],
		}
	}
	return list, nil
}

// connectUnlessOffline opens the session before the fetcher is copied, so that
// all copies share it and close ends it.
func (f *fetcher) connectUnlessOffline(ctx context.Context) error {
	if f.options.Offline {
		return nil
	}
	return f.connect(ctx, "")
}

// small returns those descriptors of a kind that are read.
func small(all []v1.Descriptor, wanted func(v1.Descriptor) bool) []v1.Descriptor {
	var list []v1.Descriptor
	for _, d := range all {
		if wanted(d) && d.Size <= maxSignature && len(list) < maxSignatures {
			list = append(list, d)
		}
	}
	return list
}

func (f *fetcher) contents(ctx context.Context, manifest v1.Hash, layers []v1.Descriptor) ([][]byte, error) {
	readers, err := f.blobs(ctx, manifest, layers)
	if err != nil {
		return nil, err
	}
	list := make([][]byte, len(readers))
	for i, r := range readers {
		if list[i], err = io.ReadAll(r); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// bundles returns the bundles that refer to an artifact.
func (f *fetcher) bundles(ctx context.Context, digest string) ([]signature.Signature, error) {
	if err := f.connectUnlessOffline(ctx); err != nil {
		return nil, err
	}
	referrers, err := f.referrers(ctx, digest)
	if err != nil {
		return nil, err
	}
	isBundle := func(d v1.Descriptor) bool { return strings.HasPrefix(d.ArtifactType, mediaTypeBundle) }
	var list []signature.Signature
	for _, d := range small(referrers, isBundle) {
		one := f.at("", d.Digest.String())
		manifest, own, err := one.manifest(ctx)
		if err != nil {
			return nil, err
		}
		layers := small(manifest.Layers, func(d v1.Descriptor) bool { return strings.HasPrefix(string(d.MediaType), mediaTypeBundle) })
		contents, err := one.contents(ctx, own, layers)
		if err != nil {
			return nil, err
		}
		for _, data := range contents {
			list = append(list, signature.Signature{Bundle: data})
		}
	}
	return list, nil
}

// referrers returns what refers to an artifact, as the registry or, for those
// that do not know, a tag in the repository lists it.
func (f *fetcher) referrers(ctx context.Context, digest string) ([]v1.Descriptor, error) {
	// The cache keeps the list under the name of that tag.
	address := f.at(strings.Replace(digest, ":", "-", 1), "").address()
	if f.options.Offline {
		own, err := v1.NewHash(f.options.Cache.Lookup(address))
		if err != nil {
			return nil, f.connect(ctx, "what refers to "+digest)
		}
		return parseIndex(f.options.Cache.Get(own, archive.MaxManifest))
	}
	index, err := remote.Referrers(f.Repo.Digest(digest), f.WithContext(ctx)...)
	if err != nil {
		return nil, f.Explain(ctx, err)
	}
	data, err := index.RawManifest()
	if err != nil {
		return nil, err
	}
	own := archive.Hash(data)
	f.options.Cache.Put(own, data)
	f.options.Cache.Point(address, own.String())
	return parseIndex(data)
}

func parseIndex(data []byte) ([]v1.Descriptor, error) {
	if data == nil {
		return nil, nil // pruned since
	}
	var index v1.IndexManifest
	if err := json.Unmarshal(data, &index); err != nil {
		return nil, fmt.Errorf("the list of what refers to it cannot be read: %w", err)
	}
	return index.Manifests, nil
}

// Signer makes signatures with a key.
type Signer interface {
	Sign(repository, digest string) (signature.Signature, error)
	Public() (signature.PublicKey, error)
}

// Sign signs the artifact of the repository of r with the digest, unless the
// key did so before, and says whether it was necessary. The signature joins
// those that are there.
func Sign(ctx context.Context, r ref.Reference, digest string, key Signer, o Options) (added bool, err error) {
	added, err = sign(ctx, r, digest, key, o)
	return added, archive.Named("sign", r.Source()+"@"+digest, err)
}

func sign(ctx context.Context, r ref.Reference, digest string, key Signer, o Options) (bool, error) {
	o.Mirrors.Unused, o.Cache = true, cache.Cache{} // what is added to is what the registry has now
	f, err := newFetcher(ref.Reference{Repository: r.Repository}, o)
	if err != nil {
		return false, err
	}
	defer f.close()
	public, err := key.Public()
	if err != nil {
		return false, err
	}
	there, err := f.tagged(ctx, digest)
	if err != nil {
		return false, err
	}
	// A signature that was copied along names another repository.
	own := signature.Subject{Digest: digest, Accepts: func(named string) bool { return named == r.Repository }}
	if _, err = signature.Verify(there, own, []signature.PublicKey{public}); err == nil {
		return false, nil
	}
	s, err := key.Sign(r.Repository, digest)
	if err != nil {
		return false, err
	}
	return true, f.attach(ctx, signatureTag(digest), s)
}

// attach adds a signature to those under a tag.
func (f *fetcher) attach(ctx context.Context, tag string, s signature.Signature) error {
	image, err := remote.Image(f.Repo.Tag(tag), f.WithContext(ctx)...)
	if session.IsNotFound(err) {
		image, err = mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), nil
	}
	if err != nil {
		return f.Explain(ctx, err)
	}
	image, err = mutate.Append(image, mutate.Addendum{
		Layer:       static.NewLayer(s.Payload, mediaTypePayload),
		Annotations: map[string]string{annotationSignature: s.Value},
	})
	if err != nil {
		return err
	}
	return f.Explain(ctx, remote.Write(f.Repo.Tag(tag), image, f.WithContext(ctx)...))
}

// AddBundle makes a signature that is a bundle refer to the artifact of the
// repository of r with the digest.
func AddBundle(ctx context.Context, r ref.Reference, digest string, bundle []byte, o Options) error {
	return archive.Named("sign", r.Source()+"@"+digest, addBundle(ctx, r, digest, bundle, o))
}

func addBundle(ctx context.Context, r ref.Reference, digest string, bundle []byte, o Options) error {
	o.Mirrors.Unused = true
	f, err := newFetcher(ref.Reference{Repository: r.Repository}, o)
	if err != nil {
		return err
	}
	defer f.close()
	if err = f.connect(ctx, ""); err != nil {
		return err
	}
	subject, err := remote.Head(f.Repo.Digest(digest), f.WithContext(ctx)...)
	if err != nil {
		return f.Explain(ctx, err)
	}
	subject.ArtifactType, subject.Annotations = "", nil // no part of what is referred to
	image, err := archive.NewReferrer(*subject, signature.MediaTypeBundle, bundle, map[string]string{
		"dev.sigstore.bundle.content":       "dsse-envelope",
		"dev.sigstore.bundle.predicateType": signature.PredicateType,
	})
	if err != nil {
		return err
	}
	own, err := image.Digest()
	if err != nil {
		return err
	}
	return f.Explain(ctx, remote.Write(f.Repo.Digest(own.String()), image, f.WithContext(ctx)...))
}
