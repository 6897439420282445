// SPDX-License-Identifier: Apache-2.0

package kube

import "context"

// Answer is what was asked ahead of the moment at which it is needed.
type Answer[T any] struct {
	come  chan struct{}
	value T
	err   error
}

// Ask asks something while the caller goes on.
func Ask[T any](ask func() (T, error)) *Answer[T] {
	a := &Answer[T]{come: make(chan struct{})}
	go func() {
		defer close(a.come)
		a.value, a.err = ask()
	}()
	return a
}

// Wait returns the answer when it has come, or the cause of the end of ctx.
func (a *Answer[T]) Wait(ctx context.Context) (T, error) {
	select {
	case <-a.come:
		return a.value, a.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}
