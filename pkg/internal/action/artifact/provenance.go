// SPDX-License-Identifier: Apache-2.0

package artifact

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/attest"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
)

// Attestation says whether the SBOM and the provenance of a module are pushed
// with it.
type Attestation struct {
	Attach         oci.Attach
	ProgramVersion string
}

// companions returns the documents about a module, made from its manifest.
func (a Attestation) companions(image archive.Image, target ref.Reference) (oci.Companions, error) {
	manifest, err := image.Manifest()
	if err != nil {
		return oci.Companions{}, err
	}
	digest, err := image.Digest()
	if err != nil {
		return oci.Companions{}, err
	}
	subject := subjectOf(target, digest.String(), manifest.Annotations)
	provenance, err := attest.Provenance(subject, a.ProgramVersion)
	if err != nil {
		return oci.Companions{}, err
	}
	sbom, err := attest.SBOM(subject)
	if err != nil {
		return oci.Companions{}, err
	}
	along := oci.Companions{Attach: a.Attach}
	if provenance != nil {
		along.Documents = append(along.Documents, oci.Document{
			MediaType: attest.MediaTypeProvenance, Data: provenance,
			Annotations: map[string]string{"in-toto.io/predicate-type": attest.PredicateType},
		})
	}
	if sbom != nil {
		along.Documents = append(along.Documents, oci.Document{MediaType: attest.MediaTypeSBOM, Data: sbom})
	}
	return along, nil
}

func subjectOf(r ref.Reference, digest string, annotations map[string]string) attest.Subject {
	s := attest.Subject{
		Repository: r.Repository, Digest: digest, Version: annotations[archive.AnnotationVersion],
		Source: annotations[archive.AnnotationSource], Revision: annotations[archive.AnnotationRevision],
	}
	if images := annotations[archive.AnnotationImages]; images != "" {
		s.Images = strings.Split(images, ",")
	}
	return s
}

// Attached is a document that was pushed with a module.
type Attached struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"` // of its manifest
}

func attached(documents []oci.Document) []Attached {
	var list []Attached
	for _, d := range documents {
		list = append(list, Attached{d.MediaType, d.Digest})
	}
	return list
}

// Provenance is what a module and the documents that refer to it say of its
// origin.
type Provenance struct {
	Reference  string      `json:"reference"`
	Digest     string      `json:"digest"`
	Version    string      `json:"version,omitempty"`
	Created    string      `json:"created,omitempty"`
	Source     string      `json:"source,omitempty"`
	Revision   string      `json:"revision,omitempty"`
	Images     []string    `json:"images,omitempty"`
	Statements []Statement `json:"statements"`
	SBOMs      []SBOM      `json:"sboms"`
	// NotVerified says what is not checked.
	NotVerified []string `json:"notVerified"`
}

// Statement is a statement of provenance about a module.
type Statement struct {
	Digest        string   `json:"digest"` // of its manifest
	PredicateType string   `json:"predicateType"`
	Builder       string   `json:"builder,omitempty"`
	Sources       []string `json:"sources,omitempty"`
	// Differs says what in it is not as in the module's own annotations.
	Differs []string `json:"differs,omitempty"`
}

// SBOM is a bill of materials of a module.
type SBOM struct {
	Digest     string   `json:"digest"` // of its manifest
	Format     string   `json:"format"`
	Components []string `json:"components"`
}

