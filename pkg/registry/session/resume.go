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
)

const (
	// futile is how many connections in a row may break without a new byte,
	// resumptions how many in all.
	futile      = 3
	resumptions = 20
)

// resumer goes on with an answer that breaks off in the middle: it asks for the
// rest by Range (RFC 9110, section 14). Of a server that sends all of it again,
// because it knows no ranges, what has come already is dropped.
//
// Manifests are left out, for a tag may have moved between two answers. The
// digest of a blob says in the end whether the parts belong together.
type resumer struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t resumer) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil || req.Method != http.MethodGet || resp.StatusCode != http.StatusOK ||
		resp.Uncompressed || strings.Contains(req.URL.Path, "/manifests/") {
		return resp, err
	}
	resp.Body = &resumedBody{ReadCloser: resp.Body, next: t.next, req: req}
	return resp, nil
}

// resumedBody is the body of one answer, from however many it comes.
type resumedBody struct {
	io.ReadCloser
	next http.RoundTripper
	req  *http.Request

	offset int64 // bytes that were handed on
	futile int   // connections in a row that brought none
	broken int   // connections in all that broke
}

func (b *resumedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.offset += int64(n)
	if n > 0 {
		b.futile = 0
	}
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	if n > 0 {
		return n, nil // the next read meets the same error
	}
	if resumeErr := b.resume(err); resumeErr != nil {
		return 0, resumeErr
	}
	return b.Read(p)
}

// resume replaces the body by one that goes on at the offset. It returns cause,
// the error of the broken one, when that fails.
func (b *resumedBody) resume(cause error) error {
	ctx := b.req.Context()
	for ; b.futile < futile && b.broken < resumptions; b.futile, b.broken = b.futile+1, b.broken+1 {
		if err := sleep(ctx, firstPause<<b.futile); err != nil {
			return err
		}
		body, err := b.rest(ctx)
		if err != nil {
			continue
		}
		_ = b.ReadCloser.Close() // it has failed already
		b.ReadCloser = body
		b.futile, b.broken = b.futile+1, b.broken+1
		return nil
	}
	return cause
}

// rest asks for what is missing.
func (b *resumedBody) rest(ctx context.Context) (io.ReadCloser, error) {
	req := b.req.Clone(ctx)
	req.Header.Set("Range", fmt.Sprintf("bytes=%d-", b.offset))
	resp, err := b.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	switch {
	case resp.StatusCode == http.StatusPartialContent && strings.HasPrefix(resp.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", b.offset)):
		return resp.Body, nil
	case resp.StatusCode == http.StatusOK:
		_, err = io.CopyN(io.Discard, resp.Body, b.offset)
	default:
		err = fmt.Errorf("registry answered %s", resp.Status)
	}
	if err != nil {
		resp.Body.Close()
		return nil, err
	}
	return resp.Body, nil
}

// sleep waits, unless the context ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
