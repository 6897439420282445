// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// The heap may grow to leastHeap bytes before garbage is collected, from Go's 4
// MiB. One that is large has Go's own setting, which is usualPercent.
const (
	leastHeap    = 96 << 20
	usualPercent = 100
)

// collectLate has garbage collected seldom while the heap is small. Most runs
// end before the first collection. Rendering a small module spends a quarter of
// its time in collections that free next to nothing, since syntax and values
// live until the end; with many modules, those that are done with are freed.
func collectLate() {
	debug.SetGCPercent(leastHeap / (4 << 20) * 100)
	afterCollection()
}

// afterCollection sets the size of the heap for the next collection after each.
func afterCollection() {
	// What nothing refers to is cleaned up after the next collection.
	mark := new([16]byte)
	runtime.AddCleanup(mark, func(struct{}) {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		debug.SetGCPercent(percentFor(live[0].Value.Uint64()))
		afterCollection()
	}, struct{}{})
}

// percentFor returns by how many percent of its live bytes the heap may grow.
func percentFor(live uint64) int {
	if live == 0 || live >= leastHeap {
		return usualPercent
	}
	return max(usualPercent, int((leastHeap-live)*100/live))
}
