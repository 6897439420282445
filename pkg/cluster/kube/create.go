// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"net/http"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// versionOfNone is a resourceVersion that no object has: etcd counts from 2. An
// apply that carries it is a Conflict with every object that exists. That is a
// fact of the server (test/kit TestApplyThatOnlyCreates), not a documented
// promise, so the status of the answer is looked at too.
const versionOfNone = "1"

// ApplyNew is Apply of an object that does not exist: it only creates. It is a
// Conflict when an object of the name exists, whatever its owner. A server that
// ignores the version and writes over that object all the same is a Conflict in
// a dry run, which changes nothing, and an OverwrittenError in a real one.
func (c *Client) ApplyNew(ctx context.Context, r Resource, o api.Object, mode Mode) (api.Object, error) {
	body := o.DeepCopy()
	metadata := body["metadata"].(map[string]any)
	metadata["resourceVersion"] = versionOfNone
	var status int
	got, err := c.Apply(context.WithValue(ctx, statusKey{}, &status), r, body, true, mode)
	switch {
	case err != nil || status == http.StatusCreated:
		return got, err
	case mode == DryRun:
		return nil, newConflict(r, o)
	}
	return nil, &OverwrittenError{Object: o.Ref()}
}

// OverwrittenError is the error of a server that writes over an object although
// the request says that there is none.
type OverwrittenError struct{ Object event.Object }

func (e *OverwrittenError) Error() string {
	return "another client created it during this run, and the server applied the module's fields over it " +
		"instead of rejecting the request: compare it with what that client expects"
}

// statusKey is the key of the *int in a request's context that takes the status
// of the last answer.
type statusKey struct{}

// statusNotes notes the status of answers for the callers that ask for it. The
// dynamic client does not tell 200 and 201 apart.
type statusNotes struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (n statusNotes) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := n.next.RoundTrip(r)
	if status, ok := r.Context().Value(statusKey{}).(*int); ok && err == nil {
		*status = response.StatusCode
	}
	return response, err
}
