// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/sync/errgroup"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/session"
)

// Tagged is a tag of a repository.
type Tagged struct {
	Tag    string
	Digest string // of the manifest, empty when it was not asked for
}

// ListOptions say which tags are listed.
type ListOptions struct {
	Options
	Versions bool                // only semantic versions, newest first; otherwise in the order of names
	Range    *semver.Constraints // only the versions in it, nil for all
	Limit    int                 // at most so many, 0 for all
	Matching *regexp.Regexp      // only the tags that it matches, nil for all
	Digests  bool                // ask for the digest of each
	Latest   bool                // with Versions: the tag latest first, if there is one, not counted by Limit
}

// List returns the tags of the repository of r. Those that hold signatures and
// the like are left out.
func List(ctx context.Context, r ref.Reference, o ListOptions) ([]Tagged, error) {
	list, err := listTags(ctx, r, o)
	return list, archive.Named("list", r.Source(), err)
}

func listTags(ctx context.Context, r ref.Reference, o ListOptions) ([]Tagged, error) {
	s, err := session.OpenToRead(ctx, r, o.Access)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	puller, err := remote.NewPuller(s.Remote...)
	if err != nil {
		return nil, err
	}
	names, err := s.Tags(ctx, puller)
	if session.IsNotFound(err) {
		return nil, fmt.Errorf("%w: the registry has no such repository", session.ErrNotFound)
	}
	if err != nil {
		return nil, s.Explain(ctx, err)
	}
	names = choose(names, o)
	list := make([]Tagged, len(names))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(session.ConcurrentRequests)
	for i, tag := range names {
		list[i].Tag = tag
		if !o.Digests {
			continue
		}
		group.Go(func() error {
			found, headErr := puller.Head(groupCtx, s.Repo.Tag(tag))
			if headErr == nil {
				list[i].Digest = found.Digest.String()
			}
			if session.IsNotFound(headErr) {
				return nil // deleted since the list was made
			}
			return headErr
		})
	}
	if err = group.Wait(); err != nil {
		return nil, s.Explain(ctx, err)
	}
	return list, nil
}

// choose selects and sorts tags.
func choose(tags []string, o ListOptions) []string {
	if o.Matching != nil {
		tags = slices.DeleteFunc(slices.Clone(tags), func(tag string) bool { return !o.Matching.MatchString(tag) })
	}
	var chosen []string
	if o.Versions {
		for _, v := range versions(tags, o.Range) {
			chosen = append(chosen, v.Original())
		}
	} else {
		chosen = slices.DeleteFunc(slices.Clone(tags), isAttachment)
		slices.Sort(chosen)
	}
	if o.Limit > 0 && len(chosen) > o.Limit {
		chosen = chosen[:o.Limit]
	}
	if o.Latest && slices.Contains(tags, ref.Latest) {
		chosen = slices.Insert(chosen, 0, ref.Latest)
	}
	return chosen
}

// versions returns the tags that are versions in a range, newest first.
func versions(tags []string, within *semver.Constraints) []*semver.Version {
	var list []*semver.Version
	for _, tag := range tags {
		if ref.CheckVersion(tag) != nil {
			continue
		}
		v, err := semver.StrictNewVersion(tag)
		if err == nil && (within == nil || within.Check(v)) {
			list = append(list, v)
		}
	}
	slices.SortFunc(list, func(a, b *semver.Version) int { return b.Compare(a) })
	return list
}

// isAttachment says whether a tag is there to find a signature or an
// attestation of a digest, in cosign's way or that of registries without
// referrers.
func isAttachment(tag string) bool {
	rest, ok := strings.CutPrefix(tag, "sha256-")
	if !ok || len(rest) < 64 {
		return false
	}
	return strings.Trim(rest[:64], "0123456789abcdef") == ""
}

// Resolve returns r with the newest version in its range as its tag. A
// reference without a range is returned as it is. Offline the versions are
// those in the cache.
func Resolve(ctx context.Context, r ref.Reference, o Options) (ref.Reference, error) {
	if r.Range == "" {
		return r, nil
	}
	within, err := ref.ParseRange(r.Range)
	if err != nil {
		return ref.Reference{}, err
	}
	var tags []Tagged
	if o.Offline {
		tags = newest(o.Cache.Usable(o.Observe).Tags(r.Source()), within)
	} else if tags, err = listTags(ctx, r, ListOptions{Options: o, Versions: true, Range: within, Limit: 1}); err != nil {
		return ref.Reference{}, archive.Named("list", r.Source(), err)
	}
	if len(tags) == 0 {
		err = &session.NotFoundError{Source: r.Source(), Err: fmt.Errorf("no version in the range %q: %w", r.Range, session.ErrNotFound)}
		return ref.Reference{}, archive.Named("resolve", r.Source(), err)
	}
	r.Tag, r.Range = tags[0].Tag, ""
	return r, nil
}

// newest returns the newest version in a range.
func newest(tags []string, within *semver.Constraints) []Tagged {
	var list []Tagged
	for _, tag := range choose(tags, ListOptions{Versions: true, Range: within, Limit: 1}) {
		list = append(list, Tagged{Tag: tag})
	}
	return list
}

// Digest returns the digest of the manifest that r names.
func Digest(ctx context.Context, r ref.Reference, o Options) (string, error) {
	f, err := newFetcher(r, o)
	if err != nil {
		return "", archive.Named("ask for", r, err)
	}
	defer f.close()
	_, digest, err := f.raw(ctx)
	return digest.String(), archive.Named("ask for", r, err)
}

// Tag points tags to the artifact that r names, whatever they pointed to.
func Tag(ctx context.Context, r ref.Reference, tags []string, o Options) (digest string, err error) {
	digest, err = tag(ctx, r, tags, o)
	return digest, archive.Named("tag", r, err)
}

func tag(ctx context.Context, r ref.Reference, tags []string, o Options) (string, error) {
	o.Mirrors.Unused = true // what is tagged is where the tag goes
	f, err := newFetcher(r, o)
	if err != nil {
		return "", err
	}
	defer f.close()
	raw, digest, err := f.raw(ctx)
	if err != nil {
		return "", err
	}
	pusher, err := remote.NewPusher(f.Session.Remote...)
	if err != nil {
		return "", err
	}
	for _, tag := range tags {
		if err = pusher.Put(ctx, f.Repo.Tag(tag), raw); err != nil {
			return "", f.Explain(ctx, err)
		}
	}
	return digest.String(), nil
}
