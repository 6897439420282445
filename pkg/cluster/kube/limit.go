// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"errors"
	"time"
)

// What the timeout of an option stands for.
const (
	DefaultTimeout = 5 * time.Minute // where it is zero

	Forever time.Duration = -1 // a timeout that never ends
)

// AtMost returns the timeout that stands for a duration of which 0 means that it
// never ends, as kubectl's flags have it.
func AtMost(d time.Duration) time.Duration {
	if d <= 0 {
		return Forever
	}
	return d
}

// LimitOf returns a timeout as WithTimeout takes it, which has 0 for none.
func LimitOf(timeout time.Duration) time.Duration {
	switch {
	case timeout == 0:
		return DefaultTimeout
	case timeout < 0:
		return 0
	}
	return timeout
}

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
