// SPDX-License-Identifier: Apache-2.0

package ui

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// table shows on a terminal what is waited for, a row for each object, and
// changes the rows in place. Its methods are not safe for concurrent use.
type table struct {
	w    io.Writer
	size func() (width, height int)
	now  func() time.Time

	colours bool

	rows  []row // empty while nothing is waited for
	began time.Time
	fold  fold          // what goes on around it
	shown int           // lines on the screen
	done  chan struct{} // closed when the wait is over
}

type row struct {
	object  event.Object
	status  string
	message string
	ready   time.Duration // after this time, 0 when it is not
}

// newTable returns the table for w, nil when that is no terminal, or one that
// may not know how to move its cursor.
func newTable(w io.Writer) *table {
	if !IsTerminal(w) || runtime.GOOS == "windows" {
		return nil
	}
	return &table{w: w, size: func() (int, int) { return terminalSize(w) }, now: time.Now}
}

// observe takes in an event, and says whether the table shows it.
func (t *table) observe(e event.Event) bool {
	if a, ok := asideOf(e); ok {
		if len(t.rows) > 0 {
			t.fold.add(a)
			t.draw()
		}
		return len(t.rows) > 0
	}
	switch e := e.(type) {
	case event.WaitStarted:
		t.fold = nil
		t.rows, t.began, t.done = nil, t.now(), make(chan struct{})
		for _, p := range e.Waiting {
			t.rows = append(t.rows, row{object: p.Object, status: p.Status, message: p.Message})
		}
	case event.Progress:
		i := slices.IndexFunc(t.rows, func(r row) bool { return r.object == e.Object })
		if i < 0 {
			return false
		}
		t.rows[i] = row{object: e.Object, status: e.Status, message: e.Message}
		if e.Status == ready {
			t.rows[i].ready = max(t.now().Sub(t.began), 1)
		}
		t.draw()
		return true
	case event.WaitDone:
		if !e.Failed {
			t.fold = nil // it was on the way to what has come
		}
		t.draw()
		t.rows, t.shown = nil, 0 // the last state stays on the screen
		if t.done != nil {
			close(t.done)
			t.done = nil
		}
	}
	return false
}

// ready is the status of an object that is not waited for any more.
const ready = "Current"

// draw writes the rows over those that are on the screen.
func (t *table) draw() {
	if len(t.rows) == 0 {
		return
	}
	t.clear()
	width, height := t.size()
	room := height - 2 // the line above says what is waited for, the cursor is below
	// The rows leave some room to what goes on, which has all that they leave.
	lines := t.lines(room - min(len(t.fold), room/3))
	for i, line := range lines {
		// A line that fills the last column would go on to the next one.
		lines[i] = fit(mask.Line(line), width-1)
	}
	for _, a := range t.fold.last(room - len(lines)) {
		lines = append(lines, a.line(t.colours, width-1))
	}
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(line + "\n")
	}
	t.shown = len(lines)
	_, _ = io.WriteString(t.w, b.String()) // progress that cannot be written is no reason to stop
}

// clear takes the rows off the screen.
func (t *table) clear() {
	if t.shown > 0 {
		fmt.Fprintf(t.w, "\x1b[%dA\r\x1b[J", t.shown)
	}
	t.shown = 0
}

// lines returns the rows as text, at most so many: those that are not ready
// come first then, and the rest is only counted.
func (t *table) lines(most int) []string {
	rows := t.rows
	if most = max(most, 1); len(rows) > most {
		rows = slices.Clone(rows)
		slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(min(a.ready, 1), min(b.ready, 1)) })
		rows = rows[:most-1]
	}
	widest := 0
	for _, r := range rows {
		widest = max(widest, len(r.object.String()))
	}
	var lines []string
	for _, r := range rows {
		age := r.ready
		if age == 0 {
			age = t.now().Sub(t.began)
		}
		line := fmt.Sprintf("  %-*s  %-11s  %6s  %s", widest, r.object, status(r.status), age.Truncate(time.Second), firstLine(r.message))
		lines = append(lines, strings.TrimRight(line, " "))
	}
	if left := len(t.rows) - len(rows); left > 0 {
		lines = append(lines, fmt.Sprintf("  and %d more", left))
	}
	return lines
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
