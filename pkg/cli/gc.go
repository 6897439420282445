// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// The heap may grow to leastHeap bytes before garbage is collected, from Go's 4
// MiB. One that is larger grows by usualPercent, Go's own setting. After a
// collection that freed little it grows by latePercent, but by that at most to
// lateHeap.
const (
	leastHeap    = 96 << 20
	usualPercent = 100
	latePercent  = 400
	lateHeap     = 768 << 20
)

// collectLate has garbage collected seldom while the heap is small. Most runs
// end before the first collection. Rendering a small module spends a quarter of
// its time in collections that free next to nothing, since syntax and values
// live until the end; with many modules, those that are done with are freed.
func collectLate() {
	debug.SetGCPercent(leastHeap / (4 << 20) * 100)
	afterCollection(leastHeap)
}

// afterCollection sets the size of the heap for the next collection after each.
// The next one begins at goal bytes.
func afterCollection(goal uint64) {
	// What nothing refers to is cleaned up after the next collection.
	mark := new([16]byte)
	runtime.AddCleanup(mark, func(struct{}) {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		percent := percentFor(live[0].Value.Uint64(), goal)
		debug.SetGCPercent(percent)
		afterCollection(live[0].Value.Uint64() * uint64(100+percent) / 100)
	}, struct{}{})
}

// percentFor returns by how many percent of its live bytes the heap may grow
// after a collection that began at goal bytes.
func percentFor(live, goal uint64) int {
	if live == 0 {
		return usualPercent
	}
	percentTo := func(size uint64) int { return int((max(size, live) - live) * 100 / live) }
	if live >= goal/4*3 {
		return max(usualPercent, min(latePercent, percentTo(lateHeap)))
	}
	return max(usualPercent, percentTo(leastHeap))
}
