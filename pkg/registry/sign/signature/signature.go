// SPDX-License-Identifier: Apache-2.0

// Package signature makes and checks signatures of artifacts in the formats of
// Cosign, by key. It reads no file and asks no registry.
package signature

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Signature is one signature of an artifact as a registry keeps it: a bundle,
// or a payload and what belongs to it.
type Signature struct {
	Bundle []byte `json:"bundle,omitempty"` // a Sigstore bundle, JSON

	Payload []byte `json:"payload,omitempty"` // what is signed: simple signing, JSON
	Value   string `json:"value,omitempty"`   // the signature itself, base64

	// What a signature without a key comes with.
	Certificate string `json:"certificate,omitempty"` // PEM
	Chain       string `json:"chain,omitempty"`       // the certificates above it, PEM
	Rekor       string `json:"rekor,omitempty"`       // the entry in the transparency log, JSON
	Timestamp   string `json:"timestamp,omitempty"`   // RFC 3161, JSON
}

// The conditions that a caller may ask for with errors.Is.
var (
	ErrUnsigned  = errors.New("it is not signed")
	ErrUntrusted = errors.New("no signature is accepted")
)

// PredicateType is that of the statement in a bundle which signs an artifact.
// Other statements say something else of it: how it was built, what is in it.
const PredicateType = "https://sigstore.dev/cosign/sign/v1"

// MediaTypeBundle is that of the bundles which cosign 3 writes.
const MediaTypeBundle = "application/vnd.dev.sigstore.bundle.v0.3+json"

const payloadType = "application/vnd.in-toto+json"

// payload is what a signature signs that is not in a bundle.
type payload struct {
	Critical critical       `json:"critical"`
	Optional map[string]any `json:"optional"`
}

type critical struct {
	Identity struct {
		Reference string `json:"docker-reference"`
	} `json:"identity"`
	Image struct {
		Digest string `json:"docker-manifest-digest"`
	} `json:"image"`
	Type string `json:"type"`
}

const criticalType = "cosign container image signature"

// Payload returns what is to be signed for an artifact, the digest of whose
// manifest is given. repository, host/path, is what Subject.Accepts is asked about.
func Payload(repository, digest string) ([]byte, error) {
	var p payload
	p.Critical.Identity.Reference = repository
	p.Critical.Image.Digest = digest
	p.Critical.Type = criticalType
	return json.Marshal(p)
}

// Subject is what a signature has to be about.
type Subject struct {
	Digest string // of the manifest
	// Accepts decides about the repository that a signature names, empty when it
	// names none. Nil: any is accepted.
	Accepts func(repository string) bool
}

// Check returns an error unless a signature may name a repository.
func (s Subject) Check(repository string) error {
	switch {
	case s.Accepts == nil || s.Accepts(repository):
		return nil
	case repository == "":
		return errors.New("one names no repository")
	}
	return fmt.Errorf("one is for another repository, %q", repository)
}

// Verify returns the first of keys that made one of the signatures of the
// subject. The error is ErrUnsigned when there
// are no signatures, and ErrUntrusted, with the reasons, when none counts.
func Verify(list []Signature, subject Subject, keys []PublicKey) (PublicKey, error) {
	var reasons []string
	for _, key := range keys {
		for _, s := range list {
			err := s.verify(subject, key)
			if err == nil {
				return key, nil
			}
			reasons = append(reasons, err.Error())
		}
	}
	return PublicKey{}, Reject(len(list), reasons)
}

// Reject returns the error for so many signatures of which none counts.
func Reject(signatures int, reasons []string) error {
	if signatures == 0 {
		return ErrUnsigned
	}
	slices.Sort(reasons)
	return fmt.Errorf("%w (%d): %s", ErrUntrusted, signatures, strings.Join(slices.Compact(reasons), "; "))
}

// verify checks the signature before it reads what is signed.
func (s Signature) verify(subject Subject, key PublicKey) error {
	if s.Bundle != nil {
		return verifyBundle(s.Bundle, subject, key)
	}
	value, err := base64.StdEncoding.DecodeString(s.Value)
	if err != nil {
		return errors.New("one is not base64")
	}
	if !key.signed(s.Payload, value) {
		return errOtherKey()
	}
	return CheckPayload(s.Payload, subject)
}

