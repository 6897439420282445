// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"maps"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
)

// PushOptions say what is pushed beside the content, and how.
type PushOptions struct {
	Options
	Annotations     map[string]string // of the manifest; the version is added
	ResolveSymlinks bool              // as in PackOptions
	Latest          bool              // moves the tag latest too
}

// PushModule packs the module in dir and pushes it under the version that r
// names, a semantic version. It returns the digest of the manifest. Layers
// that the registry has already are not sent.
func PushModule(ctx context.Context, dir string, r ref.Reference, o PushOptions) (digest string, err error) {
	digest, err = pushModule(ctx, dir, r, o)
	return digest, named("push", r, err)
}

func pushModule(ctx context.Context, dir string, r ref.Reference, o PushOptions) (string, error) {
	switch {
	case r.IsLocal():
		return "", errLocal(r)
	case r.Digest != "":
		return "", fail.Usagef("a digest cannot be pushed to, only a version")
	case r.Tag == "":
		return "", fail.Usagef("the version is missing: %s:1.2.3", r)
	}
	if err := ref.CheckVersion(r.Tag); err != nil {
		return "", err
	}
	annotations := map[string]string{}
	maps.Copy(annotations, o.Annotations)
	annotations[AnnotationVersion] = r.Tag
	image, err := Pack(dir, PackOptions{Annotations: annotations, ResolveSymlinks: o.ResolveSymlinks, Limits: o.Limits})
	if err != nil {
		return "", err
	}
	tags := []string{r.Tag}
	if o.Latest {
		tags = append(tags, ref.Latest)
	}
	return push(ctx, image, r, tags, o.Options)
}

// push sends an artifact and points the tags to it, in their order.
func push(ctx context.Context, image v1.Image, r ref.Reference, tags []string, o Options) (string, error) {
	s, err := open(ctx, r, o)
	if err != nil {
		return "", err
	}
	defer s.close()
	pusher, err := remote.NewPusher(s.options...)
	if err != nil {
		return "", err
	}
	for _, tag := range tags {
		if err = pusher.Push(ctx, s.repo.Tag(tag), image); err != nil {
			return "", s.explain(ctx, err)
		}
	}
	digest, err := image.Digest()
	return digest.String(), err
}
