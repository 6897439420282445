// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/download"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
)

const (
	// maxRedirects bounds the redirects of one request, maxAnswer the bytes of
	// an answer that is neither a manifest nor a layer, such as a page of tags.
	maxRedirects = 10
	maxAnswer    = 32 << 20
	// patience is how many times the stall limit an answer may take in all. A
	// layer has a deadline by its size.
	patience = 4
)

// guard applies to all requests of a session, those of the registry client
// included, what no registry may change: the number of redirects, where
// credentials go, and the size and the duration of an answer.
type guard struct {
	next    http.RoundTripper
	session *Session
}

// guarded is an error of this package that has come through the registry
// client, and that needs no further explanation.
type guarded struct{ error }

// Unwrap returns the error itself.
func (g guarded) Unwrap() error { return g.error }

// RoundTrip implements http.RoundTripper.
func (g guard) RoundTrip(req *http.Request) (*http.Response, error) {
	first, redirects := origin(req)
	err := g.session.checkCredentials(req)
	if redirects > maxRedirects {
		err = guarded{fmt.Errorf("registry %s redirects more than %d times", g.session.Repo.RegistryStr(), maxRedirects)}
	}
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	size, timed := g.bounds(first)
	bound := newBound(req.Context(), size, patience*g.session.stall)
	if timed {
		bound.start()
	}
	resp, err := g.next.RoundTrip(req.WithContext(bound.ctx))
	if err != nil {
		err = bound.reason(err)
		bound.stop()
		return nil, err
	}
	if isContent := req.Method == http.MethodGet && resp.StatusCode < http.StatusMultipleChoices; !timed && isContent {
		bound.left = -1 // hashed and measured by its reader
	} else if !timed {
		bound.start()
	}
	resp.Body = &boundBody{resp.Body, bound}
	return resp, nil
}

// origin returns the request that redirects have led away from, and how many.
func origin(req *http.Request) (first *http.Request, redirects int) {
	for ; req.Response != nil && req.Response.Request != nil; redirects++ {
		req = req.Response.Request
	}
	return req, redirects
}

// bounds returns the maximum size of the answer to a request, and whether the
// request has the usual deadline. Content has one by its size.
func (g guard) bounds(first *http.Request) (size int64, timed bool) {
	path, own := first.URL.Path, g.session.network.own[download.Address(first.URL)]
	switch {
	case own && (strings.Contains(path, "/manifests/") || strings.Contains(path, "/referrers/")):
		return archive.MaxManifest, true
	case own && strings.HasPrefix(path, "/v2/") && strings.Contains(path, "/blobs/"):
		return maxAnswer, false
	}
	return maxAnswer, first.Method != http.MethodPatch && first.Method != http.MethodPut
}

// bound is what is left of the size and the time of one answer.
type bound struct {
	ctx    context.Context //nolint:containedctx // lives as long as one request
	cancel context.CancelCauseFunc
	timer  *time.Timer
	limit  time.Duration
	size   int64
	left   int64 // negative: not counted
}

func newBound(ctx context.Context, size int64, limit time.Duration) *bound {
	b := &bound{limit: limit, size: size, left: size}
	b.ctx, b.cancel = context.WithCancelCause(ctx)
	return b
}

func (b *bound) start() {
	b.timer = time.AfterFunc(b.limit, func() { b.cancel(slowError{b.limit}) })
}

func (b *bound) stop() {
	if b.timer != nil {
		b.timer.Stop()
	}
	b.cancel(nil)
}

// reason returns why the request was cancelled, if it was for its duration.
func (b *bound) reason(err error) error {
	if slow, ok := errors.AsType[slowError](context.Cause(b.ctx)); ok {
		return slow
	}
	return err
}

// slowError is the reason why a bound cancelled a request.
type slowError struct{ limit time.Duration }

// Error implements error.
func (e slowError) Error() string { return fmt.Sprintf("the answer is not complete after %s", e.limit) }

// boundBody is a body of an answer within its bound.
type boundBody struct {
	io.ReadCloser
	bound *bound
}

// Read implements io.Reader.
func (b *boundBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.bound.left >= 0 {
		if b.bound.left -= int64(n); b.bound.left < 0 {
			b.bound.left = 0
			return 0, guarded{fmt.Errorf("%w: the registry's answer has more than %d bytes", archive.ErrTooLarge, b.bound.size)}
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = b.bound.reason(err)
	}
	return n, err
}

// Close implements io.Closer.
func (b *boundBody) Close() error {
	err := b.ReadCloser.Close()
	b.bound.stop()
	return err
}

// checkCredentials returns an error for a request that carries a password or a
// refresh token to a host that is neither the registry's nor known to be its
// token server. A registry names that server in its challenge.
func (s *Session) checkCredentials(req *http.Request) error {
	isOAuth := req.Method == http.MethodPost && req.Header.Get("Content-Type") == "application/x-www-form-urlencoded"
	if !isOAuth && !strings.HasPrefix(req.Header.Get("Authorization"), "Basic ") {
		return nil
	}
	host, own := req.URL.Hostname(), hostOf(s.Repo.RegistryStr())
	plain := req.URL.Scheme != "https"
	switch {
	case plain && s.Repo.Scheme() == "https":
		return guarded{fail.Refusedf("registry %s asks for the credentials over plain http at %s", s.Repo.RegistryStr(), s.Clean(host))}
	case strings.EqualFold(host, own), s.isNamed(download.Address(req.URL)):
		return nil
	case !plain && (sameDomain(host, own) || isTokenServer(own, host)):
		return nil
	}
	shown := s.Clean(host)
	return guarded{&TokenServerError{Registry: s.Repo.RegistryStr(), Host: shown}}
}
