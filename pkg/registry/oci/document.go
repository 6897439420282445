// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"fmt"
	"maps"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
)

// Document is something about an artifact that refers to it: an artifact of its
// own with the subject field of OCI 1.1.
type Document struct {
	MediaType   string // of its content, which is its artifact type too
	Annotations map[string]string
	Data        []byte
	// Make returns the content in place of Data when it is to be sent, nil for none.
	Make   func(context.Context) []byte
	Digest string // of its manifest, once it is in a registry
}

// Attach says when documents go along with what is pushed.
type Attach string

// The answers.
const (
	AttachAuto   Attach = "auto"   // where the registry lists what refers to an artifact
	AttachAlways Attach = "always" // elsewhere under the tag that OCI 1.1 has for it
	AttachNever  Attach = "never"
)

// pushDocuments sends what refers to an image, before a tag leads to that: a
// push that ends half way does not look complete to the next one.
func (t target) pushDocuments(ctx context.Context, pusher *remote.Pusher, image v1.Image, documents []Document, attach Attach) ([]Document, error) {
	if len(documents) == 0 || attach == AttachNever {
		return nil, nil
	}
	subject, err := partial.Descriptor(image)
	if err != nil {
		return nil, err
	}
	subject.ArtifactType, subject.Annotations = "", nil // no part of what is referred to
	// Some registries take nothing that refers to what they do not have, and
	// list nothing of a repository that does not exist yet.
	if err = pusher.Push(ctx, t.Repo.Digest(subject.Digest.String()), image); err != nil {
		return nil, t.Explain(ctx, err)
	}
	if attach != AttachAlways {
		listed, err := t.ListsReferrers(ctx, subject.Digest)
		if err != nil || !listed {
			return nil, err
		}
	}
	var sent []Document
	for _, d := range documents {
		if d.Make != nil {
			d.Data = d.Make(ctx)
		}
		if d.Data == nil {
			continue
		}
		artifact, err := archive.NewReferrer(*subject, d.MediaType, d.Data, d.Annotations)
		if err != nil {
			return nil, err
		}
		digest, err := artifact.Digest()
		if err != nil {
			return nil, err
		}
		if err = pusher.Push(ctx, t.Repo.Digest(digest.String()), artifact); err != nil {
			return nil, fmt.Errorf("attach %s: %w", d.MediaType, t.Explain(ctx, err))
		}
		d.Digest = digest.String()
		sent = append(sent, d)
	}
	return sent, nil
}

// Documents returns what refers to the artifact that r names and has one of the
// media types, and the artifact's manifest. The content of each matches the
// digests that lead to it; who wrote it is not known.
func Documents(ctx context.Context, r ref.Reference, mediaTypes []string, o Options) (archive.Manifest, []Document, error) {
	m, list, err := documents(ctx, r, mediaTypes, o)
	return m, list, archive.Named("ask for", r, err)
}

func documents(ctx context.Context, r ref.Reference, mediaTypes []string, o Options) (archive.Manifest, []Document, error) {
	f, err := newFetcher(r, o)
	if err != nil {
		return archive.Manifest{}, nil, err
	}
	defer f.close()
	if err = f.connectUnlessOffline(ctx); err != nil {
		return archive.Manifest{}, nil, err
	}
	manifest, digest, err := f.manifest(ctx)
	if err != nil {
		return archive.Manifest{}, nil, err
	}
	subject := archive.Manifest{Digest: digest.String(), Annotations: maps.Clone(manifest.Annotations)}
	referrers, err := f.referrers(ctx, subject.Digest)
	if err != nil {
		return subject, nil, err
	}
	f.limits.Blob = maxSignature
	// Some registries list the type of the config for that of the artifact.
	wanted := func(d v1.Descriptor) bool {
		return d.ArtifactType == "" || d.ArtifactType == archive.MediaTypeEmpty || slices.Contains(mediaTypes, d.ArtifactType)
	}
	var list []Document
	for _, d := range small(referrers, wanted) {
		one := f.at("", d.Digest.String())
		manifest, own, err := one.manifest(ctx)
		if err != nil {
			return subject, nil, err
		}
		if manifest.Subject == nil || manifest.Subject.Digest != digest || !slices.Contains(mediaTypes, manifest.ArtifactType) {
			continue // it is listed, but is something else or about it
		}
		contents, err := one.contents(ctx, own, small(manifest.Layers, func(v1.Descriptor) bool { return true }))
		if err != nil {
			return subject, nil, err
		}
		for _, data := range contents {
			list = append(list, Document{MediaType: manifest.ArtifactType, Annotations: manifest.Annotations, Data: data, Digest: d.Digest.String()})
		}
	}
	return subject, list, nil
}
