// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// explain adds what a person needs to an error of the API machinery: which
// server was asked, and what to try.
func (c *Client) explain(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		// The address in a url.Error names a path that means nothing to the
		// person; the server does.
		return fail.Hint(fmt.Errorf("the server %s is not reachable: %w", c.host, e.Err),
			"check the context with 'kubectl config get-contexts' and the server with 'kubectl cluster-info'")
	}
	switch {
	case apierrors.IsUnauthorized(err):
		return fail.Hint(fmt.Errorf("the server %s does not accept the credentials: %w", c.host, err),
			"check who you are with 'kubectl auth whoami'")
	case apierrors.IsForbidden(err):
		return fail.Hint(err, "check what you may do with 'kubectl auth can-i --list'")
	}
	return err
}

// warnings reports each warning of the server once.
type warnings struct {
	observer event.Observer
	mu       sync.Mutex
	seen     map[string]bool
}

func newWarnings(observer event.Observer) *warnings {
	return &warnings{observer: observer, seen: map[string]bool{}}
}

// HandleWarningHeaderWithContext implements rest.WarningHandlerWithContext.
// Code 299 is the only one that the API server uses.
func (w *warnings) HandleWarningHeaderWithContext(_ context.Context, code int, _, text string) {
	if code != 299 || text == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen[text] {
		return
	}
	w.seen[text] = true
	w.observer.Observe(event.Warning{Text: text})
}
