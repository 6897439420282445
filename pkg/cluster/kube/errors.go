// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
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
		return fail.Hint(&UnreachableError{Host: c.host, Err: e.Err},
			"check the context with 'kubectl config get-contexts' and the server with 'kubectl cluster-info'")
	}
	switch {
	case apierrors.IsUnauthorized(err):
		return fail.Hint(fmt.Errorf("the server %s does not accept the credentials: %w", c.host, err),
			"check who you are with 'kubectl auth whoami'")
	case apierrors.IsForbidden(err):
		return explainForbidden(err)
	}
	return err
}

// explainForbidden adds the hint that fits: the server forbids for want of
// rights, and also for quotas, terminating namespaces and admission. The reason
// is the same, and the texts are those of the API server.
func explainForbidden(err error) error {
	text := err.Error()
	if cause, ok := apierrors.StatusCause(err, "NamespaceTerminating"); ok {
		var name string
		if _, scanErr := fmt.Sscanf(cause.Message, "namespace %s is being terminated", &name); scanErr == nil {
			return fail.Hint(err, "wait until it is gone with 'kubectl wait --for=delete namespace/%s'", name)
		}
		return err
	}
	switch {
	case strings.Contains(text, "exceeded quota"):
		return fail.Hint(err, "see what uses up the quota with 'kubectl describe resourcequota --all-namespaces'")
	case strings.Contains(text, "admission webhook"):
		return fail.Hint(err, "see whose webhook it is with 'kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations'")
	case strings.Contains(text, "ValidatingAdmissionPolicy"):
		return fail.Hint(err, "see the policies with 'kubectl get validatingadmissionpolicies'")
	case strings.Contains(text, "violates PodSecurity"):
		return fail.Hint(err, "see the level of the namespace with 'kubectl get namespaces --show-labels'")
	case strings.Contains(text, " cannot "): // User "u" cannot get resource "r" in API group "g"
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
