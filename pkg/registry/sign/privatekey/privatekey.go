// SPDX-License-Identifier: Apache-2.0

// Package privatekey signs artifacts with the keys of Cosign. It is apart from
// package signature because few binaries sign.
package privatekey

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
	sigstore "github.com/sigstore/sigstore/pkg/signature"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/signature"
)

// Key is a private key. It makes signatures that signature.PublicKey checks.
type Key struct{ signer sigstore.Signer }

// Parse reads a private key in PEM form, of PKCS #8, or of SEC 1 for ECDSA or
// PKCS #1 for RSA, or encrypted as 'cosign generate-key-pair' writes it. The
// password is asked for only where one is needed.
// No error holds any part of the key.
func Parse(pem []byte, password func() ([]byte, error)) (Key, error) {
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
		return Key{}, passwordErr
	case err != nil && asked:
		return Key{}, errors.New("the password is wrong")
	case err != nil:
		return Key{}, errors.New("not a private key in PEM form")
	}
	signer, err := sigstore.LoadSigner(key, crypto.SHA256)
	if err != nil {
		return Key{}, fmt.Errorf("not a key for signatures: %w", err)
	}
	return Key{signer}, nil
}

// Public returns the key that checks what k signs.
func (k Key) Public() (signature.PublicKey, error) {
	key, err := k.signer.PublicKey()
	if err != nil {
		return signature.PublicKey{}, err
	}
	return signature.NewPublicKey("", key)
}

// Sign signs the artifact in a repository, host/path, whose manifest has the
// digest.
func (k Key) Sign(repository, digest string) (signature.Signature, error) {
	payload, err := signature.Payload(repository, digest)
	if err != nil {
		return signature.Signature{}, err
	}
	value, err := k.signer.SignMessage(bytes.NewReader(payload))
	return signature.Signature{Payload: payload, Value: base64.StdEncoding.EncodeToString(value)}, err
}
