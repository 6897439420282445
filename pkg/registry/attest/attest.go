// SPDX-License-Identifier: Apache-2.0

// Package attest writes and reads what is said about a module next to it: an
// SBOM of its container images and a statement of its provenance.
//
// Both follow from the module's manifest alone, so that every client that has it can
// make them again and compare. The SBOM is CycloneDX rather than SPDX because
// its documents need neither a time nor a unique name, and thus have the same
// digest everywhere.
package attest

import (
	"encoding/json"
	"net/url"
	"path"
	"strings"
)

// The media types of the documents, which are the artifact types too.
const (
	MediaTypeSBOM       = "application/vnd.cyclonedx+json" // IANA; CycloneDX 1.6
	MediaTypeProvenance = "application/vnd.in-toto+json"   // in-toto attestation framework 1
	// MediaTypeValuesSchema is ours: a JSON Schema of the values of a module.
	MediaTypeValuesSchema = "application/vnd.timoni.values.schema+json"
)

// PredicateType is that of the statements, as a link to what it means.
const PredicateType = "https://slsa.dev/provenance/v1"

const (
	statementType = "https://in-toto.io/Statement/v1"
	cycloneDX     = "CycloneDX"
	// packed is the kind of build: a directory was packed as it is. What is
	// packed can be packed again from the source, hence without parameters.
	packed  = "https://github.com/kubectl-timoni/kubectl-timoni/blob/main/docs/provenance.md"
	builder = "https://github.com/kubectl-timoni/kubectl-timoni"
)

// Subject is a module as its manifest describes it.
type Subject struct {
	Repository string // host/path
	Digest     string // sha256:…
	Version    string
	Source     string // address of the repository of its source, empty when unknown
	Revision   string // commit, ending in "-dirty" when the tree had changes
	Images     []string
}

// Statement is a statement of provenance, as far as this package reads it.
type Statement struct {
	Type          string       `json:"_type"`
	Subject       []Descriptor `json:"subject"`
	PredicateType string       `json:"predicateType"`
	Predicate     Predicate    `json:"predicate"`
}

// Descriptor names content by its digests.
type Descriptor struct {
	Name   string            `json:"name,omitempty"`
	URI    string            `json:"uri,omitempty"`
	Digest map[string]string `json:"digest,omitempty"`
}

// Predicate is SLSA's provenance, version 1.
type Predicate struct {
	BuildDefinition BuildDefinition `json:"buildDefinition"`
	RunDetails      RunDetails      `json:"runDetails"`
}

// BuildDefinition says what was built from what.
type BuildDefinition struct {
	BuildType            string         `json:"buildType"`
	ExternalParameters   map[string]any `json:"externalParameters"`
	ResolvedDependencies []Descriptor   `json:"resolvedDependencies,omitempty"`
}

// RunDetails says who built it.
type RunDetails struct {
	Builder Builder `json:"builder"`
}

// Builder is who built it.
type Builder struct {
	ID      string            `json:"id"`
	Version map[string]string `json:"version,omitempty"`
}

// Provenance returns the statement of where a module comes from, nil when
// neither source nor revision is known. version is that of this program.
func Provenance(s Subject, version string) ([]byte, error) {
	if s.Source == "" && s.Revision == "" {
		return nil, nil
	}
	source := Descriptor{URI: s.Source}
	commit, dirty := strings.CutSuffix(s.Revision, "-dirty")
	if isCommit(commit) {
		source.Digest = map[string]string{"gitCommit": commit}
	}
	parameters := map[string]any{"version": s.Version}
	if s.Revision != "" {
		parameters["revision"] = s.Revision
	}
	if dirty {
		parameters["uncommittedChanges"] = true
	}
	return json.Marshal(Statement{
		Type:          statementType,
		Subject:       []Descriptor{{Name: s.Repository, Digest: digestSet(s.Digest)}},
		PredicateType: PredicateType,
		Predicate: Predicate{
			BuildDefinition: BuildDefinition{BuildType: packed, ExternalParameters: parameters, ResolvedDependencies: []Descriptor{source}},
			RunDetails:      RunDetails{Builder: Builder{ID: builder, Version: map[string]string{"kubectl-timoni": version}}},
		},
	})
}

