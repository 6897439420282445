// SPDX-License-Identifier: Apache-2.0

package sigstore

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	ct "github.com/google/certificate-transparency-go"
	"github.com/google/certificate-transparency-go/tls"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"github.com/sigstore/sigstore-go/pkg/root"
)

// Services are the servers of a Sigstore next to the certificate authority: an
// issuer of identity tokens, a log of certificates, and the log of signatures,
// which checks and keeps entries with the code of Rekor. Each has the documented
// API at the same URL.
type Services struct {
	*Sigstore
	*httptest.Server
	key *ecdsa.PrivateKey // of the issuer and of the log of certificates
	mux *http.ServeMux
}

const (
	entries = "/api/v1/log/entries" // of the log of signatures
	entryID = "24296fb24b8ad77a"    // of each, as nothing asks for them later
)

// Serve starts the services.
func (s *Sigstore) Serve() (*Services, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	services := &Services{Sigstore: s, key: key, mux: http.NewServeMux()}
	services.Answer("GET /.well-known/openid-configuration", services.discovery)
	services.Answer("GET /keys", services.keys)
	services.Answer("GET /github", services.github)
	services.Answer("POST "+entries, services.record)
	services.Answer("POST /ct/v1/add-pre-chain", services.logCertificate)
	services.Server = httptest.NewServer(services.mux)
	return services, nil
}

// Answer adds a call that has an answer in JSON.
func (s *Services) Answer(pattern string, answer func(*http.Request) (any, error)) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		document, err := answer(req)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			document = map[string]any{"code": http.StatusBadRequest, "message": err.Error()}
		} else if req.URL.Path == entries {
			w.Header().Set("ETag", entryID)
			w.WriteHeader(http.StatusCreated)
		}
		_ = json.NewEncoder(w).Encode(document) // the client went away
	})
}

func (s *Services) discovery(*http.Request) (any, error) {
	return map[string]any{
		"issuer": s.URL, "jwks_uri": s.URL + "/keys", "authorization_endpoint": s.URL + "/none", "token_endpoint": s.URL + "/none",
		"id_token_signing_alg_values_supported": []string{"ES256"}, "response_types_supported": []string{"id_token"}, "subject_types_supported": []string{"public"},
	}, nil
}

func (s *Services) keys(*http.Request) (any, error) {
	point, err := s.key.PublicKey.Bytes() // 4, X, Y
	if err != nil {
		return nil, err
	}
	encode := base64.RawURLEncoding.EncodeToString
	return map[string]any{"keys": []any{map[string]string{
		"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "1", "x": encode(point[1:33]), "y": encode(point[33:]),
	}}}, nil
}

// RequestSecret is what a job of GitHub Actions asks for its token with.
const RequestSecret = "request-secret"

// github answers as GitHub Actions does to a job that may have a token.
func (s *Services) github(req *http.Request) (any, error) {
	if req.Header.Get("Authorization") != "Bearer "+RequestSecret {
		return nil, errors.New("not authorized as " + req.Header.Get("Authorization"))
	}
	token, err := s.Token("job@example.com", req.FormValue("audience"))
	return map[string]string{"value": token}, err
}

