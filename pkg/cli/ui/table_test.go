// SPDX-License-Identifier: Apache-2.0

package ui_test

import (
	"fmt"
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
	t     *testing.T
	mu    sync.Mutex
	lines []string // the cursor is at the start of the line after the last
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := string(p)
	for text != "" {
		var up int
		if n, _ := fmt.Sscanf(text, "\x1b[%dA", &up); n == 1 {
			s.lines = s.lines[:len(s.lines)-up] // what is below is erased at once
			_, text, _ = strings.Cut(text, "\r\x1b[J")
			continue
		}
		line, rest, found := strings.Cut(text, "\n")
		if !found || strings.ContainsAny(line, "\r\x1b") {
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
