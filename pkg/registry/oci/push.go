// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/Masterminds/semver/v3"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/session"
)

// Pushed says what a push did.
type Pushed struct {
	Digest    string   // of the manifest
	Tags      []string // that point to it
	Unchanged bool     // the registry had all of it
	Documents []Document
}

// Companions are what is pushed with an artifact.
type Companions struct {
	Documents []Document
	Attach    Attach // AttachAuto when empty
	// LatestAfter is the version of the artifact, to which the tag latest moves
	// if it is the highest stable one. Empty: the tag stays.
	LatestAfter string
	// Before is called when something is to be sent; an error ends the push. Nil
	// lets everything be sent.
	Before func(context.Context) error
	// WarnLatest asks for a warning that says why latest does not move.
	WarnLatest bool
}

func (c Companions) before(ctx context.Context) error {
	if c.Before == nil {
		return nil
	}
	return c.Before(ctx)
}

func checkTarget(r ref.Reference) error {
	switch {
	case r.IsLocal():
		return r.CheckRemote()
	case r.Digest != "":
		return fail.Invalidf("a digest cannot be pushed to, only a version")
	}
	return nil
}

// Push sends an artifact to the repository of r and points the tags to it, in
// their order. A tag that points to another artifact is ErrExists unless force
// is set; latest always moves. Nothing that the registry has is sent again.
func Push(ctx context.Context, image v1.Image, r ref.Reference, tags []string, force bool, o Options) (Pushed, error) {
	return PushWith(ctx, image, Companions{}, r, tags, force, o)
}

// PushWith is Push with companions, which go along unless each tag points to
// the artifact already.
func PushWith(ctx context.Context, image v1.Image, along Companions, r ref.Reference, tags []string, force bool, o Options) (Pushed, error) {
	pushed, err := push(ctx, image, r, tags, force, along, o)
	return pushed, archive.Named("push", r, err)
}

func push(ctx context.Context, image v1.Image, r ref.Reference, tags []string, force bool, along Companions, o Options) (Pushed, error) {
	if err := checkTarget(r); err != nil {
		return Pushed{}, err
	}
	digest, err := image.Digest()
	if err != nil {
		return Pushed{}, err
	}
	opened, err := session.Open(ctx, r, o.Access)
	if err != nil {
		return Pushed{}, err
	}
	s := target{opened}
	defer s.Close()
	puller, err := remote.NewPuller(s.Remote...)
	if err != nil {
		return Pushed{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	isLatest := s.latest(ctx, puller, along, o.Observe)
	missing, err := s.missing(ctx, puller, digest, tags, force)
	if err != nil {
		return Pushed{}, err
	}
	pusher, err := remote.NewPusher(s.Remote...)
	if err != nil {
		return Pushed{}, err
	}
	pushed := Pushed{Digest: digest.String(), Tags: tags, Unchanged: len(missing) == 0}
	if !pushed.Unchanged {
		if err = along.before(ctx); err != nil {
			return Pushed{}, err
		}
		if pushed.Documents, err = s.pushDocuments(ctx, pusher, image, along.Documents, along.Attach); err != nil {
			return Pushed{}, err
		}
	}
	for _, tag := range missing {
		if err = pusher.Push(ctx, s.Repo.Tag(tag), image); err != nil {
			return Pushed{}, s.Explain(ctx, err)
		}
	}
	if !isLatest() {
		return pushed, nil
	}
	pushed.Tags = append(slices.Clone(tags), ref.Latest)
	missing, err = s.missing(ctx, puller, digest, []string{ref.Latest}, true)
	if err != nil || len(missing) == 0 {
		return pushed, err
	}
	pushed.Unchanged = false
	err = pusher.Push(ctx, s.Repo.Tag(ref.Latest), image)
	return pushed, s.Explain(ctx, err)
}

// target is the repository that is pushed to.
type target struct{ *session.Session }

// latest finds out, while the artifact is on its way, whether the tag latest
// moves to it: whether its version is the highest stable one. The function that
// it returns waits for the answer. A registry that refuses to list its tags
// moves nothing.
func (t target) latest(ctx context.Context, puller *remote.Puller, along Companions, observe func(event.Event)) func() bool {
	stays := func(asked bool, format string, args ...any) bool {
		if asked {
			observe(event.Warning{Text: fmt.Sprintf("the tag %s is not moved: "+format, append([]any{ref.Latest}, args...)...)})
		}
		return false
	}
	pushed, err := semver.StrictNewVersion(along.LatestAfter)
	switch {
	case err != nil:
		return func() bool { return false }
	case pushed.Prerelease() != "":
		return func() bool { return stays(along.WarnLatest, "%s is a pre-release", pushed) }
	}
	type answer struct {
		tags []string
		err  error
	}
	listed := make(chan answer, 1)
	go func() {
		tags, err := t.Tags(ctx, puller)
		listed <- answer{tags, err}
	}()
	return sync.OnceValue(func() bool {
		a := <-listed
		if a.err != nil && !session.IsNotFound(a.err) {
			return stays(true, "the tags of %s cannot be listed: %s", t.Ref.Source(), t.Explain(ctx, a.err))
		}
		all := versions(a.tags, nil)
		if i := slices.IndexFunc(all, func(v *semver.Version) bool { return v.Prerelease() == "" && v.GreaterThan(pushed) }); i >= 0 {
			return stays(along.WarnLatest, "%s is lower than %s", pushed, all[i])
		}
		return true
	})
}

// missing returns the tags that do not point to digest.
func (t target) missing(ctx context.Context, puller *remote.Puller, digest v1.Hash, tags []string, force bool) ([]string, error) {
	var missing []string
	for _, tag := range tags {
		found, err := puller.Head(ctx, t.Repo.Tag(tag))
		switch {
		case session.IsNotFound(err):
			missing = append(missing, tag)
		case err != nil:
			return nil, t.Explain(ctx, err)
		case found.Digest == digest:
		case force, tag == ref.Latest:
			missing = append(missing, tag)
		default:
			return nil, &ExistsError{Tag: tag, Digest: found.Digest.String()}
		}
	}
	return missing, nil
}
