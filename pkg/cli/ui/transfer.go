// SPDX-License-Identifier: Apache-2.0

package ui

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// bar shows on the last line of a terminal how much of the layers of one
// artifact was sent or received. What is over within a moment shows nothing.
type bar struct {
	w     io.Writer
	width func() int
	now   func() time.Time

	layers map[string]event.Transferred // by digest
	drawn  time.Time                    // when the line changed last
	shown  int                          // characters on the line
}

// redraw is the time between two changes of the line.
const redraw = 100 * time.Millisecond

// newBar returns the bar for w, nil when that is no terminal.
func newBar(w io.Writer) *bar {
	if !IsTerminal(w) {
		return nil
	}
	return &bar{w: w, now: time.Now, width: func() int { return terminalWidth(w) }}
}

func terminalWidth(w io.Writer) int {
	width, _ := terminalSize(w)
	return width
}

func terminalSize(w io.Writer) (width, height int) {
	const usualWidth, usualHeight = 80, 24
	f, ok := w.(*os.File)
	if !ok {
		return usualWidth, usualHeight
	}
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil || width == 0 || height == 0 { // a terminal that does not know
		return usualWidth, usualHeight
	}
	return width, height
}

func (b *bar) observe(t event.Transferred) {
	if len(b.layers) == 0 {
		b.layers, b.drawn = map[string]event.Transferred{}, b.now()
	}
	b.layers[t.Digest] = t
	if t.Failed {
		delete(b.layers, t.Digest)
	}
	var done, total int64
	for _, layer := range b.layers {
		done += layer.Done
		total += layer.Total
	}
	if done == total {
		b.clear()
		b.layers = nil
		return
	}
	if b.now().Sub(b.drawn) < redraw {
		return
	}
	b.drawn = b.now()
	b.draw(t, done, total)
}

func (b *bar) draw(t event.Transferred, done, total int64) {
	const cells = 20
	full := int(done * cells / total)
	line := fmt.Sprintf("[%s%s] %3d %% of %s  %s %s", strings.Repeat("#", full), strings.Repeat("-", cells-full),
		done*100/total, Size(total), direction(t), mask.Line(t.Reference))
	// A line that fills the last column would go on to the next one.
	if most := b.width() - 1; len(line) > most {
		line = line[:max(most, 0)]
	}
	fmt.Fprintf(b.w, "\r%-*s", b.shown, line)
	b.shown = len(line)
}

// clear empties the line, without the control sequences that some terminals do
// not know.
func (b *bar) clear() {
	if b.shown > 0 {
		fmt.Fprintf(b.w, "\r%*s\r", b.shown, "")
	}
	b.shown = 0
}

func direction(t event.Transferred) string {
	if t.Upload {
		return "pushing"
	}
	return "pulling"
}

// Size returns a number of bytes for a person.
func Size(n int64) string {
	const kib = 1 << 10
	if n < kib {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/kib, 0
	for value >= kib && unit < 2 {
		value /= kib
		unit++
	}
	return fmt.Sprintf("%.1f %ciB", value, "KMG"[unit])
}
