// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

const (
	// attempts is how often a request is sent at most, firstPause what lies
	// between the first two; each further pause is twice as long.
	attempts   = 4
	firstPause = 200 * time.Millisecond
	// longestPause bounds what a registry may ask for with Retry-After.
	longestPause = 10 * time.Second
)

// retrier sends a request again when a registry says that it is too busy or
// when a connection breaks. The library does so too, but not for uploads, and
// it sleeps through an interrupt.
type retrier struct {
	next http.RoundTripper
	sent func(event.Transferred) // is told of the layers that are sent
}

// layerContent is the body of a request that sends a layer.
type layerContent interface{ LayerDigest() string }

// RoundTrip implements http.RoundTripper.
func (t retrier) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	layer, isLayer := req.Body.(layerContent)
	body, err := readBody(req)
	if err != nil {
		return nil, err
	}
	transfer := event.Transferred{Upload: true, Total: int64(len(body))}
	if isLayer {
		transfer.Digest = layer.LayerDigest()
	}
	for attempt := 1; ; attempt++ {
		if body != nil {
			req = req.Clone(ctx)
			req.Body = io.NopCloser(bytes.NewReader(body))
		}
		if isLayer {
			t.sent(transfer)
			req.Body = &meter{ReadCloser: req.Body, transfer: transfer, sent: t.sent}
		}
		resp, err := t.next.RoundTrip(req)
		if isLayer && (err != nil || resp.StatusCode >= http.StatusMultipleChoices) {
			t.sent(failed(transfer))
		}
		if attempt == attempts || ctx.Err() != nil || !passes(req, resp, err) {
			return resp, err
		}
		wait := pause(attempt, resp)
		if resp != nil {
			_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 4096)) // so that the connection can be used again
			resp.Body.Close()
		}
		if err = sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// meter reports how much of a layer was read, which is what was sent.
type meter struct {
	io.ReadCloser
	transfer event.Transferred
	sent     func(event.Transferred)
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.ReadCloser.Read(p)
	if n > 0 {
		m.transfer.Done += int64(n)
		m.sent(m.transfer)
	}
	return n, err
}

func failed(t event.Transferred) event.Transferred {
	t.Failed = true
	return t
}

// readBody returns the body of a request, which is a layer or a manifest that
// is in memory already.
func readBody(req *http.Request) ([]byte, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return nil, nil
	}
	defer req.Body.Close()
	return io.ReadAll(req.Body)
}

// passes says whether the reason of a failure may pass. After a broken
// connection only what changes nothing is sent again: of an upload, part may
// have arrived.
func passes(req *http.Request, resp *http.Response, err error) bool {
	if err != nil {
		idempotent := req.Method == http.MethodGet || req.Method == http.MethodHead
		broken := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
		return idempotent && broken
	}
	switch resp.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

func pause(attempt int, resp *http.Response) time.Duration {
	if resp != nil {
		if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
			return min(time.Duration(seconds)*time.Second, longestPause)
		}
	}
	return firstPause << (attempt - 1)
}
