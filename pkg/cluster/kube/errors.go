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
)

// UnreachableError means that a request got no answer from the server.
type UnreachableError struct {
	Host string
	Err  error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("the server %s is not reachable: %v", e.Host, e.Err)
}

// Unwrap returns what the connection said.
func (e *UnreachableError) Unwrap() error { return e.Err }

// IsUnreachable says whether err is about a request that got no answer.
func IsUnreachable(err error) bool {
	_, ok := errors.AsType[*UnreachableError](err)
	return ok
}

// OneUnreachable returns the error of a run from which the server went away with
// one of the requests that failed for it, not with all.
func OneUnreachable(err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || !IsUnreachable(err) {
		return err
	}
	for _, part := range joined.Unwrap() {
		if IsUnreachable(part) {
			return OneUnreachable(part)
		}
	}
	return err
}

// Join joins the error that ended a run and those of what was tried after it. A
// server that is away is told once.
func Join(err error, late ...error) error {
	var first *UnreachableError
	if !errors.As(err, &first) {
		return errors.Join(append([]error{err}, late...)...)
	}
	errs := []error{err}
	for _, l := range late {
		if !errors.As(l, &first) {
			errs = append(errs, l)
		}
	}
	return errors.Join(errs...)
}

// CredentialsError means that the server does not accept the credentials.
type CredentialsError struct {
	Host string
	Err  error
}

func (e *CredentialsError) Error() string {
	return fmt.Sprintf("the server %s does not accept the credentials: %v", e.Host, e.Err)
}

// Unwrap returns what the server said.
func (e *CredentialsError) Unwrap() error { return e.Err }

// explain adds to an error of the API machinery which server was asked.
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
		return &UnreachableError{Host: c.host, Err: e.Err}
	}
	if apierrors.IsUnauthorized(err) {
		return &CredentialsError{Host: c.host, Err: err}
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
	return context.WithValue(ctx, objectKey{}, o.Ref())
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