// Token returns an identity token for an e-mail address.
func (s *Services) Token(email, audience string) (string, error) {
	header := map[string]string{"alg": "ES256", "kid": "1", "typ": "JWT"}
	claims := map[string]any{
		"iss": s.URL, "aud": audience, "sub": email, "email": email, "email_verified": true,
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	var parts [][]byte
	for _, part := range []any{header, claims} {
		text, err := json.Marshal(part)
		if err != nil {
			return "", err
		}
		parts = append(parts, []byte(base64.RawURLEncoding.EncodeToString(text)))
	}
	signed := bytes.Join(parts, []byte("."))
	sum := sha256.Sum256(signed)
	a, b, err := ecdsa.Sign(rand.Reader, s.key, sum[:])
	if err != nil {
		return "", err
	}
	value := append(a.FillBytes(make([]byte, 32)), b.FillBytes(make([]byte, 32))...)
	return string(signed) + "." + base64.RawURLEncoding.EncodeToString(value), nil
}

// record adds an envelope to the log of signatures.
func (s *Services) record(req *http.Request) (any, error) {
	var proposal struct {
		Kind string
		Spec struct {
			ProposedContent struct {
				Envelope  string
				Verifiers [][]byte
			}
		}
	}
	if err := json.NewDecoder(req.Body).Decode(&proposal); err != nil {
		return nil, err
	}
	content := proposal.Spec.ProposedContent
	if proposal.Kind != "dsse" || len(content.Verifiers) != 1 {
		return nil, errors.New("one envelope by one certificate is expected")
	}
	var envelope dsse.Envelope
	if err := json.Unmarshal([]byte(content.Envelope), &envelope); err != nil {
		return nil, err
	}
	return s.Record(&envelope, content.Verifiers[0])
}

// Record returns the answer of the log to a new entry: an envelope that was
// signed with a certificate, PEM.
func (s *Sigstore) Record(envelope *dsse.Envelope, certificate []byte) (any, error) {
	block, _ := pem.Decode(certificate)
	if block == nil || len(envelope.Signatures) == 0 {
		return nil, errors.New("a certificate in PEM form and a signature are expected")
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	value, err := base64.StdEncoding.DecodeString(envelope.Signatures[0].Sig)
	if err != nil {
		return nil, err
	}
	made, err := s.virtual.GenerateTlogEntry(leaf, envelope, value, time.Now().Unix(), true)
	if err != nil {
		return nil, err
	}
	entry, err := s.complete(made)
	if err != nil {
		return nil, err
	}
	proof := entry.GetInclusionProof()
	hashes := []string{}
	for _, hash := range proof.GetHashes() {
		hashes = append(hashes, hex.EncodeToString(hash))
	}
	return map[string]any{entryID: map[string]any{
		"body": entry.GetCanonicalizedBody(), "integratedTime": entry.GetIntegratedTime(),
		"logID": hex.EncodeToString(entry.GetLogId().GetKeyId()), "logIndex": entry.GetLogIndex(),
		"verification": map[string]any{
			"signedEntryTimestamp": entry.GetInclusionPromise().GetSignedEntryTimestamp(),
			"inclusionProof": map[string]any{
				"checkpoint": proof.GetCheckpoint().GetEnvelope(), "hashes": hashes, "logIndex": proof.GetLogIndex(),
				"rootHash": hex.EncodeToString(proof.GetRootHash()), "treeSize": proof.GetTreeSize(),
			},
		},
	}}, nil
}

// logCertificate promises that a certificate will be in the log of certificates.
func (s *Services) logCertificate(req *http.Request) (any, error) {
	var chain ct.AddChainRequest
	if err := json.NewDecoder(req.Body).Decode(&chain); err != nil {
		return nil, err
	}
	raw := make([]ct.ASN1Cert, len(chain.Chain))
	for i, certificate := range chain.Chain {
		raw[i] = ct.ASN1Cert{Data: certificate}
	}
	now := uint64(time.Now().UnixMilli())
	leaf, err := ct.MerkleTreeLeafFromRawChain(raw, ct.PrecertLogEntryType, now)
	if err != nil {
		return nil, err
	}
	log, id, err := s.certificateLog()
	if err != nil {
		return nil, err
	}
	promise := ct.SignedCertificateTimestamp{SCTVersion: ct.V1, Timestamp: now}
	copy(promise.LogID.KeyID[:], log.ID)
	input, err := ct.SerializeSCTSignatureInput(promise, ct.LogEntry{Leaf: *leaf})
	if err != nil {
		return nil, err
	}
	signed, err := tls.CreateSignature(*s.key, tls.SHA256, input)
	if err != nil {
		return nil, err
	}
	value, err := tls.Marshal(signed)
	return map[string]any{"sct_version": 0, "id": log.ID, "timestamp": now, "extensions": "", "signature": value, "log": id}, err
}

func (s *Services) certificateLog() (*root.TransparencyLog, string, error) {
	public, err := x509.MarshalPKIXPublicKey(s.key.Public())
	if err != nil {
		return nil, "", err
	}
	id := sha256.Sum256(public)
	return &root.TransparencyLog{
		BaseURL: s.URL, ID: id[:], PublicKey: s.key.Public(), HashFunc: crypto.SHA256, SignatureHashFunc: crypto.SHA256,
		ValidityPeriodStart: time.Now().Add(-time.Hour),
	}, hex.EncodeToString(id[:]), nil
}

// Trust returns the trusted root of the services and of a certificate authority
// that logs certificates here, whose chain is given in PEM form from the issuing
// certificate to the root.
func (s *Services) Trust(chain []string) ([]byte, error) {
	var certificates []*x509.Certificate
	for _, text := range chain {
		block, _ := pem.Decode([]byte(text))
		if block == nil {
			return nil, fmt.Errorf("not a certificate: %q", text)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certificates = append(certificates, certificate)
	}
	last := len(certificates) - 1
	log, id, err := s.certificateLog()
	if err != nil {
		return nil, err
	}
	return s.trustedRoot([]root.CertificateAuthority{&root.FulcioCertificateAuthority{
		Root: certificates[last], Intermediates: certificates[:last], ValidityPeriodStart: time.Now().Add(-time.Hour), URI: s.URL,
	}}, map[string]*root.TransparencyLog{id: log})
}
