// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const defaultStall = 30 * time.Second

// stallGuard cancels a request through which no byte moves for limit: neither
// of its body, nor of the answer.
type stallGuard struct {
	next  http.RoundTripper
	limit time.Duration
}

// RoundTrip implements http.RoundTripper.
func (g *stallGuard) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	watch := &watch{ctx: ctx, cancel: cancel, limit: g.limit}
	watch.timer = time.AfterFunc(g.limit, func() {
		cancel(stallError{g.limit})
	})
	req = req.WithContext(ctx)
	if req.Body != nil {
		req.Body = &watchedBody{ReadCloser: req.Body, watch: watch}
	}
	resp, err := g.next.RoundTrip(req)
	if err != nil {
		err = watch.reason(err)
		watch.stop()
		return nil, err
	}
	watch.touch()
	resp.Body = &watchedBody{ReadCloser: resp.Body, watch: watch, last: true}
	return resp, nil
}

// stallError is the reason why a stallGuard cancelled a request.
type stallError struct{ limit time.Duration }

func (e stallError) Error() string { return fmt.Sprintf("no answer for %s", e.limit) }

// watch is the timer of one request.
type watch struct {
	ctx    context.Context //nolint:containedctx // lives as long as one request
	cancel context.CancelCauseFunc
	limit  time.Duration
	timer  *time.Timer
}

func (w *watch) touch() { w.timer.Reset(w.limit) }

func (w *watch) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// reason returns why the request was cancelled, if it was.
func (w *watch) reason(err error) error {
	if w.ctx.Err() != nil && !errors.Is(err, io.EOF) {
		return context.Cause(w.ctx)
	}
	return err
}

// watchedBody resets the timer with every read. The last body of a request,
// that of the answer, stops it.
type watchedBody struct {
	io.ReadCloser
	watch *watch
	last  bool
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		return n, b.watch.reason(err)
	}
	b.watch.touch()
	return n, nil
}

func (b *watchedBody) Close() error {
	err := b.ReadCloser.Close()
	if b.last {
		b.watch.stop()
	}
	return err
}
