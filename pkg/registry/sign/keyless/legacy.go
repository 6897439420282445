// SPDX-License-Identifier: Apache-2.0

package keyless

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/signature"
)

// rekorEntry is what Cosign before version 3 keeps of an entry in the
// transparency log.
type rekorEntry struct {
	SignedEntryTimestamp []byte
	Payload              struct {
		Body           []byte `json:"body"`
		IntegratedTime int64  `json:"integratedTime"`
		LogIndex       int64  `json:"logIndex"`
		LogID          string `json:"logID"` // hex
	}
}

var errMalformed = errors.New("one has parts that cannot be read")

// legacyBundle makes a bundle of what Cosign before version 3 keeps in
// annotations, in the version of the format that asks for no more than that.
func legacyBundle(s signature.Signature) (*bundle.Bundle, error) {
	value, err := base64.StdEncoding.DecodeString(s.Value)
	certificate, _ := pem.Decode([]byte(s.Certificate))
	if err != nil || certificate == nil {
		return nil, errMalformed
	}
	material := &protobundle.VerificationMaterial{
		Content: &protobundle.VerificationMaterial_X509CertificateChain{X509CertificateChain: &protocommon.X509CertificateChain{
			Certificates: []*protocommon.X509Certificate{{RawBytes: certificate.Bytes}},
		}},
	}
	if s.Rekor != "" {
		entry, err := logEntry(s.Rekor)
		if err != nil {
			return nil, err
		}
		material.TlogEntries = []*protorekor.TransparencyLogEntry{entry}
	}
	if s.Timestamp != "" {
		var stamp struct{ SignedRFC3161Timestamp []byte }
		if json.Unmarshal([]byte(s.Timestamp), &stamp) != nil {
			return nil, errMalformed
		}
		material.TimestampVerificationData = &protobundle.TimestampVerificationData{
			Rfc3161Timestamps: []*protocommon.RFC3161SignedTimestamp{{SignedTimestamp: stamp.SignedRFC3161Timestamp}},
		}
	}
	sum := sha256.Sum256(s.Payload)
	return bundle.NewBundle(&protobundle.Bundle{
		MediaType:            "application/vnd.dev.sigstore.bundle+json;version=0.1",
		VerificationMaterial: material,
		Content: &protobundle.Bundle_MessageSignature{MessageSignature: &protocommon.MessageSignature{
			MessageDigest: &protocommon.HashOutput{Algorithm: protocommon.HashAlgorithm_SHA2_256, Digest: sum[:]},
			Signature:     value,
		}},
	})
}

func logEntry(text string) (*protorekor.TransparencyLogEntry, error) {
	var entry rekorEntry
	if json.Unmarshal([]byte(text), &entry) != nil {
		return nil, errMalformed
	}
	var kind struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	id, err := hex.DecodeString(entry.Payload.LogID)
	if err != nil || json.Unmarshal(entry.Payload.Body, &kind) != nil {
		return nil, errMalformed
	}
	return &protorekor.TransparencyLogEntry{
		LogIndex:          entry.Payload.LogIndex,
		LogId:             &protocommon.LogId{KeyId: id},
		KindVersion:       &protorekor.KindVersion{Kind: kind.Kind, Version: kind.APIVersion},
		IntegratedTime:    entry.Payload.IntegratedTime,
		InclusionPromise:  &protorekor.InclusionPromise{SignedEntryTimestamp: entry.SignedEntryTimestamp},
		CanonicalizedBody: entry.Payload.Body,
	}, nil
}
