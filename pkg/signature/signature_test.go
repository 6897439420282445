// SPDX-License-Identifier: Apache-2.0

package signature_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature/dsse"

	sigstore "github.com/sigstore/sigstore/pkg/signature"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/signature"
)

var (
	digest = "sha256:" + strings.Repeat("a", 64)
	other  = "sha256:" + strings.Repeat("b", 64)
)

// pair is a pair of keys as cosign writes it.
type pair struct{ private, public []byte }

func newPair(t testing.TB, password string) pair {
	t.Helper()
	private, public, err := cryptoutils.GeneratePEMEncodedECDSAKeyPair(elliptic.P256(), func(bool) ([]byte, error) {
		if password == "" {
			return nil, nil
		}
		return []byte(password), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return pair{private, public}
}

func (p pair) signer(t testing.TB) signature.PrivateKey {
	t.Helper()
	key, err := signature.ParsePrivateKey(p.private, nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (p pair) verifier(t testing.TB) signature.PublicKey {
	t.Helper()
	key, err := signature.ParsePublicKey("key.pub", p.public)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// bundle returns a bundle by the key, as cosign 3 writes it.
func (p pair) bundle(t testing.TB, payloadType, statement string) signature.Signature {
	t.Helper()
	key, err := cryptoutils.UnmarshalPEMToPrivateKey(p.private, nil)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := sigstore.LoadSigner(key, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := dsse.WrapSigner(signer, payloadType).SignMessage(strings.NewReader(statement))
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(map[string]any{
		"mediaType":            "application/vnd.dev.sigstore.bundle.v0.3+json",
		"verificationMaterial": map[string]any{"publicKey": map[string]any{"hint": "x"}},
		"dsseEnvelope":         json.RawMessage(envelope),
	})
	if err != nil {
		t.Fatal(err)
	}
	return signature.Signature{Bundle: data}
}

func statement(predicate, digest string) string {
	return `{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"` +
		strings.TrimPrefix(digest, "sha256:") + `"}}],"predicateType":"` + predicate + `","predicate":{}}`
}

const inToto = "application/vnd.in-toto+json"

func TestVerify(t *testing.T) {
	t.Parallel()
	ours, theirs := newPair(t, ""), newPair(t, "")
	sign := func(p pair, digest string) signature.Signature {
		s, err := p.signer(t).Sign("example.com/app", digest)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	changed := func(change func(*signature.Signature)) signature.Signature {
		s := sign(ours, digest)
		change(&s)
		return s
	}
	good := ours.bundle(t, inToto, statement(signature.PredicateType, digest))
	for name, test := range map[string]struct {
		list []signature.Signature
		want error
		text string
	}{
		"good":              {list: []signature.Signature{sign(ours, digest)}},
		"good among others": {list: []signature.Signature{sign(theirs, digest), {Value: "?"}, sign(ours, digest)}},
		"good bundle":       {list: []signature.Signature{good}},
		"none":              {want: signature.ErrUnsigned},
		"other key":         {list: []signature.Signature{sign(theirs, digest)}, want: signature.ErrUntrusted, text: "(1): one is by another key"},
		"other artifact":    {list: []signature.Signature{sign(ours, other)}, want: signature.ErrUntrusted, text: `another artifact, "` + other},
		"payload changed": {list: []signature.Signature{changed(func(s *signature.Signature) {
			s.Payload = bytes.ReplaceAll(s.Payload, []byte("example.com"), []byte("example.org"))
		})}, want: signature.ErrUntrusted, text: "was changed afterwards"},
		"value of another": {list: []signature.Signature{changed(func(s *signature.Signature) {
			s.Value = sign(ours, other).Value
		})}, want: signature.ErrUntrusted},
		"empty":           {list: []signature.Signature{{}}, want: signature.ErrUntrusted},
		"not base64":      {list: []signature.Signature{{Value: "%%%"}}, want: signature.ErrUntrusted, text: "not base64"},
		"empty bundle":    {list: []signature.Signature{{Bundle: []byte("{}")}}, want: signature.ErrUntrusted, text: "without an envelope"},
		"bundle not JSON": {list: []signature.Signature{{Bundle: []byte("x")}}, want: signature.ErrUntrusted, text: "cannot be read"},
		"bundle by another key": {list: []signature.Signature{theirs.bundle(t, inToto, statement(signature.PredicateType, digest))},
			want: signature.ErrUntrusted, text: "another key"},
		"bundle of another artifact": {list: []signature.Signature{ours.bundle(t, inToto, statement(signature.PredicateType, other))},
			want: signature.ErrUntrusted, text: "another artifact"},
		"provenance is no signature": {list: []signature.Signature{ours.bundle(t, inToto, statement("https://slsa.dev/provenance/v1", digest))},
			want: signature.ErrUntrusted, text: `a statement of type "https://slsa.dev/provenance/v1"`},
		"bundle of another payload type": {list: []signature.Signature{ours.bundle(t, "text/plain", statement(signature.PredicateType, digest))},
			want: signature.ErrUntrusted},
		"no statement": {list: []signature.Signature{ours.bundle(t, inToto, "x")}, want: signature.ErrUntrusted, text: "no statement"},
		"bundle changed": {list: []signature.Signature{{Bundle: bytes.Replace(good.Bundle, []byte(`"payload":"`), []byte(`"payload":"IA==`), 1)}},
			want: signature.ErrUntrusted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, err := signature.Verify(test.list, digest, []signature.PublicKey{ours.verifier(t)})
			if test.want == nil {
				if err != nil || key.Name != "key.pub" {
					t.Errorf("key %q, error %v, want key.pub", key.Name, err)
				}
				return
			}
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("error %v, want %v with %q", err, test.want, test.text)
			}
		})
	}
}

func TestVerifyWithoutKeys(t *testing.T) {
	t.Parallel()
	s, err := newPair(t, "").signer(t).Sign("example.com/app", digest)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = signature.Verify([]signature.Signature{s}, digest, nil); !errors.Is(err, signature.ErrUntrusted) {
		t.Errorf("error %v, want %v", err, signature.ErrUntrusted)
	}
}

// What is signed is not to be read before the signature was checked.
func TestCheckPayload(t *testing.T) {
	t.Parallel()
	payload := func(kind, digest string) string {
		return `{"critical":{"identity":{"docker-reference":"x"},"image":{"docker-manifest-digest":"` + digest + `"},"type":"` + kind + `"},"optional":null}`
	}
	for name, test := range map[string]struct{ data, text string }{
		"good":           {payload("cosign container image signature", digest), ""},
		"other artifact": {payload("cosign container image signature", other), "another artifact"},
		"other type":     {payload("atomic container signature", digest), `signs a "atomic`},
		"not JSON":       {"x", "no payload of simple signing"},
		"empty":          {"{}", `signs a ""`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := signature.CheckPayload([]byte(test.data), digest)
			if test.text == "" && err != nil || test.text != "" && (err == nil || !strings.Contains(err.Error(), test.text)) {
				t.Errorf("error %v, want one with %q", err, test.text)
			}
		})
	}
}

func TestParsePrivateKey(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	locked := newPair(t, "secret").private
	noTerminal := errors.New("no terminal")
	for name, test := range map[string]struct {
		pem      []byte
		password func() ([]byte, error)
		text     string
	}{
		"plain PKCS8":       {pem: newPair(t, "").private},
		"SEC 1":             {pem: pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1})},
		"encrypted":         {pem: locked, password: func() ([]byte, error) { return []byte("secret"), nil }},
		"wrong password":    {pem: locked, password: func() ([]byte, error) { return []byte("Secret"), nil }, text: "the password is wrong"},
		"empty password":    {pem: locked, password: func() ([]byte, error) { return nil, nil }, text: "the password is wrong"},
		"password is error": {pem: locked, password: func() ([]byte, error) { return nil, noTerminal }, text: "no terminal"},
		"public":            {pem: newPair(t, "").public, text: "not a private key"},
		"garbage":           {pem: []byte("garbage"), text: "not a private key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := signature.ParsePrivateKey(test.pem, test.password)
			if test.text == "" && err != nil || test.text != "" && (err == nil || err.Error() != test.text && !strings.Contains(err.Error(), test.text)) {
				t.Errorf("error %v, want %q", err, test.text)
			}
		})
	}
}

func TestParsePublicKey(t *testing.T) {
	t.Parallel()
	for name, data := range map[string][]byte{
		"private": newPair(t, "").private, "garbage": []byte("garbage"), "empty": nil,
	} {
		if _, err := signature.ParsePublicKey("x", data); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Whatever a registry has, only what the key signed counts.
func FuzzVerify(f *testing.F) {
	p := newPair(f, "")
	key := p.verifier(f)
	good, err := p.signer(f).Sign("example.com/app", digest)
	if err != nil {
		f.Fatal(err)
	}
	value, err := base64.StdEncoding.DecodeString(good.Value)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good.Payload, value, p.bundle(f, inToto, statement(signature.PredicateType, digest)).Bundle, true)
	f.Add([]byte("{}"), []byte{}, []byte(`{"dsseEnvelope":{}}`), false)
	f.Fuzz(func(t *testing.T, payload, value, bundle []byte, wanted bool) {
		about := other
		if wanted {
			about = digest
		}
		list := []signature.Signature{{Payload: payload, Value: base64.StdEncoding.EncodeToString(value)}, {Bundle: bundle}}
		if _, err := signature.Verify(list, about, []signature.PublicKey{key}); err == nil && about == other {
			t.Errorf("%q by %q, %q counts for %s", payload, value, bundle, about)
		}
	})
}