func errOtherKey() error {
	return errors.New("one is by another key, or was changed afterwards")
}

// CheckPayload returns an error unless a signed payload is about the subject.
func CheckPayload(data []byte, subject Subject) error {
	var signed payload
	if err := json.Unmarshal(data, &signed); err != nil {
		return errors.New("one signs what is no payload of simple signing")
	}
	switch c := signed.Critical; {
	case c.Type != criticalType:
		return fmt.Errorf("one signs a %q", c.Type)
	case c.Image.Digest != subject.Digest:
		return fmt.Errorf("one signs another artifact, %q", c.Image.Digest)
	}
	return subject.Check(signed.Critical.Identity.Reference)
}

// envelope is what is signed in a bundle (DSSE).
type envelope struct {
	Payload     []byte  `json:"payload"`
	PayloadType string  `json:"payloadType"`
	Signatures  []value `json:"signatures"`
}

type value struct {
	Value []byte `json:"sig"`
}

// statement is what an envelope holds (in-toto).
type statement struct {
	Type          string         `json:"_type"`
	Subject       []about        `json:"subject"`
	PredicateType string         `json:"predicateType"`
	Predicate     map[string]any `json:"predicate"`
}

type about struct {
	Name   string            `json:"name,omitempty"`
	Digest map[string]string `json:"digest"`
}

// Seal returns an envelope, JSON, that signs the artifact in a repository,
// host/path, the digest of whose manifest is given. Cosign names no repository;
// here it is named, so that a copy elsewhere does not count as signed there.
func Seal(repository, digest string, sign func(data []byte) ([]byte, error)) ([]byte, error) {
	payload, err := json.Marshal(statement{
		Type: "https://in-toto.io/Statement/v1", PredicateType: PredicateType, Predicate: map[string]any{},
		Subject: []about{{repository, map[string]string{"sha256": strings.TrimPrefix(digest, "sha256:")}}},
	})
	if err != nil {
		return nil, err
	}
	e := envelope{Payload: payload, PayloadType: payloadType}
	signed, err := sign(e.encoded())
	e.Signatures = []value{{signed}}
	if err != nil {
		return nil, err
	}
	return json.Marshal(e)
}

// encoded returns the bytes that the signatures of an envelope are made of: the
// pre-authentication encoding of DSSE.
func (e *envelope) encoded() []byte {
	head := fmt.Sprintf("DSSEv1 %d %s %d ", len(e.PayloadType), e.PayloadType, len(e.Payload))
	return append([]byte(head), e.Payload...)
}

// verifyBundle checks a bundle that was signed with a key.
func verifyBundle(data []byte, subject Subject, key PublicKey) error {
	var bundle struct {
		Envelope *envelope `json:"dsseEnvelope"`
	}
	if err := json.Unmarshal(data, &bundle); err != nil {
		return errors.New("one is a bundle that cannot be read")
	}
	if bundle.Envelope == nil {
		return errors.New("one is a bundle without an envelope")
	}
	encoded := bundle.Envelope.encoded()
	for _, s := range bundle.Envelope.Signatures {
		if !key.signed(encoded, s.Value) {
			continue
		}
		if bundle.Envelope.PayloadType != payloadType {
			return fmt.Errorf("one signs a %q", bundle.Envelope.PayloadType)
		}
		return checkStatement(bundle.Envelope.Payload, subject)
	}
	return errOtherKey()
}

// checkStatement is CheckPayload for the statement in a bundle. Cosign names no
// repository in it.
func checkStatement(data []byte, wanted Subject) error {
	var s statement
	if err := json.Unmarshal(data, &s); err != nil {
		return errors.New("one signs what is no statement")
	}
	if s.PredicateType != PredicateType {
		return fmt.Errorf("one is a statement of type %q", s.PredicateType)
	}
	for _, subject := range s.Subject {
		if "sha256:"+subject.Digest["sha256"] == wanted.Digest {
			return wanted.Check(subject.Name)
		}
	}
	return errors.New("one signs another artifact")
}
