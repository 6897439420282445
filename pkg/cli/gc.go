// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"runtime"
	"runtime/debug"
)

// collectLate puts the first garbage collection off to a heap of 36 MiB, from
// Go's 4: most runs end before that, and those that do not go on with Go's own
// setting. Rendering a small module spends a quarter of its time in collections
// that free next to nothing, since syntax and values live until the end.
func collectLate() {
	const late, usual = 800, 100
	debug.SetGCPercent(late)
	// What nothing refers to is cleaned up after the first collection.
	first := new([16]byte)
	runtime.AddCleanup(first, func(percent int) { debug.SetGCPercent(percent) }, usual)
}
