// SPDX-License-Identifier: Apache-2.0

package sigstore

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"strings"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/testing/ca"
)

// ServeAuthority adds an authority with the API of Fulcio, for tests that start
// no program, and returns the trusted root of all. It believes every token, and
// its certificates are in no log.
func (s *Services) ServeAuthority() ([]byte, error) {
	top, key, err := ca.GenerateRootCa()
	if err != nil {
		return nil, err
	}
	issuing, key, err := ca.GenerateFulcioIntermediate(top, key)
	if err != nil {
		return nil, err
	}
	s.Answer("POST /api/v2/signingCert", func(req *http.Request) (any, error) {
		template, request, err := s.requested(req)
		if err != nil {
			return nil, err
		}
		raw, err := x509.CreateCertificate(rand.Reader, template, issuing, request.PublicKey, key)
		if err != nil {
			return nil, err
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})
		return map[string]any{"signedCertificateEmbeddedSct": map[string]any{"chain": map[string]any{"certificates": []string{string(text)}}}}, nil
	})
	return s.trustedRoot([]root.CertificateAuthority{&root.FulcioCertificateAuthority{
		Root: top, Intermediates: []*x509.Certificate{issuing}, ValidityPeriodStart: time.Now().Add(-time.Hour), URI: s.URL,
	}}, nil)
}

// requested returns the certificate that a request is for, and the request for
// its key.
func (s *Services) requested(req *http.Request) (*x509.Certificate, *x509.CertificateRequest, error) {
	var body struct {
		Credentials               struct{ OidcIdentityToken string }
		CertificateSigningRequest []byte
	}
	if err := json.NewDecoder(req.Body).Decode(&body); err != nil {
		return nil, nil, err
	}
	block, _ := pem.Decode(body.CertificateSigningRequest)
	parts := strings.Split(body.Credentials.OidcIdentityToken, ".")
	if block == nil || len(parts) != 3 {
		return nil, nil, errors.New("there was an error processing the identity token " + body.Credentials.OidcIdentityToken)
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, nil, err
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, nil, err
	}
	var claims struct{ Iss, Email string }
	if err = json.Unmarshal(text, &claims); err != nil || claims.Email == "" {
		return nil, nil, errors.New("there was an error processing the identity token " + body.Credentials.OidcIdentityToken)
	}
	issuer, err := asn1.MarshalWithParams(claims.Iss, "utf8")
	if err != nil {
		return nil, nil, err
	}
	if err = request.CheckSignature(); err != nil {
		return nil, nil, err
	}
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), EmailAddresses: []string{claims.Email},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(10 * time.Minute),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 8}, Value: issuer}},
	}, request, nil
}
