// SPDX-License-Identifier: Apache-2.0

package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
)

// Bounded returns a context for the download of size bytes.
func (s *Session) Bounded(ctx context.Context, size int64) (context.Context, context.CancelFunc) {
	limit := resumptions*s.stall + time.Duration(size/slowest)*time.Second
	return context.WithTimeoutCause(ctx, limit, guarded{slowError{limit}})
}

// slowest is how many bytes per second a download has to bring, apart from the
// time that interruptions take.
const slowest = 1 << 10

// Direct is one anonymous request for a manifest.
func (s *Session) Direct(ctx context.Context, wanted string) (data []byte, mediaType types.MediaType, ok bool) {
	if s.loggedIn {
		return nil, "", false
	}
	ctx, cancel := context.WithTimeout(ctx, s.stall/directShare)
	defer cancel()
	var accept []string
	for _, known := range []types.MediaType{types.OCIManifestSchema1, types.OCIImageIndex, types.DockerManifestSchema2, types.DockerManifestList} {
		accept = append(accept, string(known))
	}
	resp, err := s.get(ctx, s.transport, "manifests/"+wanted, accept...)
	if err != nil {
		return nil, "", false
	}
	defer resp.Body.Close()
	data, err = io.ReadAll(io.LimitReader(resp.Body, archive.MaxManifest+1))
	if err != nil || resp.StatusCode != http.StatusOK || len(data) > archive.MaxManifest {
		return nil, "", false
	}
	s.public.Store(true)
	return data, types.MediaType(resp.Header.Get("Content-Type")), true
}

// directShare is what part of the time without an answer that ends a request a
// direct one gets. It decides about nothing: a slow registry has its chance
// afterwards, at the cost of one request.
const directShare = 6

// Blob asks for content by its digest: anonymously, when the manifest was had
// so, and otherwise, or when that is refused, with the credentials.
func (s *Session) Blob(ctx context.Context, digest v1.Hash) (io.ReadCloser, error) {
	if s.public.Load() {
		resp, err := s.get(ctx, s.transport, "blobs/"+digest.String())
		if err == nil && resp.StatusCode == http.StatusOK {
			return resp.Body, nil
		}
		if err == nil {
			resp.Body.Close()
		}
		s.public.Store(false)
	}
	trip, err := s.login(ctx)
	if err != nil {
		return nil, err
	}
	resp, err := s.get(ctx, trip, "blobs/"+digest.String())
	if err != nil {
		return nil, err
	}
	if err = transport.CheckError(resp, http.StatusOK); err != nil {
		resp.Body.Close()
		return nil, err
	}
	return resp.Body, nil
}

// ListsReferrers says whether the registry has the referrers API of OCI 1.1.
func (s *Session) ListsReferrers(ctx context.Context, digest v1.Hash) (bool, error) {
	trip, err := s.login(ctx)
	if err != nil {
		return false, s.Explain(ctx, err)
	}
	resp, err := s.get(ctx, trip, "referrers/"+digest.String(), string(types.OCIImageIndex))
	if err != nil {
		return false, s.Explain(ctx, err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, archive.MaxManifest)) // so that the connection can be used again
	return resp.StatusCode == http.StatusOK && resp.Header.Get("Content-Type") == string(types.OCIImageIndex), nil
}

// What one repository may have of tags: more than any has.
const (
	maxPages    = 1000
	maxTagBytes = 64 << 20
)

// Tags returns all tags of the repository, page by page.
func (s *Session) Tags(ctx context.Context, puller *remote.Puller) ([]string, error) {
	lister, err := puller.Lister(ctx, s.Repo)
	if err != nil {
		return nil, err
	}
	var all []string
	for pages, size := 0, 0; lister.HasNext(); pages++ {
		if pages == maxPages || size > maxTagBytes {
			return nil, guarded{fmt.Errorf("%w: the list of tags has more than %d pages or %d bytes", archive.ErrTooLarge, maxPages, maxTagBytes)}
		}
		page, err := lister.Next(ctx)
		if err != nil {
			return nil, err
		}
		for _, tag := range page.Tags {
			size += len(tag)
		}
		all = append(all, page.Tags...)
	}
	return all, nil
}

// ConcurrentRequests is how many requests one registry is sent at a time.
const ConcurrentRequests = 16

// IsNotFound says whether the registry has no such tag or no such repository.
func IsNotFound(err error) bool {
	status, ok := errors.AsType[*transport.Error](err)
	return ok && status.StatusCode == http.StatusNotFound
}

// login returns what sends requests with a token or password, as the registry
// wants it. It asks the registry once.
func (s *Session) login(ctx context.Context) (http.RoundTripper, error) {
	s.loginMutex.Lock()
	defer s.loginMutex.Unlock()
	if s.authenticated == nil {
		trip, err := transport.NewWithContext(ctx, s.Repo.Registry, s.auth, s.transport, []string{s.Repo.Scope(transport.PullScope)})
		if err != nil {
			return nil, err
		}
		s.authenticated = trip
	}
	return s.authenticated, nil
}

// get asks for a path below the repository.
func (s *Session) get(ctx context.Context, trip http.RoundTripper, path string, accept ...string) (*http.Response, error) {
	url := fmt.Sprintf("%s://%s/v2/%s/%s", s.Repo.Scheme(), s.Repo.RegistryStr(), s.Repo.RepositoryStr(), path)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	for _, mediaType := range accept {
		req.Header.Add("Accept", mediaType)
	}
	req.Header.Set("User-Agent", cmp.Or(s.userAgent, "kubectl-timoni"))
	// guard counts the redirects.
	follow := func(*http.Request, []*http.Request) error { return nil }
	return (&http.Client{Transport: trip, CheckRedirect: follow}).Do(req)
}
