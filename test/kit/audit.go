// SPDX-License-Identifier: Apache-2.0

package kit

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"
)

// Request is a request that the API server has answered, or a watch that it
// has begun to answer.
type Request struct {
	User string
	Verb string // get, list, watch, create, update, patch, delete, deletecollection
	// Resource is as kubectl takes it, with group and subresource:
	// deployments.apps/scale. A request for something else has its path here.
	Resource  string
	Namespace string
	Name      string
	DryRun    bool
	Code      int
}

// String returns the request on one line, without user and code.
func (r Request) String() string {
	parts := []string{r.Verb, r.Resource}
	if r.Name != "" {
		parts = append(parts, r.Name)
	}
	if r.DryRun {
		parts = append(parts, "(dry run)")
	}
	return strings.Join(parts, " ")
}

// Write reports whether the request was one to change something.
func (r Request) Write() bool {
	return !r.DryRun && slices.Contains([]string{"create", "update", "patch", "delete", "deletecollection"}, r.Verb)
}

// Mark is a place in the audit log.
type Mark int64

// Mark returns the end of the audit log: the requests that have been answered
// until now are before it.
func (cp *ControlPlane) Mark() (Mark, error) {
	if cp.AuditLog == "" {
		return 0, ErrNoAudit
	}
	info, err := os.Stat(cp.AuditLog)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("audit log: %w", err)
	}
	return Mark(info.Size()), nil
}

// Requests returns the requests of the users since a mark, in the order in
// which they were answered. It returns [ErrNoAudit] on an existing cluster.
func (cp *ControlPlane) Requests(since Mark, users ...string) ([]Request, error) {
	if cp.AuditLog == "" {
		return nil, ErrNoAudit
	}
	f, err := os.Open(cp.AuditLog)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	defer f.Close()
	if _, err := f.Seek(int64(since), io.SeekStart); err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	var requests []Request
	for r := bufio.NewReader(f); ; {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return requests, nil // a line that is being written is after this call
		}
		if err != nil {
			return nil, fmt.Errorf("audit log: %w", err)
		}
		req, ok, err := parseRequest(line)
		if err != nil {
			return nil, fmt.Errorf("audit log: %w", err)
		}
		if ok && slices.Contains(users, req.User) {
			requests = append(requests, req)
		}
	}
}

// parseRequest reads a line of the audit log. It reports false for a stage of
// a request that another line stands for.
func parseRequest(line []byte) (Request, bool, error) {
	var e struct {
		Stage      string
		Verb       string
		RequestURI string
		User       struct{ Username string }
		ObjectRef  *struct{ Resource, Subresource, APIGroup, Namespace, Name string }
		// RequestObject is only there for a deletion.
		RequestObject  struct{ DryRun []string }
		ResponseStatus struct{ Code int }
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return Request{}, false, err
	}
	// A watch, or a log that is followed, is answered when it begins: its end may
	// be minutes away.
	lasts := e.Verb == "watch" || e.ObjectRef != nil && e.ObjectRef.Subresource == "log"
	if (lasts && e.ResponseStatus.Code < 300) != (e.Stage == "ResponseStarted") {
		return Request{}, false, nil
	}
	uri, err := url.Parse(e.RequestURI)
	if err != nil {
		return Request{}, false, err
	}
	req := Request{
		User:     e.User.Username,
		Verb:     e.Verb,
		Resource: uri.Path,
		DryRun:   len(e.RequestObject.DryRun) > 0 || uri.Query().Get("dryRun") != "",
		Code:     e.ResponseStatus.Code,
	}
	if o := e.ObjectRef; o != nil {
		req.Resource, req.Namespace, req.Name = o.Resource, o.Namespace, o.Name
		if o.APIGroup != "" {
			req.Resource += "." + o.APIGroup
		}
		if o.Subresource != "" {
			req.Resource += "/" + o.Subresource
		}
	}
	return req, true, nil
}
