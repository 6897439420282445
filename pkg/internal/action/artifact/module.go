// SPDX-License-Identifier: Apache-2.0

// Package artifact holds the verbs on what registries have: modules, other
// artifacts, and the credentials for them. It links no CUE.
package artifact

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/attest"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
)

// ModuleRequest says what a module is packed from.
type ModuleRequest struct {
	Source  string // directory of the module, or an archive or layout made by BuildModule
	Version string // an archive has its own, which it may be left out for
	Metadata
	Images          []string // container images to annotate, sorted
	ResolveSymlinks bool     // packs what symbolic links point to
	Observer        event.Observer
	// Vet returns what is wrong with the module, nil to take it as it is.
	Vet func(context.Context) error
}

func (req ModuleRequest) vet(ctx context.Context) error {
	if req.Vet == nil {
		return nil
	}
	return req.Vet(ctx)
}

// PushModuleRequest says where a module goes.
type PushModuleRequest struct {
	ModuleRequest
	Target ref.Reference // its tag is the version when ModuleRequest has none
	OCI    oci.Options
	Attestation
	// NoLatest leaves the tag latest alone, which otherwise moves to a version
	// that is the highest stable one.
	NoLatest   bool
	WarnLatest bool // says why the tag latest does not move
	Force      bool // moves a version that is there with other content

	Signing
	// Schema returns the JSON Schema of the module's values, which is pushed with it;
	// nil when it is not known.
	Schema func(context.Context) []byte
}

// Pushed says what a push did.
type Pushed struct {
	Repository string   `json:"repository"`
	Tags       []string `json:"tags"`
	Digest     string   `json:"digest"`
	Unchanged  bool     `json:"unchanged"`        // the registry had all of it
	Signed     bool     `json:"signed,omitempty"` // it has a signature by the given key or identity
	Signer     string   `json:"signer,omitempty"` // the identity, without a key

	Attached []Attached `json:"attached,omitempty"` // SBOM and provenance
}

// String returns the line for a person.
func (p Pushed) String() string {
	done := "pushed"
	if p.Unchanged {
		done = "unchanged"
	}
	text := fmt.Sprintf("%s %s:%s (%s)", done, p.Repository, p.Tags[0], p.Digest)
	if p.Signed {
		text += ", signed" + by(p.Signer)
	}
	return text
}

// PushModule packs a module and pushes it under its version. A version that
// the registry has with equal content is left alone, one with other content is
// oci.ErrExists. A module is vetted before its content is sent or it is signed: not
// when the registry has it already, by whatever push.
func PushModule(ctx context.Context, req PushModuleRequest) (Pushed, error) {
	target, err := req.Target.Select(req.Version, "")
	if err != nil {
		return Pushed{}, err
	}
	if target.Range != "" {
		return Pushed{}, fail.Usagef("%q is not one version to push", req.Version)
	}
	if target.Tag == ref.Latest {
		return Pushed{}, fail.Hint(fail.Usagef("%q is not a version to push", ref.Latest), "name the version: that tag moves by itself to the highest stable one")
	}
	req.Version = target.Tag
	image, version, err := req.pack(ctx)
	if err != nil {
		return Pushed{}, err
	}
	target.Tag = version
	along, err := req.companions(image, target)
	if err != nil {
		return Pushed{}, err
	}
	if req.Schema != nil {
		along.Documents = append(along.Documents, oci.Document{MediaType: attest.MediaTypeValuesSchema, Make: req.Schema})
	}
	if !req.NoLatest {
		along.LatestAfter, along.WarnLatest = version, req.WarnLatest
	}
	var invalid error
	along.Before = func(ctx context.Context) error {
		invalid = req.vet(ctx)
		return invalid
	}
	pushed, err := oci.PushWith(ctx, image, along, target, []string{version}, req.Force, req.OCI)
	if err = cmp.Or(invalid, err); err != nil {
		return Pushed{}, err
	}
	if pushed.Unchanged && req.Key != nil {
		if err = req.vet(ctx); err != nil {
			return Pushed{}, err
		}
	}
	return req.after(ctx, pushed, target, pushed.Tags, req.OCI)
}

// NoVersionError says that a module in a directory was to be packed without a
// version.
type NoVersionError struct{}

// Error says so.
func (*NoVersionError) Error() string { return "the version is missing" }

