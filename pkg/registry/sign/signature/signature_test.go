// SPDX-License-Identifier: Apache-2.0

package signature_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
	sigstore "github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/dsse"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/signature"
)

var (
	digest = "sha256:" + strings.Repeat("a", 64)
	other  = "sha256:" + strings.Repeat("b", 64)
)

// pair is a pair of keys as cosign writes it.
type pair struct{ private, public []byte }

func newPair(t testing.TB) pair {
	t.Helper()
	private, public, err := cryptoutils.GeneratePEMEncodedECDSAKeyPair(elliptic.P256(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return pair{private, public}
}

func (p pair) signer(t testing.TB) sigstore.Signer {
	t.Helper()
	key, err := cryptoutils.UnmarshalPEMToPrivateKey(p.private, nil)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := sigstore.LoadSigner(key, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// sign signs as Sigstore's own library does.
func (p pair) sign(t testing.TB, digest string) signature.Signature {
	t.Helper()
	payload, err := signature.Payload("example.com/app", digest)
	if err != nil {
		t.Fatal(err)
	}
	value, err := p.signer(t).SignMessage(bytes.NewReader(payload))
	if err != nil {
		t.Fatal(err)
	}
	return signature.Signature{Payload: payload, Value: base64.StdEncoding.EncodeToString(value)}
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
	envelope, err := dsse.WrapSigner(p.signer(t), payloadType).SignMessage(strings.NewReader(statement))
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
	ours, theirs := newPair(t), newPair(t)
	sign := func(p pair, digest string) signature.Signature { return p.sign(t, digest) }
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
		"bundle changed": {list: []signature.Signature{{Bundle: bytes.Replace(good.Bundle, []byte(`"payload":"`), []byte(`"payload":"ICAg`), 1)}},
			want: signature.ErrUntrusted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, err := signature.Verify(test.list, signature.Subject{Digest: digest}, []signature.PublicKey{ours.verifier(t)})
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
	s := newPair(t).sign(t, digest)
	if _, err := signature.Verify([]signature.Signature{s}, signature.Subject{Digest: digest}, nil); !errors.Is(err, signature.ErrUntrusted) {
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
			err := signature.CheckPayload([]byte(test.data), signature.Subject{Digest: digest})
			if test.text == "" && err != nil || test.text != "" && (err == nil || !strings.Contains(err.Error(), test.text)) {
				t.Errorf("error %v, want one with %q", err, test.text)
			}
		})
	}
}

// Keys of every kind that cosign makes or takes.
func TestKinds(t *testing.T) {
	t.Parallel()
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.Signer{"P-384": p384, "RSA": rsaKey, "Ed25519": edKey} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			private, err := cryptoutils.MarshalPrivateKeyToPEM(key)
			if err != nil {
				t.Fatal(err)
			}
			public, err := cryptoutils.MarshalPublicKeyToPEM(key.Public())
			if err != nil {
				t.Fatal(err)
			}
			p := pair{private, public}
			keys := []signature.PublicKey{p.verifier(t)}
			for _, s := range []signature.Signature{p.sign(t, digest), p.bundle(t, inToto, statement(signature.PredicateType, digest))} {
				if _, err = signature.Verify([]signature.Signature{s}, signature.Subject{Digest: digest}, keys); err != nil {
					t.Error(err)
				}
				if _, err = signature.Verify([]signature.Signature{s}, signature.Subject{Digest: other}, keys); !errors.Is(err, signature.ErrUntrusted) {
					t.Errorf("another artifact: error %v", err)
				}
			}
		})
	}
}

func TestParsePublicKey(t *testing.T) {
	t.Parallel()
	for name, data := range map[string][]byte{
		"private": newPair(t).private, "garbage": []byte("garbage"), "empty": nil,
	} {
		if _, err := signature.ParsePublicKey("x", data); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Whatever a registry has, only what the key signed counts.
func FuzzVerify(f *testing.F) {
	p := newPair(f)
	key := p.verifier(f)
	good := p.sign(f, digest)
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
		if _, err := signature.Verify(list, signature.Subject{Digest: about}, []signature.PublicKey{key}); err == nil && about == other {
			t.Errorf("%q by %q, %q counts for %s", payload, value, bundle, about)
		}
	})
}

// What is sealed with a key counts for its artifact and repository alone.
func TestSeal(t *testing.T) {
	t.Parallel()
	pair := newPair(t)
	envelope, err := signature.Seal("example.com/app", digest, func(data []byte) ([]byte, error) {
		return pair.signer(t).SignMessage(bytes.NewReader(data))
	})
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := json.Marshal(map[string]any{"dsseEnvelope": json.RawMessage(envelope)})
	if err != nil {
		t.Fatal(err)
	}
	list := []signature.Signature{{Bundle: bundle}}
	for name, test := range map[string]struct{ digest, repository, text string }{
		"itself":             {digest, "example.com/app", ""},
		"another artifact":   {other, "example.com/app", "signs another artifact"},
		"another repository": {digest, "example.com/copy", `for another repository, "example.com/app"`},
	} {
		subject := signature.Subject{Digest: test.digest, Accepts: func(named string) bool { return named == test.repository }}
		_, err := signature.Verify(list, subject, []signature.PublicKey{pair.verifier(t)})
		if test.text == "" && err != nil || test.text != "" && (err == nil || !strings.Contains(err.Error(), test.text)) {
			t.Errorf("%s: error %v, want %q", name, err, test.text)
		}
	}
}
