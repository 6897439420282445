// SPDX-License-Identifier: Apache-2.0

// Package sigstore is a Sigstore of a test's own: authorities and a log whose
// trusted root it writes, and signatures without a key that they verify.
package sigstore

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/testing/ca"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/signature"
)

// Sigstore holds the keys of the authorities.
type Sigstore struct{ virtual *ca.VirtualSigstore }

// New returns a Sigstore with new keys.
func New() (*Sigstore, error) {
	virtual, err := ca.NewVirtualSigstore()
	return &Sigstore{virtual}, err
}

// TrustedRoot returns the file that makes others trust it. It names no log of
// certificates, since those of the test are in none.
func (s *Sigstore) TrustedRoot() ([]byte, error) {
	return s.trustedRoot(s.virtual.FulcioCertificateAuthorities(), nil)
}

func (s *Sigstore) trustedRoot(authorities []root.CertificateAuthority, certificateLogs map[string]*root.TransparencyLog) ([]byte, error) {
	logs := s.virtual.RekorLogs()
	for id, log := range logs {
		raw, err := hex.DecodeString(id)
		if err != nil {
			return nil, err
		}
		log.ID = raw
	}
	trusted, err := root.NewTrustedRoot(root.TrustedRootMediaType01, authorities, certificateLogs, s.virtual.TimestampingAuthorities(), logs)
	if err != nil {
		return nil, err
	}
	return trusted.MarshalJSON()
}

// Bundle returns a bundle in which identity, from issuer, states
// something of an artifact: that it is signed with signature.PredicateType.
func (s *Sigstore) Bundle(identity, issuer, predicateType, digest string) ([]byte, error) {
	statement := fmt.Sprintf(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":%q}}],"predicateType":%q,"predicate":{}}`,
		strings.TrimPrefix(digest, "sha256:"), predicateType)
	entity, err := s.virtual.AttestAtTime(identity, issuer, []byte(statement), time.Now(), true)
	if err != nil {
		return nil, err
	}
	content, err := entity.SignatureContent()
	if err != nil {
		return nil, err
	}
	envelope := content.EnvelopeContent().RawEnvelope()
	payload, err := base64.StdEncoding.DecodeString(envelope.Payload)
	if err != nil {
		return nil, err
	}
	material, err := s.material(entity)
	if err != nil {
		return nil, err
	}
	return protojson.Marshal(&protobundle.Bundle{
		MediaType: "application/vnd.dev.sigstore.bundle.v0.3+json", VerificationMaterial: material,
		Content: &protobundle.Bundle_DsseEnvelope{DsseEnvelope: &protodsse.Envelope{
			Payload: payload, PayloadType: envelope.PayloadType,
			Signatures: []*protodsse.Signature{{Sig: content.Signature()}},
		}},
	})
}

func (s *Sigstore) material(entity *ca.TestEntity) (*protobundle.VerificationMaterial, error) {
	verification, err := entity.VerificationContent()
	if err != nil {
		return nil, err
	}
	material := &protobundle.VerificationMaterial{Content: &protobundle.VerificationMaterial_Certificate{
		Certificate: &protocommon.X509Certificate{RawBytes: verification.Certificate().Raw},
	}}
	entry, err := s.entry(entity)
	if err != nil {
		return nil, err
	}
	material.TlogEntries = []*protorekor.TransparencyLogEntry{entry}
	stamps, err := entity.Timestamps()
	if err != nil {
		return nil, err
	}
	material.TimestampVerificationData = &protobundle.TimestampVerificationData{}
	for _, stamp := range stamps {
		material.TimestampVerificationData.Rfc3161Timestamps = append(material.TimestampVerificationData.Rfc3161Timestamps,
			&protocommon.RFC3161SignedTimestamp{SignedTimestamp: stamp})
	}
	return material, nil
}

// entry returns the entry of the log, with what the library leaves out of it.
func (s *Sigstore) entry(entity *ca.TestEntity) (*protorekor.TransparencyLogEntry, error) {
	entries, err := entity.TlogEntries()
	if err != nil {
		return nil, err
	}
	return s.complete(entries[0])
}

func (s *Sigstore) complete(made *tlog.Entry) (*protorekor.TransparencyLogEntry, error) {
	entry := made.TransparencyLogEntry()
	var kind struct{ APIVersion, Kind string }
	if err := json.Unmarshal(entry.CanonicalizedBody, &kind); err != nil {
		return nil, err
	}
	entry.KindVersion = &protorekor.KindVersion{Kind: kind.Kind, Version: kind.APIVersion}
	promise, err := s.virtual.RekorSignPayload(tlog.RekorPayload{
		Body: entry.CanonicalizedBody, IntegratedTime: entry.IntegratedTime,
		LogIndex: entry.LogIndex, LogID: hex.EncodeToString(entry.LogId.KeyId),
	})
	entry.InclusionPromise = &protorekor.InclusionPromise{SignedEntryTimestamp: promise}
	return entry, err
}

// Legacy returns the signature of an artifact as Cosign before version 3 keeps
// it.
func (s *Sigstore) Legacy(identity, issuer, digest string) (signature.Signature, error) {
	payload, err := signature.Payload("example.com/app", digest)
	if err != nil {
		return signature.Signature{}, err
	}
	entity, err := s.virtual.SignAtTime(identity, issuer, payload, time.Now())
	if err != nil {
		return signature.Signature{}, err
	}
	content, err := entity.SignatureContent()
	if err != nil {
		return signature.Signature{}, err
	}
	verification, err := entity.VerificationContent()
	if err != nil {
		return signature.Signature{}, err
	}
	certificate, err := cryptoutils.MarshalCertificateToPEM(verification.Certificate())
	if err != nil {
		return signature.Signature{}, err
	}
	entry, err := s.entry(entity)
	if err != nil {
		return signature.Signature{}, err
	}
	rekor, err := json.Marshal(map[string]any{
		"SignedEntryTimestamp": entry.InclusionPromise.SignedEntryTimestamp,
		"Payload": map[string]any{
			"body": entry.CanonicalizedBody, "integratedTime": entry.IntegratedTime,
			"logIndex": entry.LogIndex, "logID": hex.EncodeToString(entry.LogId.KeyId),
		},
	})
	return signature.Signature{
		Payload: payload, Value: base64.StdEncoding.EncodeToString(content.Signature()),
		Certificate: string(certificate), Rekor: string(rekor),
	}, err
}
