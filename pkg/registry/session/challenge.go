// SPDX-License-Identifier: Apache-2.0

package session

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/download"
)

// challenged follows the challenge of a repository: it fetches a token and
// sends the request again. The registry client follows that of the greeting,
// GET /v2/, alone, which some registries answer without one.
type challenged struct {
	next    http.RoundTripper
	session *Session

	mutex  sync.Mutex
	token  string
	scopes []string
}

// RoundTrip implements http.RoundTripper.
func (c *challenged) RoundTrip(req *http.Request) (*http.Response, error) {
	if !c.isConcerned(req) {
		return c.next.RoundTrip(req)
	}
	token := c.known()
	resp, err := c.next.RoundTrip(withToken(req, token))
	if err != nil || resp.StatusCode != http.StatusUnauthorized || req.Body != nil && req.GetBody == nil {
		return resp, err
	}
	challenge, ok := bearerChallenge(resp.Header.Values("WWW-Authenticate"))
	if !ok {
		return resp, nil
	}
	_, _ = io.Copy(io.Discard, resp.Body) // so that the connection can be used again
	resp.Body.Close()
	challenge.Insecure = req.URL.Scheme == "http"
	if token, err = c.renew(req, token, challenge); err != nil {
		return nil, err
	}
	again := withToken(req, token)
	if req.GetBody != nil {
		if again.Body, err = req.GetBody(); err != nil {
			return nil, err
		}
	}
	return c.next.RoundTrip(again)
}

// isConcerned says whether a request is about the repository and carries no
// token of the registry client.
func (c *challenged) isConcerned(req *http.Request) bool {
	s := c.session
	return s.network.own[download.Address(req.URL)] && strings.HasPrefix(req.URL.Path, "/v2/"+s.Repo.RepositoryStr()+"/") &&
		!strings.HasPrefix(req.Header.Get("Authorization"), "Bearer ")
}

func withToken(req *http.Request, token string) *http.Request {
	if token == "" {
		return req
	}
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", "Bearer "+token)
	return req
}

func (c *challenged) known() string {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.token
}

// renew returns a token that is not used, the one that was refused.
func (c *challenged) renew(req *http.Request, used string, challenge transport.Challenge) (string, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.token != used {
		return c.token, nil // another request was faster
	}
	wanted := transport.PullScope
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		wanted = transport.PushScope
	}
	// Some token servers read the first scope only.
	scope := cmp.Or(challenge.Parameters["scope"], c.session.Repo.Scope(wanted))
	c.scopes = append([]string{scope}, slices.DeleteFunc(c.scopes, func(s string) bool { return s == scope })...)
	token, err := c.fetch(req.Context(), challenge)
	if err == nil {
		c.token = token
	}
	return token, err
}

func (c *challenged) fetch(ctx context.Context, challenge transport.Challenge) (string, error) {
	s := c.session
	trip := transport.NewUserAgent(c.next, s.userAgent)
	token, err := transport.Exchange(ctx, s.Repo.Registry, s.auth, trip, c.scopes, &challenge)
	if err != nil {
		return "", err
	}
	return cmp.Or(token.AccessToken, token.Token), nil
}

// bearerChallenge returns the first challenge for a bearer token.
func bearerChallenge(headers []string) (transport.Challenge, bool) {
	for _, header := range headers {
		for _, c := range parseChallenges(header) {
			if c.Scheme == "bearer" {
				return c, true
			}
		}
	}
	return transport.Challenge{}, false
}

// parseChallenges reads one WWW-Authenticate header, which may hold several
// challenges (RFC 9110, section 11.6.1). Schemes and names are in lower case.
func parseChallenges(header string) (list []transport.Challenge) {
	for {
		header = strings.TrimLeft(header, " \t,")
		end := strings.IndexAny(header+" ", " \t,=")
		word := strings.ToLower(header[:end])
		header = strings.TrimLeft(header[end:], " \t")
		switch {
		case word == "" && header == "":
			return list
		case !strings.HasPrefix(header, "="):
			list = append(list, transport.Challenge{Scheme: word, Parameters: map[string]string{}})
		default:
			var value string
			value, header = parameterValue(strings.TrimLeft(header[1:], " \t"))
			if len(list) > 0 {
				list[len(list)-1].Parameters[word] = value
			}
		}
	}
}

// parameterValue returns a value, which may be quoted, and what follows it.
func parameterValue(text string) (value, rest string) {
	if !strings.HasPrefix(text, `"`) {
		end := strings.IndexAny(text+",", " \t,")
		return text[:end], text[end:]
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '"':
			return b.String(), text[i+1:]
		case text[i] == '\\' && i+1 < len(text):
			i++
		}
		b.WriteByte(text[i])
	}
	return b.String(), ""
}
