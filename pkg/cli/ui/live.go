// SPDX-License-Identifier: Apache-2.0

package ui

import (
	"fmt"
	"io"
	"runtime"
	"strings"
)

// Live shows one text after the other. On a terminal each takes the place of the
// one before, as much of it as the screen holds; elsewhere an empty line is
// between them.
type Live struct {
	w     io.Writer
	size  func() (width, height int) // nil when it is no terminal
	shown int                        // lines on the screen
	any   bool                       // something was shown
}

// NewLive returns a Live for w.
func NewLive(w io.Writer) *Live {
	l := &Live{w: w}
	if IsTerminal(w) && runtime.GOOS != "windows" { // where a terminal may not know how to move its cursor
		l.size = func() (int, int) { return terminalSize(w) }
	}
	return l
}

// Show shows a text that was made for a terminal, as that of Table.
func (l *Live) Show(text string) error {
	defer func() { l.any = true }()
	if l.size == nil {
		if l.any {
			text = "\n" + text
		}
		_, err := io.WriteString(l.w, text)
		return err
	}
	width, height := l.size()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	var b strings.Builder
	if l.shown > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r\x1b[J", l.shown)
	}
	l.shown = 0
	for i, line := range lines {
		line = strings.TrimRight(line, " ")
		// A line that is longer than the screen is wide takes several rows of it.
		rows := max((cells(line)+width-1)/width, 1)
		if l.shown+rows > height-2 {
			fmt.Fprintf(&b, "and %d more lines\n", len(lines)-i)
			l.shown++
			break
		}
		b.WriteString(line + "\n")
		l.shown += rows
	}
	_, err := io.WriteString(l.w, b.String())
	return err
}
