// SPDX-License-Identifier: Apache-2.0

package artifact

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/cache"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
)

// ArtifactRequest says what an artifact that is no module is packed from.
type ArtifactRequest struct {
	Source string    // directory or file, - for Stdin
	Stdin  io.Reader // read to its end
	Name   string    // of the file that Stdin becomes; a default for its format when empty
	Metadata
	ContentType     string
	Format          archive.Format
	ResolveSymlinks bool
	Observer        event.Observer
}

// PushArtifactRequest says where an artifact goes.
type PushArtifactRequest struct {
	ArtifactRequest
	Target ref.Reference // its tag counts with Tags
	Tags   []string      // at least one here or in Target
	Force  bool          // moves tags that are there with other content
	OCI    oci.Options

	Signing
}

// PushArtifact packs an artifact and pushes it.
func PushArtifact(ctx context.Context, req PushArtifactRequest) (Pushed, error) {
	tags := req.Tags
	if req.Target.Tag != "" {
		tags = append([]string{req.Target.Tag}, tags...)
	}
	tags = slices.Compact(tags)
	if len(tags) == 0 {
		tags = []string{ref.Latest}
	}
	if err := checkTags(req.Target, tags); err != nil {
		return Pushed{}, err
	}
	image, err := req.pack(ctx)
	if err != nil {
		return Pushed{}, err
	}
	pushed, err := oci.Push(ctx, image, req.Target, tags, req.Force, req.OCI)
	if err != nil {
		return Pushed{}, err
	}
	return req.after(ctx, pushed, req.Target, tags, req.OCI)
}

// checkTags returns a usage error for what is no tag.
func checkTags(r ref.Reference, tags []string) error {
	for _, tag := range tags {
		if _, err := ref.Parse(r.Source() + ":" + tag); err != nil {
			return fail.Usagef("%q is not a tag", tag)
		}
	}
	return nil
}

// BuildArtifact writes an artifact as an OCI image layout, as BuildModule does.
func BuildArtifact(ctx context.Context, req ArtifactRequest, tag, output string, form archive.Layout) (Built, error) {
	image, err := req.pack(ctx)
	if err != nil {
		return Built{}, err
	}
	return write(output, tag, image, form)
}

func (req ArtifactRequest) pack(ctx context.Context) (archive.Image, error) {
	dir := req.Source
	if dir == "-" {
		dir = "."
	}
	annotations, err := req.annotations(ctx, directoryOf(dir))
	if err != nil {
		return nil, err
	}
	o := archive.ArtifactOptions{
		PackOptions: archive.PackOptions{Annotations: annotations, ResolveSymlinks: req.ResolveSymlinks, Observer: req.Observer},
		ContentType: req.ContentType, Format: req.Format,
	}
	var image archive.Image
	if req.Source == "-" {
		image, err = req.packStdin(o)
	} else {
		image, err = archive.PackArtifact(req.Source, o)
	}
	if err != nil {
		return nil, fmt.Errorf("pack %s: %w", req.Source, err)
	}
	return image, nil
}

// directoryOf returns a directory in which git can be asked about a path.
func directoryOf(path string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return path
	}
	return filepath.Dir(path)
}

func (req ArtifactRequest) packStdin(o archive.ArtifactOptions) (archive.Image, error) {
	data, err := io.ReadAll(io.LimitReader(req.Stdin, maxStdin+1))
	if err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return nil, fail.Usagef("the standard input is empty")
	}
	name := "stdin"
	if req.Format == archive.FormatFlux {
		name = "manifests.yaml" // Flux applies files that are called so
	}
	return archive.PackContent(cmp.Or(req.Name, name), data, o)
}

// maxStdin is more than a file in an artifact may have, which package oci says.
const maxStdin = 65 << 20

// ListRequest says which tags are listed.
type ListRequest struct {
	Reference ref.Reference
	Selection
	Versions bool // only semantic versions, newest first
	OCI      oci.Options
}

// Selection says which of the tags of a repository are listed, and what of them.
type Selection struct {
	Range   string // only the versions in it
	Limit   int    // at most so many, 0 for all
	Digests bool
	// Matching leaves the tags that it matches, all when it is nil.
	Matching *regexp.Regexp
}

// Columns returns a list as a table, with a name for the column of the tags.
func (s Selection) Columns(tags string, list []Listed) (header []string, rows [][]string) {
	header = []string{tags, "DIGEST"}
	if !s.Digests {
		header = header[:1]
	}
	for _, l := range list {
		rows = append(rows, []string{l.Version, l.Digest}[:len(header)])
	}
	return header, rows
}

// Listed is a row of a list.
type Listed struct {
	Reference string `json:"reference"`
	Tag       string `json:"tag"`
	Version   string `json:"version"` // the tag again
	Digest    string `json:"digest,omitempty"`
}

// List returns the tags of a repository.
func List(ctx context.Context, req ListRequest) ([]Listed, error) {
	o := oci.ListOptions{Options: req.OCI, Versions: req.Versions, Limit: max(req.Limit, 0), Digests: req.Digests, Matching: req.Matching}
	o.Latest = req.Versions && req.Range == "" && req.Matching == nil
	if req.Range != "" {
		within, err := ref.ParseRange(req.Range)
		if err != nil {
			return nil, err
		}
		o.Versions, o.Range = true, within
	}
	tags, err := oci.List(ctx, req.Reference, o)
	if err != nil {
		return nil, err
	}
	list := make([]Listed, len(tags))
	for i, t := range tags {
		list[i] = Listed{Reference: req.Reference.Source() + ":" + t.Tag, Tag: t.Tag, Version: t.Tag, Digest: t.Digest}
	}
	return list, nil
}

// Found is an artifact that was asked for.
type Found struct {
	Reference string `json:"reference"`
	Digest    string `json:"digest"` // of the manifest
}

// String returns the line for a person.
func (f Found) String() string { return f.Digest }

// Digest returns the digest that r names in the registry now.
func Digest(ctx context.Context, r ref.Reference, o oci.Options) (Found, error) {
	digest, err := oci.Digest(ctx, r, o)
	return Found{Reference: r.String(), Digest: digest}, err
}

// Tag points tags to the artifact that r names.
func Tag(ctx context.Context, r ref.Reference, tags []string, o oci.Options) (Pushed, error) {
	if err := checkTags(r, tags); err != nil {
		return Pushed{}, err
	}
	digest, err := oci.Tag(ctx, r, tags, o)
	return Pushed{Repository: r.Source(), Tags: tags, Digest: digest}, err
}

// PruneCache removes what was not used for so long from the cache, and more
// when it holds too much. It returns how many bytes it removed.
func PruneCache(c cache.Cache, unused time.Duration) (int64, error) {
	if c.Dir == "" {
		return 0, errNoCache()
	}
	if err := c.Check(); err != nil {
		return 0, err
	}
	return c.Prune(time.Now().Add(-unused))
}

// ListCache returns what the cache has.
func ListCache(c cache.Cache) ([]cache.Entry, error) {
	if c.Dir == "" {
		return nil, errNoCache()
	}
	if err := c.Check(); err != nil {
		return nil, err
	}
	return c.List()
}

func errNoCache() error {
	return fail.Hint(errors.New("there is no cache"), "name a directory for it in TIMONI_CACHE_DIR")
}
