// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"fmt"
)

// Fence is asked before each write that is not a dry run. It returns a context
// for the write that ends when the right to write does, or an error when the
// right has ended.
type Fence func(ctx context.Context) (context.Context, context.CancelFunc, error)

type fenceKey struct{}

// WithFence returns a context whose writes pass a fence. It travels in the
// context so that no write of a run can miss it.
func WithFence(ctx context.Context, fence Fence) context.Context {
	return context.WithValue(ctx, fenceKey{}, fence)
}

// fenced calls send with a context for a write.
func fenced(ctx context.Context, send func(context.Context) error) error {
	fence, _ := ctx.Value(fenceKey{}).(Fence)
	if fence == nil {
		return send(ctx)
	}
	// What the fence itself writes passes no fence.
	allowed, done, err := fence(context.WithValue(ctx, fenceKey{}, Fence(nil)))
	if err != nil {
		return err
	}
	defer done()
	err = send(allowed)
	if err != nil && allowed.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("%w: %w", context.Cause(allowed), err)
	}
	return err
}