// ReadProvenance reads what is said of the origin of the module that r names.
func ReadProvenance(ctx context.Context, r ref.Reference, o oci.Options, observer event.Observer) (Provenance, error) {
	if r.IsLocal() {
		return Provenance{}, fail.Usagef("%q is a directory: provenance is about what was pushed, oci://HOST/PATH:VERSION", r)
	}
	r, err := source.Resolve(ctx, r, source.Options{OCI: o, Observer: observer})
	if err != nil {
		return Provenance{}, err
	}
	manifest, documents, err := oci.Documents(ctx, r, []string{attest.MediaTypeProvenance, attest.MediaTypeSBOM}, o)
	if err != nil {
		return Provenance{}, err
	}
	subject := subjectOf(r, manifest.Digest, manifest.Annotations)
	p := Provenance{
		Reference: r.String(), Digest: manifest.Digest, Version: subject.Version, Created: manifest.Annotations[archive.AnnotationCreated],
		Source: subject.Source, Revision: subject.Revision, Images: subject.Images,
		Statements: []Statement{}, SBOMs: []SBOM{},
		NotVerified: []string{"who wrote this: the digests match, but nothing here is signed",
			"that the content was made from this source, and runs these images"},
	}
	for _, d := range documents {
		if statement, ok := attest.ReadProvenance(d.Data); ok && d.MediaType == attest.MediaTypeProvenance {
			p.Statements = append(p.Statements, describeStatement(d.Digest, statement, subject))
		}
		if bom, ok := attest.ReadSBOM(d.Data); ok && d.MediaType == attest.MediaTypeSBOM {
			p.SBOMs = append(p.SBOMs, describeSBOM(d.Digest, bom))
		}
	}
	return p, nil
}

func describeStatement(digest string, s attest.Statement, subject attest.Subject) Statement {
	out := Statement{Digest: digest, PredicateType: s.PredicateType, Builder: s.Predicate.RunDetails.Builder.ID}
	for name, version := range s.Predicate.RunDetails.Builder.Version {
		out.Builder += fmt.Sprintf(" (%s %s)", name, version)
	}
	known := false
	for _, d := range s.Predicate.BuildDefinition.ResolvedDependencies {
		text := d.URI
		if commit := d.Digest["gitCommit"]; commit != "" {
			text += "@" + commit
		}
		out.Sources = append(out.Sources, text)
		known = known || d.URI == subject.Source
	}
	if !s.About(subject.Digest) {
		out.Differs = append(out.Differs, "it is about another artifact")
	}
	if !known && s.PredicateType == attest.PredicateType {
		out.Differs = append(out.Differs, "the source")
	}
	return out
}

func describeSBOM(digest string, b attest.BOM) SBOM {
	out := SBOM{Digest: digest, Format: strings.TrimSpace(b.Format + " " + b.SpecVersion), Components: []string{}}
	for _, c := range b.Components {
		text := c.Name
		if c.Version != "" {
			text += ":" + c.Version
		}
		for _, h := range c.Hashes {
			text += "@" + strings.ToLower(strings.ReplaceAll(h.Algorithm, "-", "")) + ":" + h.Content
		}
		out.Components = append(out.Components, text)
	}
	return out
}

// String returns the text for a person.
func (p Provenance) String() string {
	var out strings.Builder
	field := func(name, format string, args ...any) {
		fmt.Fprintf(&out, "%-12s %s\n", name, fmt.Sprintf(format, args...))
	}
	list := func(name string, values []string) {
		for _, v := range values {
			field(name, "%s", v)
			name = ""
		}
	}
	field("module", "%s", p.Reference)
	field("digest", "%s", p.Digest)
	field("created", "%s", cmp.Or(p.Created, "not said"))
	field("source", "%s", cmp.Or(p.Source, "not said"))
	field("revision", "%s", cmp.Or(p.Revision, "not said"))
	list("images", p.Images)
	for _, s := range p.Statements {
		field("provenance", "%s, %s", s.Digest, s.PredicateType)
		field("", "built by %s", cmp.Or(s.Builder, "an unnamed builder"))
		for _, d := range s.Differs {
			field("", "differs from the module: %s", d)
		}
	}
	for _, s := range p.SBOMs {
		field("sbom", "%s, %s with %d components", s.Digest, s.Format, len(s.Components))
	}
	if len(p.Statements)+len(p.SBOMs) == 0 {
		field("attached", "neither provenance nor SBOM")
	}
	list("not verified", p.NotVerified)
	return strings.TrimSuffix(out.String(), "\n")
}
