// SPDX-License-Identifier: Apache-2.0

// Package budget measures the memory that the evaluations of a process hold
// together.
package budget

import (
	"runtime"
	"runtime/metrics"
	"sync"
	"time"
)

// budget measures what the renderings of a process hold together. Their
// evaluators share one heap, in which what belongs to which cannot be told
// apart: so all are held to what has come since the first of them began, and
// what the caller held by then is left out.
type budget struct {
	mu       sync.Mutex
	active   int   // evaluations that go on, given up or not
	base     int64 // what was held before the first of them
	measured time.Time
	counting bool  // garbage is being collected, to tell it from what is held
	held     int64 // what was held after the last collection
}

// process is the budget of this process. It is the one variable of the project
// that changes: the heap that it measures is the process's too.
var process = &budget{}

// Begin counts an evaluation in until End. limit is its own, in bytes, negative
// for none.
func Begin(limit int64) { process.begin(limit) }

// End counts out an evaluation that is done. One that is given up goes on.
func End() { process.end() }

// Exceeded says whether the evaluations that go on hold more than a limit, in
// addition to what the process held before the first of them.
func Exceeded(limit int64) bool { return process.exceeded(limit) }

// remeasure is how long a base holds for evaluations that begin one after the
// other: to measure it takes a garbage collection.
const remeasure = 10 * time.Second

func (b *budget) begin(limit int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.active == 0 && limit > 0 {
		b.measure(limit)
	}
	b.active++
}

func (b *budget) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.active--
}

// measure sets the base. What is little compared with the limit counts as nothing: a
// process that renders and ends does not collect garbage for it.
func (b *budget) measure(limit int64) {
	b.held = 0
	if memory() <= limit/8 {
		b.base = 0
		return
	}
	if b.base > 0 && time.Since(b.measured) < remeasure {
		return
	}
	runtime.GC()
	b.base, b.measured = memory(), time.Now()
}

// exceeded collects garbage before it says yes. While that takes its time, the
// evaluations may take a quarter of the limit more, or as much as the caller
// held, whose garbage is among it.
func (b *budget) exceeded(limit int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	used := memory() - b.base
	switch {
	case limit < 0 || used <= limit:
		return false
	case b.held > limit, used > limit+max(limit/4, b.base):
		return true
	case !b.counting:
		b.counting = true
		go b.count()
	}
	return false
}

func (b *budget) count() {
	runtime.GC()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counting, b.held = false, memory()-b.base
}

// memory returns how much this process has from the operating system and has in
// use.
func memory() int64 {
	samples := []metrics.Sample{
		{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}, {Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64() - samples[1].Value.Uint64() - samples[2].Value.Uint64())
}
