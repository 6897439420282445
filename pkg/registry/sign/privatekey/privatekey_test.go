// SPDX-License-Identifier: Apache-2.0

package privatekey_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/sigstore/sigstore/pkg/cryptoutils"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/privatekey"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/signature"
)

// pair returns a pair of keys as cosign writes it; without a password it is
// not encrypted.
func pair(t *testing.T, password []byte) (private, public []byte) {
	t.Helper()
	private, public, err := cryptoutils.GeneratePEMEncodedECDSAKeyPair(elliptic.P256(), func(bool) ([]byte, error) { return password, nil })
	if err != nil {
		t.Fatal(err)
	}
	return private, public
}

func TestParse(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	plain, public := pair(t, nil)
	locked, _ := pair(t, []byte("secret"))
	emptyLock, _ := pair(t, []byte{})
	older := bytes.ReplaceAll(locked, []byte("SIGSTORE"), []byte("COSIGN"))
	say := func(password string) func() ([]byte, error) {
		return func() ([]byte, error) { return []byte(password), nil }
	}
	for name, test := range map[string]struct {
		pem      []byte
		password func() ([]byte, error)
		text     string
	}{
		"plain PKCS8":        {pem: plain},
		"SEC 1":              {pem: pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1})},
		"encrypted":          {pem: locked, password: say("secret")},
		"of an older cosign": {pem: older, password: say("secret")},
		"empty password":     {pem: emptyLock, password: func() ([]byte, error) { return nil, nil }},
		"wrong password":     {pem: locked, password: say("Secret"), text: "the password is wrong"},
		"no password":        {pem: locked, password: func() ([]byte, error) { return nil, nil }, text: "the password is wrong"},
		"no terminal":        {pem: locked, password: func() ([]byte, error) { return nil, errors.New("no terminal") }, text: "no terminal"},
		"public":             {pem: public, text: "not a private key in PEM form"},
		"garbage":            {pem: []byte("garbage"), text: "not a private key in PEM form"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := privatekey.Parse(test.pem, test.password)
			if test.text == "" && err != nil || test.text != "" && (err == nil || err.Error() != test.text) {
				t.Errorf("error %v, want %q", err, test.text)
			}
		})
	}
}

// What the key signs, its public key checks.
func TestSign(t *testing.T) {
	t.Parallel()
	private, public := pair(t, nil)
	key, err := privatekey.Parse(private, nil)
	if err != nil {
		t.Fatal(err)
	}
	written, err := signature.ParsePublicKey("key.pub", public)
	if err != nil {
		t.Fatal(err)
	}
	own, err := key.Public()
	if err != nil {
		t.Fatal(err)
	}
	digest := "sha256:" + strings.Repeat("a", 64)
	s, err := key.Sign("example.com/app", digest)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []signature.PublicKey{written, own} {
		if _, err := signature.Verify([]signature.Signature{s}, signature.Subject{Digest: digest}, []signature.PublicKey{k}); err != nil {
			t.Error(err)
		}
	}
}

// FuzzParse holds of any text that reading it as a key ends without a panic,
// that what is read as a key signs, and that no error shows a part of the text.
func FuzzParse(f *testing.F) {
	for _, password := range [][]byte{nil, []byte("secret")} {
		private, public, err := cryptoutils.GeneratePEMEncodedECDSAKeyPair(elliptic.P256(), func(bool) ([]byte, error) { return password, nil })
		if err != nil {
			f.Fatal(err)
		}
		f.Add(private)
		f.Add(public)
	}
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		// To derive a key from a password takes long, on purpose.
		key, err := privatekey.Parse(text, func() ([]byte, error) { return nil, errors.New("no terminal") })
		if err == nil {
			if _, err = key.Public(); err != nil {
				t.Errorf("a key without a public one: %v", err)
			}
			return
		}
		for line := range bytes.Lines(text) {
			if line = bytes.TrimSpace(line); len(line) > 24 && bytes.Contains([]byte(err.Error()), line) {
				t.Errorf("the error shows %q: %v", line, err)
			}
		}
	})
}
