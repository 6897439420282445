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

// Detached returns a short context for what is done although ctx is over: what
// an interrupted run leaves is what the next one needs to know.
func Detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
}
