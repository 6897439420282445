// SPDX-License-Identifier: Apache-2.0

package keyless

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/signature"
)

// The public instance of Sigstore.
const (
	PublicFulcio = "https://fulcio.sigstore.dev"
	PublicRekor  = "https://rekor.sigstore.dev"
)

// Options say by whom and where a signature without a key is made.
type Options struct {
	Fulcio, Rekor string // URLs of the certificate authority and the transparency log
	TrustedRoot   string // file, by which their answers are checked
	Token         Token
	UserAgent     string
}

// Signer makes signatures with keys that live as long as one call of Sign.
type Signer struct {
	fulcio, rekor service
	trustedRoot   string
	token         Token
	verifier      *verify.Verifier
}

// NewSigner checks the options without a request.
func NewSigner(o Options) (*Signer, error) {
	s := &Signer{trustedRoot: o.TrustedRoot, token: o.Token}
	var err error
	if s.fulcio, err = newService("certificate authority", o.Fulcio, o.UserAgent); err != nil {
		return nil, err
	}
	if s.rekor, err = newService("transparency log", o.Rekor, o.UserAgent); err != nil {
		return nil, err
	}
	trusted, err := readTrustedRoot(o.TrustedRoot)
	if err != nil {
		return nil, err
	}
	// The log says when the certificate was used. Without its key nothing does.
	if len(trusted.RekorLogs()) == 0 {
		return nil, fail.Invalidf("trusted root %s: it names no transparency log", o.TrustedRoot)
	}
	s.verifier, err = verifierOf(trusted)
	return s, err
}

// Sign returns a bundle that signs the artifact in a repository, host/path,
// whose manifest has the digest, and the identity that signed. What the
// services answered is verified as Verify does it.
func (s *Signer) Sign(ctx context.Context, repository, digest string) (bundle []byte, signer string, err error) {
	token, err := s.token(ctx)
	if err != nil {
		return nil, "", fmt.Errorf("identity token: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, "", err
	}
	certificate, err := s.certificate(ctx, key, token)
	if err != nil {
		return nil, "", err
	}
	envelope, err := signature.Seal(repository, digest, func(data []byte) ([]byte, error) {
		sum := sha256.Sum256(data)
		return ecdsa.SignASN1(rand.Reader, key, sum[:])
	})
	if err != nil {
		return nil, "", err
	}
	entry, err := s.record(ctx, envelope, certificate)
	if err != nil {
		return nil, "", err
	}
	if bundle, err = marshalBundle(envelope, certificate, entry); err != nil {
		return nil, "", err
	}
	signer, err = s.verify(bundle, repository, digest)
	return bundle, signer, err
}

// verify returns whose signature a new bundle is.
func (s *Signer) verify(bundle []byte, repository, digest string) (string, error) {
	subject := signature.Subject{Digest: digest, Accepts: func(named string) bool { return named == repository }}
	anyone := []verify.PolicyOption{verify.WithoutIdentitiesUnsafe()} // the authority decided who it is
	signer, err := check(s.verifier, anyone, signature.Signature{Bundle: bundle}, subject)
	if err == nil {
		return signer, nil
	}
	return "", fail.Refuse(&RejectedError{s.fulcio.url, s.rekor.url, s.trustedRoot, err})
}

// RejectedError says that the answers of the services do not verify.
type RejectedError struct {
	Fulcio, Rekor, TrustedRoot string
	Err                        error
}

func (e *RejectedError) Error() string {
	return fmt.Sprintf("the answers of %s and %s do not verify against the trusted root %s: %v", e.Fulcio, e.Rekor, e.TrustedRoot, e.Err)
}

// Unwrap returns the reason.
func (e *RejectedError) Unwrap() error { return e.Err }

// certificate asks the authority for a certificate of the token's identity.
// The request proves with a signature of its own that the key is here.
func (s *Signer) certificate(ctx context.Context, key *ecdsa.PrivateKey, token string) (*pem.Block, error) {
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return nil, err
	}
	type issued struct {
		Chain struct{ Certificates []string }
	}
	var answer struct{ SignedCertificateEmbeddedSct, SignedCertificateDetachedSct issued }
	err = s.fulcio.post(ctx, "/api/v2/signingCert", token, map[string]any{
		"credentials":               map[string]string{"oidcIdentityToken": token},
		"certificateSigningRequest": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: request}),
	}, &answer)
	if err != nil {
		return nil, err
	}
	chain := slices.Concat(answer.SignedCertificateEmbeddedSct.Chain.Certificates, answer.SignedCertificateDetachedSct.Chain.Certificates)
	if len(chain) > 0 {
		if block, _ := pem.Decode([]byte(chain[0])); block != nil {
			return block, nil
		}
	}
	return nil, s.fulcio.named(errors.New("the answer holds no certificate"))
}

// record adds a signed envelope to the log.
func (s *Signer) record(ctx context.Context, envelope []byte, certificate *pem.Block) (logged, error) {
	var answer map[string]logged
	err := s.rekor.post(ctx, "/api/v1/log/entries", "", map[string]any{
		"apiVersion": "0.0.1", "kind": "dsse",
		"spec": map[string]any{"proposedContent": map[string]any{
			"envelope": string(envelope), "verifiers": [][]byte{pem.EncodeToMemory(certificate)},
		}},
	}, &answer)
	if err != nil {
		return logged{}, err
	}
	for _, entry := range answer {
		return entry, nil
	}
	return logged{}, s.rekor.named(errors.New("the answer holds no entry"))
}

// marshalBundle writes what cosign 3 does, in the version of the format that
// has one certificate alone.
func marshalBundle(envelope []byte, certificate *pem.Block, entry logged) ([]byte, error) {
	material, err := entry.material()
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{
		"mediaType": signature.MediaTypeBundle,
		"verificationMaterial": map[string]any{
			"certificate": map[string]any{"rawBytes": certificate.Bytes},
			"tlogEntries": []any{material},
		},
		"dsseEnvelope": json.RawMessage(envelope),
	})
}
