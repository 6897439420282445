// SPDX-License-Identifier: Apache-2.0

package keyless

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// Token returns an identity token: who signs, as an issuer that the
// certificate authority trusts says it. No error holds one.
type Token func(context.Context) (string, error)

// The reasons for which there is no token.
var (
	ErrNoToken      = errors.New("identity token is missing: none is given, and the environment is that of no known CI system")
	ErrNotPermitted = errors.New("identity token: GitHub gives this job none")
)

// audience is the service that tokens are for.
const audience = "sigstore"

// mountedToken is where a Kubernetes volume has the token of a service account,
// as cosign reads it.
const mountedToken = "/var/run/sigstore/cosign/oidc-token"

// FindToken returns where the token is from: the one that was given, as such,
// in a file or as env://NAME, or else the environment of a CI system.
func FindToken(given, userAgent string, lookupEnv func(string) (string, bool)) (Token, error) {
	getenv := func(name string) string {
		value, _ := lookupEnv(name)
		return value
	}
	name, isVariable := strings.CutPrefix(given, "env://")
	switch {
	case isVariable:
		if getenv(name) == "" {
			return nil, fail.Invalidf("identity token: the variable %s is not set", name)
		}
		return fixed(getenv(name))
	case isToken(given):
		return fixed(given)
	case strings.HasPrefix(given, tokenStart):
		return nil, errMalformedToken() // part of one, which no error may show
	case given != "":
		return inFile(given)
	case getenv("SIGSTORE_ID_TOKEN") != "":
		return fixed(getenv("SIGSTORE_ID_TOKEN"))
	case getenv("ACTIONS_ID_TOKEN_REQUEST_URL") != "":
		return fromGitHub(getenv("ACTIONS_ID_TOKEN_REQUEST_URL"), getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN"), userAgent)
	case getenv("GITHUB_ACTIONS") == "true":
		return nil, fail.Invalid(ErrNotPermitted)
	}
	token, err := inFile(mountedToken)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fail.Invalid(ErrNoToken)
	}
	return token, err
}

const tokenStart = "eyJ" // {" in base64

// isToken says whether a text has the form of a JSON web token.
func isToken(text string) bool {
	parts := strings.Split(text, ".")
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for _, part := range parts {
		if part == "" || strings.Trim(part, alphabet) != "" {
			return false
		}
	}
	return len(parts) == 3 && strings.HasPrefix(text, tokenStart)
}

func fixed(token string) (Token, error) {
	token = strings.TrimSpace(token)
	if !isToken(token) {
		return nil, errMalformedToken()
	}
	return func(context.Context) (string, error) { return token, nil }, nil
}

func errMalformedToken() error { return fail.Invalidf("identity token: not a JSON web token") }

func inFile(name string) (Token, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fail.Invalidf("identity token: %w", err)
	}
	token, err := fixed(string(data))
	if err != nil {
		return nil, fail.Invalidf("identity token: the file %s holds no JSON web token", name)
	}
	return token, nil
}

// fromGitHub asks the service of GitHub Actions when the token is needed: it is
// valid for minutes.
func fromGitHub(address, secret, userAgent string) (Token, error) {
	s, err := newService("GitHub", address, userAgent)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, s.named(err)
	}
	query := u.Query()
	query.Set("audience", audience)
	u.RawQuery = query.Encode()
	return func(ctx context.Context) (string, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return "", s.named(err)
		}
		req.Header.Set("Authorization", "Bearer "+secret)
		var answer struct{ Value string }
		if err = s.do(req, secret, &answer); err != nil {
			return "", s.named(err)
		}
		if !isToken(answer.Value) {
			return "", s.named(errors.New("the answer holds no token"))
		}
		return answer.Value, nil
	}, nil
}
