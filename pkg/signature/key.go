// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"crypto"
	"errors"
	"fmt"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
)

// PublicKey checks signatures.
type PublicKey struct {
	Name     string // for a person: the file that it is from
	verifier signature.Verifier
}

// ParsePublicKey reads a public key in PEM form: ECDSA, RSA or Ed25519.
func ParsePublicKey(name string, pem []byte) (PublicKey, error) {
	key, err := cryptoutils.UnmarshalPEMToPublicKey(pem)
	if err != nil {
		return PublicKey{}, fmt.Errorf("not a public key in PEM form: %w", err)
	}
	verifier, err := signature.LoadVerifier(key, crypto.SHA256)
	if err != nil {
		return PublicKey{}, fmt.Errorf("not a public key for signatures: %w", err)
	}
	return PublicKey{Name: name, verifier: verifier}, nil
}

// PrivateKey makes signatures.
type PrivateKey struct{ signer signature.Signer }

// ErrPassword says that a private key cannot be decrypted.
var ErrPassword = errors.New("the password is wrong")

// ParsePrivateKey reads a private key in PEM form, of PKCS #8, or of SEC 1 for
// ECDSA or PKCS #1 for RSA, or encrypted as 'cosign generate-key-pair' writes
// it. The password is asked for only where one is needed; a wrong one is
// ErrPassword. No error holds any part of the key.
func ParsePrivateKey(pem []byte, password func() ([]byte, error)) (PrivateKey, error) {
	var asked bool
	var passwordErr error
	key, err := cryptoutils.UnmarshalPEMToPrivateKey(pem, func(bool) (given []byte, err error) {
		asked = true
		if given, passwordErr = password(); given == nil {
			given = []byte{} // nil would stand for a key that is not encrypted
		}
		return given, passwordErr
	})
	switch {
	case passwordErr != nil:
		return PrivateKey{}, passwordErr
	case err != nil && asked:
		return PrivateKey{}, ErrPassword
	case err != nil:
		return PrivateKey{}, errors.New("not a private key in PEM form")
	}
	signer, err := signature.LoadSigner(key, crypto.SHA256)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("not a key for signatures: %w", err)
	}
	return PrivateKey{signer}, nil
}

// Public returns the key that checks what k signs.
func (k PrivateKey) Public() (PublicKey, error) {
	key, err := k.signer.PublicKey()
	if err != nil {
		return PublicKey{}, err
	}
	verifier, err := signature.LoadVerifier(key, crypto.SHA256)
	return PublicKey{verifier: verifier}, err
}
