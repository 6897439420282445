// SPDX-License-Identifier: Apache-2.0

package render

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// The limits of a rendering for which nothing else is said.
const (
	DefaultTime   = time.Minute
	DefaultMemory = 2 << 30
)

// Limits bound what a module may use up (docs/design.md, decision 14). Zero stands
// for the default.
type Limits struct {
	Time   time.Duration
	Memory int64 // bytes that the whole process holds
}

// stage is what a rendering is at.
type stage struct{ name atomic.Pointer[string] }

func (s *stage) enter(name string) { s.name.Store(&name) }

// exceeded says that a limit was passed, and which flag moves it.
type exceeded struct{ message, hint string }

func (e *exceeded) Error() string { return e.message }

// Is makes it an ErrLimit.
func (e *exceeded) Is(target error) bool { return target == ErrLimit }

// ErrLimit is the error when a limit was passed. What passed it goes on until
// the process ends, so that nothing more should be rendered.
var ErrLimit = errors.New("a limit was passed")

// hinted adds to the error of a passed limit the flag that moves it, for the
// commands that have it.
func hinted(err error) error {
	if limit, ok := errors.AsType[*exceeded](err); ok {
		return fail.Hint(err, "%s", limit.hint)
	}
	return err
}

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
	go func() {
		result, err := work(current)
		done <- outcome{result, err}
	}()
	limits.Time, limits.Memory = cmp.Or(limits.Time, DefaultTime), cmp.Or(limits.Memory, DefaultMemory)
	deadline := time.NewTimer(limits.Time)
	defer deadline.Stop()
	// Memory that was not allocated for 20 ms cannot have grown by much.
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case o := <-done:
			return o.result, o.err
		case <-ctx.Done():
			return none, fmt.Errorf("%s: %w", *current.name.Load(), context.Cause(ctx))
		case <-deadline.C:
			return none, &exceeded{
				fmt.Sprintf("%s: the module is not done after %s", *current.name.Load(), limits.Time),
				"a module that needs longer can be given it with --render-timeout, in a KRM function with TIMONI_RENDER_TIMEOUT",
			}
		case <-tick.C:
			if memory() > limits.Memory {
				return none, &exceeded{
					fmt.Sprintf("%s: the module needs more than %s of memory", *current.name.Load(), FormatBytes(limits.Memory)),
					"a module that needs more can be given it with --render-memory, in a KRM function with TIMONI_RENDER_MEMORY",
				}
			}
		}
	}
}

// Bounded runs other work of the evaluator's within the limits, as Build does.
// what names it in errors.
func Bounded[T any](ctx context.Context, limits Limits, what string, work func() (T, error)) (T, error) {
	return bounded(ctx, limits, what, func(*stage) (T, error) { return work() })
}

// memory returns how much this process has from the operating system.
func memory() int64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64() - samples[1].Value.Uint64())
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
