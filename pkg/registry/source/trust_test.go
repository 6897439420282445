// SPDX-License-Identifier: Apache-2.0

package source_test

import (
	"context"
	"crypto/elliptic"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/sigstore/sigstore/pkg/cryptoutils"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/privatekey"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/signature"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// trusting is a registry with a module, signed by team.pub, and a directory
// with that key, another one and a policy.
type trusting struct {
	dir string
	r   ref.Reference
}

func newTrusting(t *testing.T, handler http.Handler) *trusting {
	t.Helper()
	w := &trusting{dir: t.TempDir()}
	w.r = fixture.Reference(t, "oci://"+fixture.Serve(t, handler)+"/modules/app:1.0.0")
	var team privatekey.Key
	for _, name := range []string{"other", "team"} {
		private, public, err := cryptoutils.GeneratePEMEncodedECDSAKeyPair(elliptic.P256(), nil)
		if err != nil {
			t.Fatal(err)
		}
		fixture.Write(t, filepath.Join(w.dir, name+".pub"), public)
		if team, err = privatekey.Parse(private, nil); err != nil {
			t.Fatal(err)
		}
	}
	digest := fixture.Push(t, module(t), w.r)
	if _, err := oci.Sign(t.Context(), w.r, digest, team, oci.Options{}); err != nil {
		t.Fatal(err)
	}
	return w
}

// open opens the module under a policy. What is on disk when it fails is an
// error of the test.
func (w *trusting) open(t *testing.T, policyFile string, keyless source.Keyless) error {
	t.Helper()
	temp := t.TempDir()
	m, err := source.Open(t.Context(), w.r, source.Options{
		TempDir: temp, OCI: oci.Options{Verifier: source.Trust{File: policyFile, Keyless: keyless}},
	})
	if err == nil {
		return m.Close()
	}
	if left, readErr := os.ReadDir(temp); readErr != nil || len(left) > 0 {
		t.Errorf("%v left behind, %v", left, readErr)
	}
	return err
}

const identities = `identities: [{issuer: "https://issuer", subject: me}], trustedRoot: root.json`

func TestTrust(t *testing.T) {
	t.Parallel()
	w := newTrusting(t, fixture.NewRegistry())
	broken := fixture.Write(t, filepath.Join(w.dir, "broken.pub"), "x")
	host, _, _ := strings.Cut(w.r.Repository, "/")
	for name, test := range map[string]struct {
		policy  string
		keyless func(source.Claim) (string, error)
		code    fail.Code
		text    string
		is      error
	}{
		"the key":             {policy: `rules: [{match: "HOST/modules/*", keys: [team.pub]}]`},
		"one of the keys":     {policy: `rules: [{match: "**", keys: [other.pub, team.pub]}]`},
		"unsigned is allowed": {policy: `rules: [{match: "**", allow: unsigned}]`},
		"default is to allow": {policy: `default: allow`},
		"the first rule counts": {
			policy: `rules: [{match: "HOST/**", keys: [other.pub]}, {match: "**", allow: unsigned}]`,
			code:   fail.Refused, is: signature.ErrUntrusted,
		},
		"another key": {
			policy: `rules: [{match: "HOST/**", keys: [other.pub]}]`, code: fail.Refused, is: signature.ErrUntrusted,
			text: `rule "HOST/**": expected a signature by other.pub: no signature is accepted (1): one is by another key, or was changed afterwards`,
		},
		"no rule":         {policy: `rules: [{match: "HOST/others/**", allow: unsigned}]`, code: fail.Refused, text: "no rule matches HOST/modules/app"},
		"empty policy":    {policy: ``, code: fail.Refused, text: "no rule matches"},
		"broken policy":   {policy: `rule: []`, code: fail.Usage, text: `unknown field "rule"`},
		"key is missing":  {policy: `rules: [{match: "**", keys: [nowhere.pub]}]`, code: fail.Usage, text: "public key: open"},
		"key is no key":   {policy: `rules: [{match: "**", keys: ['` + broken + `']}]`, code: fail.Usage, text: "not a public key"},
		"no key is wrong": {policy: `rules: [{match: "**", keys: [team.pub, nowhere.pub]}]`, code: fail.Usage, text: "public key: open"},
		"an identity": {
			policy:  `rules: [{match: "**", ` + identities + `}]`,
			keyless: func(source.Claim) (string, error) { return "me", nil },
		},
		"another identity": {
			policy:  `rules: [{match: "**", ` + identities + `}]`,
			keyless: func(source.Claim) (string, error) { return "", errors.New("it is you") },
			code:    fail.Refused, text: "expected a signature by me (https://issuer): it is you",
		},
		"key or identity": {
			policy:  `rules: [{match: "**", keys: [team.pub], ` + identities + `}]`,
			keyless: func(source.Claim) (string, error) { return "", errors.New("it is not to be asked") },
		},
		"neither key nor identity": {
			policy:  `rules: [{match: "**", keys: [other.pub], ` + identities + `}]`,
			keyless: func(source.Claim) (string, error) { return "", errors.New("it is you") },
			code:    fail.Refused, text: "other.pub or me (https://issuer): no signature is accepted (1): one is by another key, or was changed afterwards; it is you",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := fixture.Write(t, filepath.Join(w.dir, strings.ReplaceAll(name, " ", "-")+".yaml"), strings.ReplaceAll(test.policy, "HOST", host))
			err := w.open(t, file, func(_ context.Context, c source.Claim) (string, error) {
				if len(c.Signatures) != 1 || c.Policy != file || !strings.HasSuffix(c.Reference, "@"+c.Digest) {
					t.Errorf("claim %+v", c)
				}
				return test.keyless(c)
			})
			want := strings.ReplaceAll(test.text, "HOST", host)
			if codeOf(err) != test.code || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("error %v with code %d, want %q with code %d", err, codeOf(err), want, test.code)
			}
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("error %v is not %v", err, test.is)
			}
		})
	}
	if err := w.open(t, filepath.Join(w.dir, "nowhere.yaml"), nil); codeOf(err) != fail.Usage {
		t.Errorf("no policy file: error %v", err)
	}
}

