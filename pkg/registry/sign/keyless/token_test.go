// SPDX-License-Identifier: Apache-2.0

package keyless_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/keyless"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit/sigstore"
)

func TestFindToken(t *testing.T) {
	t.Parallel()
	const token, another = "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2VjcmV0", "eyJhbGciOiJub25lIn0.eyJhIjoyfQ.c2VjcmV0"
	dir := t.TempDir()
	file := fixture.Write(t, filepath.Join(dir, "token"), token+"\n")
	noToken := fixture.Write(t, filepath.Join(dir, "none"), "secret of another kind")
	for name, test := range map[string]struct {
		given string
		env   map[string]string
		text  string // of the error
	}{
		"given":                  {given: token},
		"given before the rest":  {given: token, env: map[string]string{"SIGSTORE_ID_TOKEN": another}},
		"file":                   {given: file},
		"variable":               {given: "env://MINE", env: map[string]string{"MINE": token + "\n"}},
		"GitLab":                 {env: map[string]string{"SIGSTORE_ID_TOKEN": token, "ACTIONS_ID_TOKEN_REQUEST_URL": "https://127.0.0.1:1"}},
		"variable not set":       {given: "env://MINE", text: "the variable MINE is not set"},
		"variable of no token":   {given: "env://MINE", env: map[string]string{"MINE": "secret"}, text: "not a JSON web token"},
		"part of a token":        {given: token[:30], text: "not a JSON web token"},
		"four parts":             {given: token + ".x", text: "not a JSON web token"},
		"file of no token":       {given: noToken, text: "holds no JSON web token"},
		"file missing":           {given: filepath.Join(dir, "nowhere"), text: "nowhere"},
		"none":                   {text: "identity token is missing"},
		"GitHub forbids":         {env: map[string]string{"GITHUB_ACTIONS": "true"}, text: "GitHub gives this job none"},
		"GitHub without TLS":     {env: map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": "http://example.com/x"}, text: "GitHub http://example.com/x: only https is allowed"},
		"GitHub with a bad URL":  {env: map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": "x"}, text: "expected https://HOST"},
		"GitHub with a password": {env: map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": "https://a:secret@example.com"}, text: "expected https://HOST"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			find, err := keyless.FindToken(test.given, "", lookup(test.env))
			if test.text != "" {
				if err == nil || !strings.Contains(err.Error(), test.text) || fail.CodeOf(err) != fail.Usage || strings.Contains(err.Error(), "secret") {
					t.Errorf("error %v, want one with %q", err, test.text)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, err := find(t.Context()); err != nil || got != token {
				t.Errorf("token %q, error %v", got, err)
			}
		})
	}
}

func lookup(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	}
}

// GitHub is asked for a token for Sigstore, with the secret of the job.
func TestGitHubToken(t *testing.T) {
	t.Parallel()
	s := must(must(sigstore.New())(t).Serve())(t)
	t.Cleanup(s.Close)
	for secret, text := range map[string]string{sigstore.RequestSecret: "", "another": "the server answers 400 Bad Request: not authorized as Bearer ***"} {
		find, err := keyless.FindToken("", "", lookup(map[string]string{
			"ACTIONS_ID_TOKEN_REQUEST_URL": s.URL + "/github?api-version=2.0", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": secret,
		}))
		if err != nil {
			t.Fatal(err)
		}
		token, err := find(t.Context())
		if text == "" && (err != nil || !strings.HasPrefix(token, "eyJ")) {
			t.Errorf("token %q, error %v", token, err)
		}
		if text != "" && (err == nil || !strings.Contains(err.Error(), text)) {
			t.Errorf("error %v, want one with %q", err, text)
		}
	}
}

func TestNewSignerErrors(t *testing.T) {
	t.Parallel()
	_, trusted := services(t)
	logless := fixture.Write(t, filepath.Join(t.TempDir(), "trusted_root.json"), `{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}`)
	for name, test := range map[string]struct{ fulcio, rekor, trusted, text string }{
		"authority without TLS": {"http://example.com", keyless.PublicRekor, trusted, "certificate authority http://example.com: only https is allowed"},
		"log without a host":    {keyless.PublicFulcio, "https://", trusted, "transparency log https://: expected https://HOST"},
		"no trusted root":       {keyless.PublicFulcio, keyless.PublicRekor, "nowhere.json", "trusted root nowhere.json"},
		"no log":                {keyless.PublicFulcio, keyless.PublicRekor, logless, "it names no transparency log"},
	} {
		_, err := keyless.NewSigner(keyless.Options{Fulcio: test.fulcio, Rekor: test.rekor, TrustedRoot: test.trusted})
		if err == nil || !strings.Contains(err.Error(), test.text) || fail.CodeOf(err) != fail.Usage {
			t.Errorf("%s: error %v, want one with %q", name, err, test.text)
		}
	}
}
