// SPDX-License-Identifier: Apache-2.0

// Package ui turns events and results into what a person or a program reads.
// It links nothing heavy: the front door uses it too. What needs kubectl's
// printers lives in package ui/printer.
package ui

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// Text writes a line per event, in kubectl's words where it has them, and shows
// on a terminal how a transfer gets on. It is safe for concurrent use.
type Text struct {
	mu    sync.Mutex
	w     io.Writer
	bar   *bar   // nil unless w is a terminal
	table *table // as well

	look Look
}

// Look says how progress is shown.
type Look struct {
	Colours bool // on a terminal
	Events  bool // also events that are no warnings, where no table shows them
	Bare    bool // lines of logs without a prefix
}

// Logs returns an observer that writes the lines of logs to w, and tells the rest
// to another observer. It calls failed with the error of a line that cannot be
// written.
func (l Look) Logs(w io.Writer, rest event.Observer, failed func(error)) event.Observer {
	var mu sync.Mutex
	return event.Func(func(e event.Event) {
		logged, isLine := e.(event.Logged)
		if !isLine {
			rest.Observe(e)
			return
		}
		text := mask.Line(logged.Text)
		if a, _ := asideOf(e); !l.Bare {
			text = a.line(l.Colours, 0)
		}
		mu.Lock()
		defer mu.Unlock()
		if _, err := io.WriteString(w, text+"\n"); err != nil {
			failed(err)
		}
	})
}

// NewText returns a Text that writes to w.
func NewText(w io.Writer) *Text { return Look{}.text(w) }

func (l Look) text(w io.Writer) *Text {
	t := &Text{w: w, bar: newBar(w), table: newTable(w), look: l}
	if t.table != nil {
		t.table.colours = l.Colours
	}
	return t
}

// Observe writes the line of e, if it has one. On a terminal a table shows what
// is waited for, and a bar what is transferred.
func (t *Text) Observe(e event.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if within, ok := e.(event.Within); ok && within.Alone {
		e = within.Event
	}
	if t.table != nil && t.table.observe(e) {
		return
	}
	if a, ok := asideOf(e); ok {
		if a.warning || a.log || t.look.Events {
			t.writeShown(a.line(t.look.Colours, 0))
		}
		return
	}
	if line := describe(e); line != "" {
		t.write(line)
	}
	if _, waiting := e.(event.WaitStarted); waiting && t.table != nil {
		t.table.draw()
		go t.keepAges(t.table.done)
	}
	if transfer, ok := e.(event.Transferred); ok && t.bar != nil {
		t.bar.observe(transfer)
	}
}

// keepAges draws the table anew every second until the wait is over.
func (t *Text) keepAges(done <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			t.mu.Lock()
			t.table.draw()
			t.mu.Unlock()
		}
	}
}

func (t *Text) line(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.write(text)
}

// write writes a line, above what stays at the end of the screen.
func (t *Text) write(text string) { t.writeShown(mask.Lines(text)) }

// writeShown is write for a text of which everything may be shown.
func (t *Text) writeShown(text string) {
	if t.bar != nil {
		t.bar.clear()
	}
	if t.table != nil {
		t.table.clear()
		defer t.table.draw()
	}
	fmt.Fprintln(t.w, text) // progress that cannot be written is no reason to stop
}

// Observer returns what progress goes to: nothing when quiet is asked for,
// except warnings, notes, the version that a range stands for and a namespace
// that is created, and a Text otherwise.
func Observer(w io.Writer, quiet bool) event.Observer { return Look{}.Observer(w, quiet) }

// Observer is Observer with another look.
func (l Look) Observer(w io.Writer, quiet bool) event.Observer {
	text := l.text(w)
	if !quiet {
		return text
	}
	return event.Func(func(e event.Event) {
		switch plain(e).(type) {
		case event.Warning, event.Unlisted, event.Note, event.Resolved, event.NamespaceCreated, event.NamespaceRemoved:
			text.Observe(e)
		}
	})
}