// isCommit says whether s is a whole SHA-1 or SHA-256 in hexadecimal digits.
func isCommit(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}

func digestSet(digest string) map[string]string {
	algorithm, value, ok := strings.Cut(digest, ":")
	if !ok {
		return nil
	}
	return map[string]string{algorithm: value}
}

// BOM is a bill of materials in the form of CycloneDX 1.6, as far as this
// package writes and reads it.
type BOM struct {
	Format      string      `json:"bomFormat"`
	SpecVersion string      `json:"specVersion"`
	Version     int         `json:"version"`
	Metadata    BOMMetadata `json:"metadata"`
	Components  []Component `json:"components"`
}

// BOMMetadata names what the bill is of.
type BOMMetadata struct {
	Component Component `json:"component"`
}

// Component is a module or a container image.
type Component struct {
	Type    string `json:"type"`
	Ref     string `json:"bom-ref"`
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	Hashes  []Hash `json:"hashes,omitempty"`
	PURL    string `json:"purl,omitempty"`
}

// Hash is a digest in CycloneDX's words.
type Hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

// SBOM returns the bill of the container images of a module, nil when it names
// none.
func SBOM(s Subject) ([]byte, error) {
	if len(s.Images) == 0 {
		return nil, nil
	}
	bom := BOM{Format: cycloneDX, SpecVersion: "1.6", Version: 1, Metadata: BOMMetadata{component("application", s.Repository, s.Version, s.Digest)}}
	for _, image := range s.Images {
		name, tag, digest := splitImage(image)
		bom.Components = append(bom.Components, component("container", name, tag, digest))
	}
	return json.Marshal(bom)
}

func component(kind, name, version, digest string) Component {
	c := Component{Type: kind, Name: name, Version: version, PURL: purl(name, version, digest)}
	c.Ref = c.PURL
	if algorithm, value, ok := strings.Cut(digest, ":"); ok && algorithm == "sha256" {
		c.Hashes = []Hash{{"SHA-256", value}}
	}
	return c
}

// splitImage splits REPOSITORY[:TAG][@DIGEST]. A colon before a slash belongs
// to a port.
func splitImage(image string) (repository, tag, digest string) {
	image, digest, _ = strings.Cut(image, "@")
	if i := strings.LastIndexByte(image, ':'); i > strings.LastIndexByte(image, '/') {
		return image[:i], image[i+1:], digest
	}
	return image, "", digest
}

// purl returns the package URL of an image or a module, of type oci, whose
// version is the digest.
func purl(repository, tag, digest string) string {
	var out strings.Builder
	out.WriteString("pkg:oci/" + strings.ToLower(path.Base(repository)))
	if digest != "" {
		out.WriteString("@" + url.QueryEscape(digest))
	}
	out.WriteString("?repository_url=" + url.QueryEscape(repository))
	if tag != "" {
		out.WriteString("&tag=" + url.QueryEscape(tag))
	}
	return out.String()
}

// ReadProvenance reads a statement. It returns false for what is none.
func ReadProvenance(data []byte) (Statement, bool) {
	var s Statement
	err := json.Unmarshal(data, &s)
	return s, err == nil && strings.HasPrefix(s.Type, "https://in-toto.io/Statement/") && len(s.Subject) > 0
}

// ReadSBOM reads a bill of materials. It returns false for what is none.
func ReadSBOM(data []byte) (BOM, bool) {
	var b BOM
	err := json.Unmarshal(data, &b)
	return b, err == nil && b.Format == cycloneDX
}

// About says whether a statement has the content with the digest among its
// subjects.
func (s Statement) About(digest string) bool {
	algorithm, value, _ := strings.Cut(digest, ":")
	for _, subject := range s.Subject {
		if value != "" && subject.Digest[algorithm] == value {
			return true
		}
	}
	return false
}
