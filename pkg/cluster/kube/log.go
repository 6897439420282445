// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"io"
	"strconv"
	"time"

	"k8s.io/client-go/rest"
)

// LogOptions say which part of which log to read. The zero values stand for
// all of it.
type LogOptions struct {
	Container string
	Lines     *int // at most the last ones
	Bytes     int
	Since     time.Duration
	After     string // a time in RFC 3339
	Follow    bool   // go on with what comes until the container ends
	Stamped   bool   // each line begins with its time in RFC 3339, and a space
	Previous  bool   // of the container before it was started again
}

// Log returns the log of a container.
func (c *Client) Log(ctx context.Context, ns, pod string, o LogOptions) (string, error) {
	body, err := c.logRequest(ns, pod, o).Do(ctx).Raw()
	return string(body), c.explain(err)
}

// OpenLog returns the log of a container as it comes. It ends with ctx.
func (c *Client) OpenLog(ctx context.Context, ns, pod string, o LogOptions) (io.ReadCloser, error) {
	stream, err := c.logRequest(ns, pod, o).Stream(ctx)
	return stream, c.explain(err)
}

func (c *Client) logRequest(ns, pod string, o LogOptions) *rest.Request {
	r := c.rest.Get().AbsPath("/api/v1/namespaces", ns, "pods", pod, "log").Param("container", o.Container)
	if o.Lines != nil {
		r.Param("tailLines", strconv.Itoa(*o.Lines))
	}
	if o.Bytes > 0 {
		r.Param("limitBytes", strconv.Itoa(o.Bytes))
	}
	if o.Since > 0 {
		r.Param("sinceSeconds", strconv.Itoa(max(int(o.Since.Seconds()), 1)))
	}
	if o.After != "" {
		r.Param("sinceTime", o.After)
	}
	if o.Follow {
		r.Param("follow", "true")
	}
	if o.Stamped {
		r.Param("timestamps", "true")
	}
	if o.Previous {
		r.Param("previous", "true")
	}
	return r
}