// A registry that answers for the artifact, but not for its signature.
func TestTrustUnreachable(t *testing.T) {
	t.Parallel()
	good := fixture.NewRegistry()
	down := false
	w := newTrusting(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if down && strings.HasSuffix(r.URL.Path, ".sig") {
			rw.WriteHeader(http.StatusForbidden)
			return
		}
		good.ServeHTTP(rw, r)
	}))
	down = true
	file := fixture.Write(t, filepath.Join(w.dir, "policy.yaml"), `rules: [{match: "**", keys: [team.pub]}]`)
	err := w.open(t, file, nil)
	if codeOf(err) != fail.Refused || !strings.Contains(err.Error(), `rule "**": signatures of sha256:`) {
		t.Errorf("error %v with code %d, want %d with the rule", err, codeOf(err), fail.Refused)
	}
}

// TestSignedAs is about a signed module that was copied, with its signature, to
// another repository.
func TestSignedAs(t *testing.T) {
	t.Parallel()
	w := newTrusting(t, fixture.NewRegistry())
	host, _, _ := strings.Cut(w.r.Repository, "/")
	original := w.r
	digest, err := oci.Digest(t.Context(), original, oci.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w.r = fixture.Reference(t, "oci://"+host+"/copies/app:1.0.0")
	for _, tag := range []string{"1.0.0", strings.Replace(digest, ":", "-", 1) + ".sig"} {
		image, err := remote.Image(must(name.NewTag(original.Repository + ":" + tag))(t))
		if err == nil {
			err = remote.Write(must(name.NewTag(w.r.Repository+":"+tag))(t), image)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		r            ref.Reference
		policy, text string
	}{
		"v1":                     {w.r, `rules: [{match: "**", keys: [team.pub]}]`, ""},
		"v2":                     {w.r, `{apiVersion: v2, rules: [{match: "**", keys: [team.pub]}]}`, `one is for another repository, "` + original.Repository + `"`},
		"v2, the original":       {original, `{apiVersion: v2, rules: [{match: "**", keys: [team.pub]}]}`, ""},
		"v2, named as a copy":    {w.r, `{apiVersion: v2, rules: [{match: "HOST/copies/*", keys: [team.pub], signedAs: "oci://HOST/modules/*"}]}`, ""},
		"v2, a copy of another":  {w.r, `{apiVersion: v2, rules: [{match: "HOST/copies/app", keys: [team.pub], signedAs: "oci://HOST/modules/b"}]}`, "one is for another repository"},
		"v2, a key among others": {w.r, `{apiVersion: v2, rules: [{match: "**", keys: [other.pub, team.pub]}]}`, "one is for another repository"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own := &trusting{w.dir, test.r}
			file := fixture.Write(t, filepath.Join(w.dir, strings.ReplaceAll(name, " ", "-")+".yaml"), strings.ReplaceAll(test.policy, "HOST", host))
			err := own.open(t, file, nil)
			if test.text == "" && err != nil || test.text != "" && (err == nil || !strings.Contains(err.Error(), test.text) || codeOf(err) != fail.Refused) {
				t.Errorf("error %v, want %q", err, test.text)
			}
		})
	}
}

func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// TestSibling stands in for the other binary: a script that says what it was
// asked.
func TestSibling(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the other binary is a shell script here")
	}
	claim := source.Claim{
		Reference: "oci://example.com/app@sha256:a", Digest: "sha256:a", Policy: "policy.yaml",
		Signatures: []signature.Signature{{Bundle: []byte("b")}},
	}
	for name, test := range map[string]struct {
		script, want, text string
		code               fail.Code
	}{
		"yes": {
			script: `test "$*" = "verify oci://example.com/app@sha256:a --signatures - -o json --policy=policy.yaml" && test "$(cat)" = '[{"bundle":"Yg=="}]' && ` +
				`echo '{"reference":"oci://example.com/app@sha256:a","signer":"me"}'`,
			want: "me",
		},
		"no":               {script: "echo noise >&2; echo 'error: it is you' >&2; exit 5", text: "it is you", code: fail.Refused},
		"killed":           {script: "kill -9 $$", text: "killed", code: fail.Failed},
		"an older version": {script: `echo "error: there is no verify" >&2; exit 2`, text: "there is no verify", code: fail.Refused},
		"no answer":        {script: "true", text: "something else than it was asked", code: fail.Failed},
		"another answer":   {script: `echo '{"reference":"oci://example.com/b@sha256:b","signer":"me"}'`, text: "something else", code: fail.Failed},
		"no signer":        {script: `echo '{"reference":"oci://example.com/app@sha256:a"}'`, text: "something else", code: fail.Failed},
	} {
		// Written before the first is run: a file that is still open in a process
		// which is being started cannot be run.
		path := filepath.Join(t.TempDir(), "kubectl-timoni-artifact")
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+test.script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			signer, err := source.Sibling(func() (string, error) { return path, nil })(t.Context(), claim)
			if test.text == "" {
				if err != nil || signer != test.want {
					t.Errorf("signer %q, error %v, want %q", signer, err, test.want)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.text) || codeOf(err) != test.code {
				t.Errorf("error %v with code %d, want %q with code %d", err, codeOf(err), test.text, test.code)
			}
		})
	}
}
