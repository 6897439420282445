// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
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

// newConflict returns the server's error about an object that is not in the
// version that a request is for.
func newConflict(r Resource, o api.Object) error {
	return apierrors.NewConflict(r.GroupResource(), o.Name(), errors.New("it exists already"))
}

// objectKey is the key of the object in the context of a request about one.
type objectKey struct{}

// about returns a context whose request is about an object: warnings name it.
func about(ctx context.Context, o api.Object) context.Context {
	return context.WithValue(ctx, objectKey{}, nameOf(o))
}

func nameOf(o api.Object) event.Object {
	return event.Object{Group: o.Group(), Version: o.Version(), Kind: o.Kind(), Namespace: o.Namespace(), Name: o.Name()}
}

// warnings reports each warning of the server once for each object.
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
func (w *warnings) HandleWarningHeaderWithContext(ctx context.Context, code int, _, text string) {
	if code != 299 || text == "" {
		return
	}
	if o, ok := ctx.Value(objectKey{}).(event.Object); ok {
		text = o.String() + ": " + text
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen[text] {
		return
	}
	w.seen[text] = true
	w.observer.Observe(event.Warning{Text: text})
}
