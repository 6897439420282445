// SPDX-License-Identifier: Apache-2.0

package ui_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// screen is what a terminal shows of what is written to it, also by the
// goroutine that keeps the ages up to date.
type screen struct {
	t  *testing.T
	mu sync.Mutex

	colours bool // are expected

	lines []string // the cursor is at the start of the line after the last
}

var colourRE = regexp.MustCompile("\x1b\\[[0-9;]*m")

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := string(p)
	for text != "" {
		var up int
		if _, err := fmt.Sscanf(text, "\x1b[%dA", &up); err == nil {
			s.lines = s.lines[:len(s.lines)-up] // what is below is erased at once
			_, text, _ = strings.Cut(text, "\r\x1b[J")
			continue
		}
		line, rest, found := strings.Cut(text, "\n")
		plain := line
		if s.colours {
			plain = colourRE.ReplaceAllString(line, "")
		}
		if !found || strings.ContainsAny(plain, "\r\x1b") {
			s.t.Fatalf("not understood: %q", text)
		}
		s.lines, text = append(s.lines, line), rest
	}
	return len(p), nil
}

func (s *screen) shown() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lines)
}

func TestLiveTable(t *testing.T) {
	t.Parallel()
	object := func(name string) event.Object { return event.Object{Kind: "Job", Namespace: "apps", Name: name} }
	progress := func(name, status, message string) event.Progress {
		return event.Progress{Object: object(name), Status: status, Message: message}
	}
	started := event.WaitStarted{Objects: 3, Timeout: time.Minute, Waiting: []event.Progress{
		progress("a", "InProgress", "starting"), progress("longer", "InProgress", "Available: 0/1\nmore"), progress("c", "InProgress", ""),
	}}
	for name, tc := range map[string]struct {
		width, height int
		events        []event.Event // with a second before each
		want          []string
	}{
		"in place": {60, 24, []event.Event{started, progress("longer", "Current", ""), progress("a", "InProgress", "nearly")}, []string{
			"waiting up to 1m for 3 objects to become ready",
			"  Job/apps/a       in progress      2s  nearly",
			"  Job/apps/longer  ready            1s",
			"  Job/apps/c       in progress      2s",
		}},
		"narrow": {34, 24, []event.Event{started}, []string{
			"waiting up to 1m for 3 objects to become ready",
			"  Job/apps/a       in progress   ",
			"  Job/apps/longer  in progress   ",
			"  Job/apps/c       in progress   ",
		}},
		"low": {60, 4, []event.Event{started, progress("a", "Current", "")}, []string{
			"waiting up to 1m for 3 objects to become ready",
			"  Job/apps/longer  in progress      1s  Available: 0/1",
			"  and 2 more",
		}},
		"lines between, and the end": {60, 24, []event.Event{
			started, event.Warning{Text: "careful"}, progress("other", "Terminating", "finalizer"), progress("a", "Failed", "exit 1"), event.WaitDone{Failed: true},
			event.Warning{Text: "after"},
		}, []string{
			"waiting up to 1m for 3 objects to become ready",
			"warning: careful",
			"Job/apps/other terminating: finalizer",
			"  Job/apps/a       failed           4s  exit 1",
			"  Job/apps/longer  in progress      4s  Available: 0/1",
			"  Job/apps/c       in progress      4s",
			"warning: after",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &screen{t: t}
			var seconds atomic.Int64
			text := ui.TerminalTable(s, tc.width, tc.height, func() time.Time { return time.Unix(seconds.Load(), 0) })
			for _, e := range tc.events {
				seconds.Add(1)
				text.Observe(e)
			}
			if diff := cmp.Diff(tc.want, s.shown()); diff != "" {
				t.Errorf("screen (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFold shows below the table the last lines on the side: warnings stay
// longest, everything fits, only the prefix has a colour, and after a success
// they go.
func TestFold(t *testing.T) {
	t.Parallel()
	pod := event.Object{Version: "v1", Kind: "Pod", Namespace: "apps", Name: "web"}
	started := event.WaitStarted{Objects: 1, Timeout: time.Minute, Waiting: []event.Progress{{Object: pod, Status: "InProgress"}}}
	logged := func(text string) event.Event { return event.Logged{Pod: pod, Container: "c", Text: text} }
	warning := event.Noticed{Object: pod, Warning: true, Reason: "Bad", Message: "it is"}
	head := []string{"waiting up to 1m for 1 object to become ready", "  Pod/apps/web  in progress      0s"}
	var many []event.Event
	for i := range 12 {
		many = append(many, logged(fmt.Sprint("line ", i)))
	}
	for name, tc := range map[string]struct {
		width, height int
		colours       bool
		events        []event.Event
		want          []string
	}{
		"lines": {80, 24, false, []event.Event{logged("a\x1b[2Jb"), warning, event.LeftOut{Pod: pod, Container: "c", Lines: 3}, event.LeftOut{Lines: 1}}, []string{
			`[pod/web/c] a\u001b[2Jb`, "event: Warning Bad Pod/apps/web: it is", "[pod/web/c] 3 lines left out", "event: 1 event left out",
		}},
		"low":     {80, 6, false, append([]event.Event{warning}, many[:3]...), []string{"event: Warning Bad Pod/apps/web: it is", "[pod/web/c] line 1", "[pod/web/c] line 2"}},
		"narrow":  {20, 24, false, []event.Event{logged("abcdefghijk"), logged("日本語日本語")}, []string{"[pod/web/c] abcdefg", "[pod/web/c] 日本語"}},
		"colours": {80, 24, true, []event.Event{warning, event.Noticed{Object: pod, Reason: "R"}}, []string{"\x1b[31mevent: Warning\x1b[0m Bad Pod/apps/web: it is", "\x1b[90mevent: Normal\x1b[0m R Pod/apps/web"}},
		"many":    {80, 24, false, append([]event.Event{warning}, many[:10]...), append([]string{"event: Warning Bad Pod/apps/web: it is"}, linesOf(1, 10)...)},
		"failed":  {80, 24, false, []event.Event{logged("last"), event.WaitDone{Objects: 1, Failed: true}}, []string{"[pod/web/c] last"}},
		"ready":   {80, 24, false, []event.Event{logged("last"), event.WaitDone{Objects: 1}}, []string{"1 object ready after 0s"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &screen{t: t, colours: tc.colours}
			text := ui.TerminalTable(s, tc.width, tc.height, func() time.Time { return time.Unix(0, 0) })
			if tc.colours {
				text = text.Coloured()
			}
			for _, e := range append([]event.Event{started}, tc.events...) {
				text.Observe(e)
			}
			want := append(slices.Clone(head), tc.want...)
			want[1] = want[1][:min(len(want[1]), tc.width-1)]
			if diff := cmp.Diff(want, s.shown()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func linesOf(from, to int) (lines []string) {
	for i := from; i < to; i++ {
		lines = append(lines, fmt.Sprint("[pod/web/c] line ", i))
	}
	return lines
}