// plain returns an event without what says to what it happens.
func plain(e event.Event) event.Event {
	if within, ok := e.(event.Within); ok {
		return within.Event
	}
	return e
}

// Transfers is Observer for commands that report of the rest by their result:
// in addition to warnings, notes and versions it shows how transfers get on, but only on a
// terminal. With lines it says elsewhere which layers are transferred.
func Transfers(w io.Writer, quiet, lines bool) event.Observer {
	text := NewText(w)
	return event.Func(func(e event.Event) {
		switch e := e.(type) {
		case event.Warning, event.Note, event.Resolved:
			text.Observe(e)
		case event.Transferred:
			switch {
			case quiet:
			case text.bar != nil:
				text.Observe(e)
			case lines && e.Done == 0 && !e.Failed:
				text.line(fmt.Sprintf("%s layer %s, %s", direction(e), e.Digest, Size(e.Total)))
			}
		}
	})
}

func describe(e event.Event) string {
	switch e := e.(type) {
	case event.Resolved:
		return fmt.Sprintf("version %s is %s", e.Range, e.Reference)
	case event.Pulled:
		if e.Digest == "" {
			return ""
		}
		return fmt.Sprintf("pulled %s (%s)", e.Reference, e.Digest)
	case event.NamespaceCreated:
		return "created namespace " + e.Name
	case event.NamespaceRemoved:
		return "removed namespace " + e.Name + " again: nothing was applied"
	case event.InstanceStarted:
		on := ""
		if e.Cluster != "" {
			on = " on cluster " + e.Cluster
		}
		return fmt.Sprintf("instance %d of %d: %s in namespace %s%s", e.Index, e.Total, e.Name, e.Namespace, on)
	case event.Within:
		return describeWithin(e)
	case event.StageStarted:
		if e.Total == 1 {
			return ""
		}
		return fmt.Sprintf("stage %d of %d: %s, %s", e.Index, e.Total, e.Name, Count(e.Objects, "object"))
	case event.Applied:
		return withReason(fmt.Sprintf("%s %s", e.Object, e.Action), e.Reason)
	case event.WaitStarted:
		return fmt.Sprintf("waiting up to %s for %s to become ready", short(e.Timeout), Count(e.Objects, "object"))
	case event.Progress:
		return withReason(fmt.Sprintf("%s %s", e.Object, status(e.Status)), e.Message)
	case event.WaitDone:
		if e.Failed { // the error will say it
			return ""
		}
		return fmt.Sprintf("%s ready after %s", Count(e.Objects, "object"), e.Took.Round(100*time.Millisecond))
	case event.Note:
		return "note: " + e.Text
	case event.Warning:
		return "warning: " + e.Text
	case event.Unlisted:
		return "warning: " + unlisted(e)
	}
	return ""
}

// describeWithin returns the line of an event, and before it to what it happens,
// where the line does not say it itself.
func describeWithin(e event.Within) string {
	line := describe(e.Event)
	if _, known := e.Event.(event.InstanceStarted); known || line == "" {
		return line
	}
	return strings.Trim(e.Cluster+"/"+e.Name, "/") + ": " + line
}

// unlisted says what is left of an instance that is no longer in a bundle's files.
func unlisted(e event.Unlisted) string {
	return fmt.Sprintf("instance %q in namespace %q belongs to the bundle %q and is no longer in its files: --prune-instances deletes it", e.Name, e.Namespace, e.Bundle)
}

// status returns the word for a readiness that kstatus names otherwise.
func status(s string) string {
	switch s {
	case "Current":
		return "ready"
	case "InProgress":
		return "in progress"
	}
	return strings.ToLower(s)
}

func withReason(line, reason string) string {
	if reason == "" {
		return line
	}
	return line + ": " + reason
}

// Count returns a number of things: "1 object", "2 objects".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// short prints a duration without the zero parts that time.Duration appends:
// 5m, not 5m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
