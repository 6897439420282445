// SPDX-License-Identifier: Apache-2.0

package keyless_test

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/keyless"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/signature"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/trust"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit/sigstore"
)

const (
	issuer  = "https://issuer.example.com"
	subject = "https://example.com/team/app"
)

var (
	digest = "sha256:" + strings.Repeat("a", 64)
	other  = "sha256:" + strings.Repeat("b", 64)
)

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// trustedRoot writes the trusted root of a Sigstore.
func trustedRoot(t *testing.T, s *sigstore.Sigstore) string {
	t.Helper()
	return fixture.Write(t, filepath.Join(t.TempDir(), "trusted_root.json"), must(s.TrustedRoot())(t))
}

func TestVerify(t *testing.T) {
	t.Parallel()
	ours, theirs := must(sigstore.New())(t), must(sigstore.New())(t)
	file := trustedRoot(t, ours)
	bundle := func(s *sigstore.Sigstore, predicate, digest string) []signature.Signature {
		return []signature.Signature{{Bundle: must(s.Bundle(subject, issuer, predicate, digest))(t)}}
	}
	legacy := func(s *sigstore.Sigstore, digest string, change func(*signature.Signature)) []signature.Signature {
		one := must(s.Legacy(subject, issuer, digest))(t)
		if change != nil {
			change(&one)
		}
		return []signature.Signature{one}
	}
	exact := trust.Identity{Issuer: issuer, Subject: subject}
	for name, test := range map[string]struct {
		list     []signature.Signature
		identity trust.Identity // exact when empty
		text     string
	}{
		"bundle":             {list: bundle(ours, signature.PredicateType, digest)},
		"older than bundles": {list: legacy(ours, digest, nil)},
		"one of several":     {list: append(bundle(theirs, signature.PredicateType, digest), legacy(ours, digest, nil)...)},
		"expressions": {
			list:     bundle(ours, signature.PredicateType, digest),
			identity: trust.Identity{IssuerRegExp: `https://.*\.example\.com`, SubjectRegExp: "https://example.com/team/.*"},
		},
		"an expression for a part": {
			list:     bundle(ours, signature.PredicateType, digest),
			identity: trust.Identity{Issuer: issuer, SubjectRegExp: "https://example.com/team/|x"}, text: "expected SAN value to match regex",
		},
		"another subject": {
			list:     bundle(ours, signature.PredicateType, digest),
			identity: trust.Identity{Issuer: issuer, Subject: "https://example.com/other"}, text: `expected SAN value`,
		},
		"another issuer": {
			list:     legacy(ours, digest, nil),
			identity: trust.Identity{Issuer: "https://other.example.com", Subject: subject}, text: "expected issuer value",
		},
		"another Sigstore":               {list: bundle(theirs, signature.PredicateType, digest), text: "failed to verify"},
		"another Sigstore, legacy":       {list: legacy(theirs, digest, nil), text: "failed to verify"},
		"another artifact":               {list: bundle(ours, signature.PredicateType, other), text: "digest"},
		"another artifact, legacy":       {list: legacy(ours, other, nil), text: "another artifact"},
		"provenance is no signature":     {list: bundle(ours, "https://slsa.dev/provenance/v1", digest), text: `a statement of type "https://slsa.dev`},
		"payload changed":                {list: legacy(ours, digest, func(s *signature.Signature) { s.Payload = append(s.Payload, ' ') }), text: "(1): "},
		"not in the log":                 {list: legacy(ours, digest, func(s *signature.Signature) { s.Rekor = "" }), text: "log"},
		"log entry of another signature": {list: legacy(ours, digest, func(s *signature.Signature) { s.Rekor = must(ours.Legacy(subject, issuer, digest))(t).Rekor }), text: "(1): "},
		"certificate of another": {list: legacy(ours, digest, func(s *signature.Signature) {
			s.Certificate = must(ours.Legacy(subject, issuer, digest))(t).Certificate
		}), text: "(1): "},
		"certificate malformed": {list: legacy(ours, digest, func(s *signature.Signature) { s.Certificate = "x" }), text: "cannot be read"},
		"log entry malformed":   {list: legacy(ours, digest, func(s *signature.Signature) { s.Rekor = "{" }), text: "cannot be read"},
		"timestamp malformed":   {list: legacy(ours, digest, func(s *signature.Signature) { s.Timestamp = "{" }), text: "cannot be read"},
		"bundle malformed":      {list: []signature.Signature{{Bundle: []byte("{")}}, text: "cannot be read"},
		"bundle empty":          {list: []signature.Signature{{Bundle: []byte("{}")}}, text: "cannot be read"},
		"made with a key":       {list: []signature.Signature{{Payload: []byte("{}"), Value: "eA=="}}, text: "with a key"},
		"none":                  {text: "it is not signed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.identity == (trust.Identity{}) {
				test.identity = exact
			}
			signer, err := keyless.Verify(t.Context(), source.Claim{
				Digest: digest, Signatures: test.list,
				Rule: trust.Rule{TrustedRoot: file, Identities: []trust.Identity{{Issuer: "x", Subject: "y"}, test.identity}},
			})
			if test.text == "" {
				if want := subject + " (" + issuer + ")"; err != nil || signer != want {
					t.Errorf("signer %q, error %v, want %q", signer, err, want)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.text) {
				t.Errorf("error %v, want one with %q", err, test.text)
			}
			if !errors.Is(err, signature.ErrUntrusted) && !errors.Is(err, signature.ErrUnsigned) {
				t.Errorf("error %v is no refusal", err)
			}
		})
	}
}

// A trusted root that names logs of certificates makes them count.
func TestCertificateLog(t *testing.T) {
	t.Parallel()
	s := must(sigstore.New())(t)
	var trusted map[string]any
	if err := json.Unmarshal(must(s.TrustedRoot())(t), &trusted); err != nil {
		t.Fatal(err)
	}
	trusted["ctlogs"] = trusted["tlogs"]
	file := fixture.Write(t, filepath.Join(t.TempDir(), "trusted_root.json"), must(json.Marshal(trusted))(t))
	_, err := keyless.Verify(t.Context(), source.Claim{
		Digest:     digest,
		Signatures: []signature.Signature{{Bundle: must(s.Bundle(subject, issuer, signature.PredicateType, digest))(t)}},
		Rule:       trust.Rule{TrustedRoot: file, Identities: []trust.Identity{{Issuer: issuer, Subject: subject}}},
	})
	if err == nil || !strings.Contains(err.Error(), "signed certificate timestamp") {
		t.Errorf("error %v, want one about signed certificate timestamps", err)
	}
}

func TestTrustedRootErrors(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{"not JSON": "x", "empty": "{}", "missing": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "trusted_root.json")
			if content != "" {
				fixture.Write(t, file, content)
			}
			_, err := keyless.Verify(t.Context(), source.Claim{Rule: trust.Rule{TrustedRoot: file}})
			if fail.CodeOf(err) != fail.Usage || !strings.Contains(err.Error(), "trusted root "+file) {
				t.Errorf("error %v with code %d", err, fail.CodeOf(err))
			}
		})
	}
}
