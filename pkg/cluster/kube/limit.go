// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"errors"
	"time"
)

// WithTimeout returns a context that ends after d, or with ctx when d is 0.
func WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, d, errTimeout)
}

// errTimeout is the cause of a context whose time is over, as opposed to one
// that the user interrupted.
var errTimeout = errors.New("the time is over")

// TimedOut says whether a context of WithTimeout ended because its time was over.
func TimedOut(ctx context.Context) bool { return errors.Is(context.Cause(ctx), errTimeout) }

// grace is how long what Detached is for may take after the end of the context.
// When that is too short, what was to be written is missing, and never wrong: a
// run that did not say that it failed is one whose process may have died.
const grace = 30 * time.Second

// Detached returns a context for what is done although ctx is over, or may be
// soon: what a run that ends leaves is what the next one needs to know. It has no
// limit of its own as long as ctx lives, as a slow server is no reason to leave
// an object deleted, and ends grace after ctx.
func Detached(ctx context.Context) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(grace, func() { cancel(errTimeout) })
		context.AfterFunc(late, func() { timer.Stop() })
	})
	return late, func() {
		stop()
		cancel(context.Canceled)
	}
}
