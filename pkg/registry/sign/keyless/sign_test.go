// SPDX-License-Identifier: Apache-2.0

package keyless_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
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

const email = "team@example.com"

// services starts a Sigstore and writes its trusted root.
func services(t *testing.T) (s *sigstore.Services, trusted string) {
	t.Helper()
	s = must(must(sigstore.New())(t).Serve())(t)
	t.Cleanup(s.Close)
	return s, fixture.Write(t, filepath.Join(t.TempDir(), "trusted_root.json"), must(s.ServeAuthority())(t))
}

func fixedToken(token string) keyless.Token {
	return func(context.Context) (string, error) { return token, nil }
}

// What is signed is accepted, for the repository that it names.
func TestSign(t *testing.T) {
	t.Parallel()
	s, trusted := services(t)
	signer := must(keyless.NewSigner(keyless.Options{
		Fulcio: s.URL + "/", Rekor: s.URL, TrustedRoot: trusted, Token: fixedToken(must(s.Token(email, "sigstore"))(t)),
	}))(t)
	bundle, who, err := signer.Sign(t.Context(), "example.com/app", digest)
	if want := email + " (" + s.URL + ")"; err != nil || who != want {
		t.Fatalf("signed by %q, error %v, want %q", who, err, want)
	}
	for name, test := range map[string]struct{ repository, digest, text string }{
		"itself":             {"example.com/app", digest, ""},
		"another repository": {"example.com/copy", digest, "for another repository"},
		"another artifact":   {"example.com/app", other, "digest"},
	} {
		_, err := keyless.Verify(t.Context(), source.Claim{
			Repository: test.repository, Digest: test.digest, Signatures: []signature.Signature{{Bundle: bundle}},
			Rule: bound(t, trust.Rule{Match: "**", TrustedRoot: trusted, Identities: []trust.Identity{{Issuer: s.URL, Subject: email}}}),
		})
		if test.text == "" && err != nil || test.text != "" && (err == nil || !strings.Contains(err.Error(), test.text)) {
			t.Errorf("%s: error %v, want one with %q", name, err, test.text)
		}
	}
}

// bound returns a rule as a policy has it that binds signatures to repositories.
func bound(t *testing.T, rule trust.Rule) trust.Rule {
	t.Helper()
	text := must(json.Marshal(map[string]any{"apiVersion": trust.V2, "rules": []any{map[string]any{
		"match": rule.Match, "trustedRoot": rule.TrustedRoot, "identities": rule.Identities,
	}}}))(t)
	file := fixture.Write(t, filepath.Join(t.TempDir(), "policy.yaml"), text)
	found, _ := must(trust.Read(file))(t).For("example.com/app")
	return found
}

// Whatever the services answer, no signature is returned that would not verify,
// and no error shows the token.
func TestSignRefused(t *testing.T) {
	t.Parallel()
	ours, trusted := services(t)
	theirs, _ := services(t)
	token := must(ours.Token(email, "sigstore"))(t)
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", ours.URL)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body) // the client went away
		}
	}
	target := must(url.Parse(ours.URL))(t)
	changed := func(change func([]byte) []byte) http.HandlerFunc {
		proxy := httputil.NewSingleHostReverseProxy(target)
		proxy.ModifyResponse = func(resp *http.Response) error {
			body, err := io.ReadAll(resp.Body)
			body = change(body)
			resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			resp.Header.Del("Content-Length")
			return err
		}
		return proxy.ServeHTTP
	}
	// Answers to an earlier signature, which are valid for that alone.
	earlier := func(of func(url string) keyless.Options) http.HandlerFunc {
		var first []byte
		replay := changed(func(body []byte) []byte {
			if first == nil {
				first = body
			}
			return first
		})
		server := httptest.NewServer(replay)
		defer server.Close()
		if _, _, err := must(keyless.NewSigner(of(server.URL)))(t).Sign(t.Context(), "example.com/app", digest); err != nil {
			t.Fatal(err)
		}
		return replay
	}
	options := func(fulcio, rekor string) keyless.Options {
		return keyless.Options{Fulcio: fulcio, Rekor: rekor, TrustedRoot: trusted, Token: fixedToken(token)}
	}
	for name, test := range map[string]struct {
		fulcio, rekor http.Handler // ours when nil
		text          string
		code          fail.Code
	}{
		"authority unknown":     {fulcio: theirs.Config.Handler, text: "do not verify against the trusted root", code: fail.Refused},
		"log unknown":           {rekor: theirs.Config.Handler, text: "do not verify against the trusted root", code: fail.Refused},
		"certificate malformed": {fulcio: answer(200, `{"signedCertificateEmbeddedSct":{"chain":{"certificates":["x"]}}}`), text: "holds no certificate"},
		"no certificate":        {fulcio: answer(200, `{}`), text: "holds no certificate"},
		"no JSON":               {fulcio: answer(200, `x`), text: "the answer cannot be read"},
		"too large":             {fulcio: answer(200, strings.Repeat(" ", 2<<20)), text: "the answer is too large"},
		"redirected":            {fulcio: answer(307, ``), text: "the server answers 307"},
		"refused with the token": {
			fulcio: answer(401, `{"message":"the token `+token+` is\nworn out"}`), text: "the server answers 401 Unauthorized: the token *** is worn out"},
		"no entry":                {rekor: answer(201, `{}`), text: "holds no entry"},
		"entry malformed":         {rekor: answer(201, `{"a":{"body":"e30=","logID":"zz"}}`), text: "no entry that can be read"},
		"entry of nothing":        {rekor: answer(201, `{"a":{}}`), text: "no entry that can be read"},
		"log says no":             {rekor: answer(409, `{"code":409,"message":"an equivalent entry exists"}`), text: "409 Conflict: an equivalent entry exists"},
		"index of the log forged": {rekor: changed(func(b []byte) []byte { return bytes.Replace(b, []byte(`"logIndex":0`), []byte(`"logIndex":7`), 1) }), text: "do not verify", code: fail.Refused},
		"no proof of the log":     {rekor: changed(func(b []byte) []byte { return bytes.Replace(b, []byte(`"treeSize":1`), []byte(`"treeSize":0`), 1) }), text: "do not verify", code: fail.Refused},
		"certificate of another key": {
			fulcio: earlier(func(url string) keyless.Options { return options(url, ours.URL) }), text: "the server answers 400"},
		"entry of another": {
			rekor: earlier(func(url string) keyless.Options { return options(ours.URL, url) }), text: "do not verify", code: fail.Refused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := func(handler http.Handler) string {
				if handler == nil {
					return ours.URL
				}
				server := httptest.NewServer(handler)
				t.Cleanup(server.Close)
				return server.URL
			}
			signer := must(keyless.NewSigner(options(start(test.fulcio), start(test.rekor))))(t)
			_, _, err := signer.Sign(t.Context(), "example.com/app", digest)
			if err == nil || !strings.Contains(err.Error(), test.text) {
				t.Fatalf("error %v, want one with %q", err, test.text)
			}
			if strings.Contains(err.Error(), token) {
				t.Errorf("the error shows the token: %v", err)
			}
			if test.code != 0 && fail.CodeOf(err) != test.code {
				t.Errorf("code %d, want %d", fail.CodeOf(err), test.code)
			}
		})
	}
}
