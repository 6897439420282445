// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"sync"
)

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

// Answers are answers by the name of what was asked for, each asked for once. The
// zero value is ready to use, and is safe for concurrent use.
type Answers[T any] struct {
	mu    sync.Mutex
	asked map[string]*Answer[T]
}

// Ask returns the answer about a name, which it asks for unless that was done. An
// answer that is not to be kept, or is an error, is asked for again next time.
func (a *Answers[T]) Ask(ctx context.Context, name string, ask func() (T, error), keep func(T) bool) (T, error) {
	a.mu.Lock()
	asked := a.asked[name]
	if asked == nil {
		asked = Ask(ask)
		if a.asked == nil {
			a.asked = map[string]*Answer[T]{}
		}
		a.asked[name] = asked
	}
	a.mu.Unlock()
	answer, err := asked.Wait(ctx)
	if err != nil || !keep(answer) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.asked[name] == asked {
			delete(a.asked, name)
		}
	}
	return answer, err
}
