// SPDX-License-Identifier: Apache-2.0

package ui_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

const mib = 1 << 20

func part(digest string, done, total int64) event.Transferred {
	return event.Transferred{Reference: "oci://reg/app:1.0.0", Digest: digest, Done: done, Total: total}
}

func TestBar(t *testing.T) {
	t.Parallel()
	upload, failed := part("a", mib, 2*mib), part("a", mib, 2*mib)
	upload.Upload, failed.Failed = true, true
	for name, test := range map[string]struct {
		width  int
		events []event.Event // with 60 ms before each
		want   []string      // what is written, divided at carriage returns
	}{
		"two layers": {80, []event.Event{
			part("a", 0, 2*mib), part("b", 0, 2*mib), part("a", mib, 2*mib), part("b", 2*mib, 2*mib), part("a", 2*mib, 2*mib),
		}, []string{
			"", "[#####---------------]  25 % of 4.0 MiB  pulling oci://reg/app:1.0.0", strings.Repeat(" ", 68), "",
		}},
		"over in a moment": {80, []event.Event{part("a", 0, 10), part("a", 10, 10)}, []string{""}},
		"a narrow terminal": {20, []event.Event{part("a", 0, 2*mib), upload, upload}, []string{
			"", "[##########--------",
		}},
		"a line between": {80, []event.Event{part("a", 0, 2*mib), upload, upload, event.Warning{Text: "careful"}}, []string{
			"", "[##########----------]  50 % of 2.0 MiB  pushing oci://reg/app:1.0.0", strings.Repeat(" ", 68), "warning: careful\n",
		}},
		"a failure": {80, []event.Event{part("a", 0, 2*mib), upload, upload, failed}, []string{
			"", "[##########----------]  50 % of 2.0 MiB  pushing oci://reg/app:1.0.0", strings.Repeat(" ", 68), "",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			clock := time.Unix(0, 0)
			text := ui.TerminalText(&out, test.width, func() time.Time { return clock })
			for _, e := range test.events {
				clock = clock.Add(60 * time.Millisecond)
				text.Observe(e)
			}
			if diff := cmp.Diff(test.want, strings.Split(out.String(), "\r")); diff != "" {
				t.Errorf("written (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTransfers is about what is written where there is no terminal.
func TestTransfers(t *testing.T) {
	t.Parallel()
	const warning, layer = "warning: careful\n", "pulling layer sha256:00, 2.0 MiB\n"
	for name, test := range map[string]struct {
		quiet, lines bool
		want         string
	}{
		"lines": {lines: true, want: layer + warning}, "none": {want: warning}, "quiet": {quiet: true, lines: true, want: warning},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			o := ui.Transfers(&out, test.quiet, test.lines)
			for _, e := range []event.Event{part("sha256:00", 0, 2*mib), part("sha256:00", mib, 2*mib), event.Warning{Text: "careful"}, event.Pulled{Digest: "x"}} {
				o.Observe(e)
			}
			if diff := cmp.Diff(test.want, out.String()); diff != "" {
				t.Errorf("written (-want +got):\n%s", diff)
			}
		})
	}
}
