// SPDX-License-Identifier: Apache-2.0

package render

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/budget"
)

// The limits of a rendering for which nothing else is said.
const (
	DefaultTime   = time.Minute
	DefaultMemory = 2 << 30
)

// Unlimited turns a limit off.
const Unlimited = -1

// Limits bound what a module may use up (docs/design.md, decision 14). Zero stands
// for the default, Unlimited for no limit.
type Limits struct {
	Time time.Duration
	// Memory is how many bytes all renderings that go on in this process may hold
	// together, in addition to what it held before they began.
	Memory int64
}

func (l Limits) orDefault() Limits {
	return Limits{cmp.Or(l.Time, DefaultTime), cmp.Or(l.Memory, DefaultMemory)}
}

// stage is what a rendering is at.
type stage struct{ name atomic.Pointer[string] }

func (s *stage) enter(name string) { s.name.Store(&name) }

// LimitError says that a limit was passed: the one of Limits that is not zero.
// It is an ErrLimit.
type LimitError struct {
	Stage   string // what the rendering was at
	Subject string // what passed it; empty: the module
	Limits
}

func (e *LimitError) Error() string {
	subject := cmp.Or(e.Subject, "the module")
	if e.Memory != 0 {
		return fmt.Sprintf("%s: %s needs more than %s of memory", e.Stage, subject, FormatBytes(e.Memory))
	}
	return fmt.Sprintf("%s: %s is not done after %s", e.Stage, subject, e.Time)
}

// Is makes it an ErrLimit.
func (e *LimitError) Is(target error) bool { return target == ErrLimit }

// ErrLimit is the error when a limit was passed. What passed it goes on until
// it is done or the process ends, and counts towards the memory of renderings
// that begin meanwhile.
var ErrLimit = errors.New("a limit was passed")

// bounded runs work, which begins at a stage, and waits for it until it is done,
// the context is, or a limit is passed. The evaluator cannot be interrupted:
// what was given up goes on, which is why the process has to end after the
// error.
func bounded[T any](ctx context.Context, limits Limits, begin string, work func(*stage) (T, error)) (none T, err error) {
	type outcome struct {
		result T
		err    error
	}
	current := &stage{}
	current.enter(begin)
	done := make(chan outcome, 1)
	limits = limits.orDefault()
	budget.Begin(limits.Memory)
	go func() {
		result, err := work(current)
		budget.End()
		done <- outcome{result, err}
	}()
	var late <-chan time.Time
	if limits.Time > 0 {
		deadline := time.NewTimer(limits.Time)
		defer deadline.Stop()
		late = deadline.C
	}
	cancelled := func() error { return fmt.Errorf("%s: %w", *current.name.Load(), context.Cause(ctx)) }
	// Memory that was not allocated for 20 ms cannot have grown by much.
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case o := <-done:
			if o.err != nil && ctx.Err() != nil {
				return none, cancelled()
			}
			return o.result, o.err
		case <-ctx.Done():
			return none, cancelled()
		case <-late:
			return none, &LimitError{Stage: *current.name.Load(), Limits: Limits{Time: limits.Time}}
		case <-tick.C:
			if budget.Exceeded(limits.Memory) {
				return none, &LimitError{Stage: *current.name.Load(), Limits: Limits{Memory: limits.Memory}}
			}
		}
	}
}

// Bounded runs other work of the evaluator's within the limits, as Build does.
// verb and subject name it in errors.
func Bounded[T any](ctx context.Context, limits Limits, verb, subject string, work func() (T, error)) (T, error) {
	result, err := bounded(ctx, limits, verb+" "+subject, func(*stage) (T, error) { return work() })
	if e, ok := errors.AsType[*LimitError](err); ok && e.Subject == "" {
		e.Subject = subject
	}
	return result, err
}

// FormatBytes returns a size with the largest unit that divides it: 512Mi.
func FormatBytes(n int64) string {
	units := []string{"", "Ki", "Mi", "Gi"}
	i := 0
	for i < len(units)-1 && n >= 1024 && n%1024 == 0 {
		n, i = n/1024, i+1
	}
	return fmt.Sprintf("%d%s", n, units[i])
}
