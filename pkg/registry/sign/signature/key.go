// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// PublicKey checks signatures as Cosign's keys make them: ECDSA and RSA (PKCS
// #1 v1.5) of a SHA-256 sum, or Ed25519.
//
// It does so with the standard library: package signature of Sigstore, which
// keyless signatures are checked with, brings 0.4 MB and protobuf to call the same
// functions, and every binary that pulls would have them.
type PublicKey struct {
	Name string // for a person: the file that it is from
	key  crypto.PublicKey
}

// ParsePublicKey reads a public key in PEM form.
func ParsePublicKey(name string, data []byte) (PublicKey, error) {
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "PUBLIC KEY" {
		return PublicKey{}, errors.New("not a public key in PEM form")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return PublicKey{}, fmt.Errorf("not a public key: %w", err)
	}
	return NewPublicKey(name, key)
}

// NewPublicKey returns a key that checks signatures. It is an error for one
// that does not, such as a key to agree on others with.
func NewPublicKey(name string, key crypto.PublicKey) (PublicKey, error) {
	switch key.(type) {
	case *ecdsa.PublicKey, *rsa.PublicKey, ed25519.PublicKey:
		return PublicKey{name, key}, nil
	}
	return PublicKey{}, fmt.Errorf("a key of type %T is not for signatures", key)
}

// signed says whether value is a signature of data by the key.
func (k PublicKey) signed(data, value []byte) bool {
	sum := sha256.Sum256(data)
	switch key := k.key.(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(key, sum[:], value)
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], value) == nil
	case ed25519.PublicKey:
		return ed25519.Verify(key, data, value)
	}
	return false
}