// pack returns the artifact of the module and its version.
func (req ModuleRequest) pack(ctx context.Context) (archive.Image, string, error) {
	if archive.IsArchive(req.Source) {
		return req.unpack()
	}
	if req.Version == "" {
		return nil, "", &NoVersionError{}
	}
	if err := ref.CheckVersion(req.Version); err != nil {
		return nil, "", err
	}
	annotations, err := req.annotations(ctx, req.Source)
	if err != nil {
		return nil, "", err
	}
	if _, explicit := annotations[archive.AnnotationImages]; len(req.Images) > 0 && !explicit {
		annotations[archive.AnnotationImages] = strings.Join(req.Images, ",")
	}
	image, err := archive.PackModule(req.Source, req.Version, archive.PackOptions{
		Annotations: annotations, ResolveSymlinks: req.ResolveSymlinks, Observer: req.Observer,
	})
	if err != nil {
		return nil, "", fmt.Errorf("pack %s: %w", req.Source, err)
	}
	return image, req.Version, nil
}

// unpack reads an archive, to which nothing can be added any more.
func (req ModuleRequest) unpack() (archive.Image, string, error) {
	if len(req.Annotations) > 0 || req.ResolveSymlinks {
		return nil, "", fail.Usagef("%s is packed already: annotations and links cannot be changed", req.Source)
	}
	image, err := archive.ReadLayout(req.Source, archive.Limits{})
	if err != nil {
		return nil, "", err
	}
	if err = checkLayers(image); err != nil {
		return nil, "", fmt.Errorf("read %s: %w", req.Source, err)
	}
	version, err := archive.ModuleVersion(image)
	if err != nil {
		return nil, "", fmt.Errorf("read %s: %w", req.Source, err)
	}
	if req.Version != "" && req.Version != version {
		return nil, "", fail.Usagef("%s holds version %q, but %q is asked for", req.Source, version, req.Version)
	}
	return image, version, nil
}

// Built says what was written.
type Built struct {
	File   string `json:"file"`
	Digest string `json:"digest"` // of the manifest, as a push has it
}

// String returns the line for a person.
func (b Built) String() string { return fmt.Sprintf("built %s (%s)", b.File, b.Digest) }

// BuildModule writes the artifact of a module as an OCI image layout.
func BuildModule(ctx context.Context, req ModuleRequest, output string, form archive.Layout) (Built, error) {
	if err := req.vet(ctx); err != nil {
		return Built{}, err
	}
	image, version, err := req.pack(ctx)
	if err != nil {
		return Built{}, err
	}
	return write(output, version, image, form)
}

func write(output, tag string, image archive.Image, form archive.Layout) (Built, error) {
	if err := archive.WriteLayout(output, tag, image, form); err != nil {
		return Built{}, fmt.Errorf("write %s: %w", output, err)
	}
	digest, err := image.Digest()
	return Built{File: output, Digest: digest.String()}, err
}

// PullRequest says what is pulled where to.
type PullRequest struct {
	Reference   ref.Reference
	Dir         string // must be empty or not exist
	ContentType string // of an artifact's layers, all when empty
	Overwrite   bool   // replaces files that are in Dir, which need not be empty
	OCI         oci.Options
}

// Pulled says what was pulled.
type Pulled struct {
	Reference   string            `json:"reference"`
	Digest      string            `json:"digest"`
	Dir         string            `json:"dir"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// String returns the line for a person.
func (p Pulled) String() string {
	return fmt.Sprintf("pulled %s into %s (%s)", p.Reference, p.Dir, p.Digest)
}

// PullModule writes the content of a module to a directory.
func PullModule(ctx context.Context, req PullRequest, observer event.Observer) (Pulled, error) {
	return req.pull(ctx, observer, func(r ref.Reference, o oci.Options) (archive.Manifest, error) {
		return oci.Pull(ctx, r, req.Dir, o)
	})
}

// PullArtifact writes the content of any artifact to a directory.
func PullArtifact(ctx context.Context, req PullRequest, observer event.Observer) (Pulled, error) {
	return req.pull(ctx, observer, func(r ref.Reference, o oci.Options) (m archive.Manifest, err error) {
		dir, put, err := req.destination()
		if err != nil {
			return m, err
		}
		m, err = oci.PullArtifact(ctx, r, dir, req.ContentType, o)
		return m, put(err)
	})
}

func (req PullRequest) pull(ctx context.Context, observer event.Observer, fetch func(ref.Reference, oci.Options) (archive.Manifest, error)) (Pulled, error) {
	r, err := source.Resolve(ctx, req.Reference, source.Options{OCI: req.OCI, Observer: observer})
	if err != nil {
		return Pulled{}, err
	}
	req.OCI.Observer = observer
	manifest, err := fetch(r, req.OCI)
	if err != nil {
		return Pulled{}, err
	}
	observer.Observe(event.Pulled{Reference: r.String(), Digest: manifest.Digest})
	return Pulled{Reference: r.String(), Digest: manifest.Digest, Dir: req.Dir, Annotations: maps.Clone(manifest.Annotations)}, nil
}
