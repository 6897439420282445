// SPDX-License-Identifier: Apache-2.0

package follow

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// TestNotices tells an event once, none that is older than the wait, and all
// warnings however many there are.
func TestNotices(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	n := newNotices(func() time.Time { return now })
	n.since = "2026-01-01T00:00:05Z"
	web := event.Object{Kind: "Pod", Namespace: "apps", Name: "web"}
	of := func(kind, message, when string) ready.Event {
		return ready.Event{Object: web, Type: kind, Reason: "R", Message: message, Time: when}
	}
	noticed := func(warning bool, message string) []event.Event {
		return []event.Event{event.Noticed{Object: web, Warning: warning, Reason: "R", Message: message}}
	}
	for _, tc := range []struct {
		name string
		e    ready.Event
		want []event.Event
	}{
		{"old", of("Warning", "old", "2026-01-01T00:00:04Z"), nil},
		{"new", of("Warning", "new", "2026-01-01T00:00:05Z"), noticed(true, "new")},
		{"again", of("Warning", "new", "2026-01-01T00:00:09Z"), nil},
		{"with a fraction", of("Normal", "fast", "2026-01-01T00:00:05.123456Z"), noticed(false, "fast")},
		{"without a time", of("Normal", "never", ""), nil},
	} {
		if diff := cmp.Diff(tc.want, n.take(tc.e)); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
	told := 0
	for i := range 200 {
		told += len(n.take(of("Normal", strings.Repeat("x", i), "2026-01-01T00:00:06Z")))
	}
	if told != eventBurst-1 { // one was told above
		t.Errorf("%d events were told at once, want %d", told, eventBurst-1)
	}
	if n.take(of("Warning", "late", "2026-01-01T00:00:06Z")) == nil {
		t.Error("a warning was left out")
	}
	now = now.Add(time.Second)
	want := []event.Event{event.LeftOut{Lines: 200 - told}, event.Noticed{Object: web, Reason: "R", Message: "later"}}
	if diff := cmp.Diff(want, n.take(of("Normal", "later", "2026-01-01T00:00:07Z"))); diff != "" {
		t.Error(diff)
	}
}

// TestLimit lets a burst through, then so many a second, and counts the rest.
func TestLimit(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	l := limit{burst: 3, perSecond: 2, now: func() time.Time { return now }}
	allowed := func(tries int) (n int) {
		for range tries {
			if ok, _ := l.take(); ok {
				n++
			}
		}
		return n
	}
	for i, tc := range []struct {
		pause time.Duration
		want  int
	}{{0, 3}, {0, 0}, {time.Second, 2}, {10 * time.Second, 3}, {500 * time.Millisecond, 1}} {
		now = now.Add(tc.pause)
		if got := allowed(10); got != tc.want {
			t.Errorf("%d: %d were let through, want %d", i, got, tc.want)
		}
	}
}

// TestReadLines gives every line, a last one without a line break, and of one
// that is too long the beginning.
func TestReadLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxRead)
	for name, tc := range map[string]struct {
		in   string
		want []string
		cut  int // how many are not whole
	}{
		"none":        {"", nil, 0},
		"lines":       {"a\r\n\nb\n", []string{"a", "", "b"}, 0},
		"no line end": {"a\nb", []string{"a", "b"}, 0},
		"longest":     {long + "\nb\n", []string{long, "b"}, 0},
		"too long":    {long + "yy\nb\n", []string{long, "b"}, 1},
	} {
		var got []string
		cut := 0
		err := readLines(strings.NewReader(tc.in), func(text string, isCut bool) {
			got = append(got, text)
			if isCut {
				cut++
			}
		})
		if err != nil || cmp.Diff(tc.want, got) != "" || cut != tc.cut {
			t.Errorf("%s: %d lines, %d cut, %v", name, len(got), cut, err)
		}
	}
}

// TestShown hides a secret that commands to the terminal are put into, and shows
// no such command.
func TestShown(t *testing.T) {
	t.Parallel()
	hide := mask.Values(map[string]string{"hunter22": mask.Hidden})
	for name, tc := range map[string]struct {
		in   string
		cut  bool
		most int
		want string
	}{
		"plain":             {"a\tb", false, 0, "a    b"},
		"coloured":          {"\x1b[1;31merror\x1b[0m x", false, 0, "error x"},
		"title":             {"\x1b]0;evil\x07x\x1b]8;;http://a\x1b\\y", false, 0, "xy"},
		"other escapes":     {"a\x1bcb\x9b2J\u202ec", false, 0, `a\u001bcb\x9b2J\u202ec`},
		"carriage return":   {"a\rerror: b", false, 0, `a\u000derror: b`},
		"secret":            {"p=hunter22.", false, 0, "p=***."},
		"secret in colours": {"hun\x1b[0mter22", false, 0, "***"},
		"secret at the end": {"aaaa hunter22", false, 8, "aaaa ***"},
		"long":              {"abcdef", false, 3, "abc…"},
		"cut":               {"abc", true, 0, "abc…"},
		"cut with a secret": {"a hunter22 hunter", true, 0, "a ***…"},
	} {
		if got := shown(tc.in, tc.cut, hide, tc.most); got != tc.want && got != strings.ReplaceAll(tc.want, `\u000d`, `\r`) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

// TestStates gives the containers that have a log.
func TestStates(t *testing.T) {
	t.Parallel()
	status := func(name string, restarts int64, state, last map[string]any) any {
		return map[string]any{"name": name, "restartCount": restarts, "state": state, "lastState": last}
	}
	running, over := map[string]any{"running": map[string]any{}}, map[string]any{"terminated": map[string]any{"exitCode": int64(1)}}
	waiting := map[string]any{"waiting": map[string]any{"reason": "CrashLoopBackOff"}}
	pod := api.Object{"status": map[string]any{
		"initContainerStatuses": []any{status("init", 0, over, nil)},
		"containerStatuses": []any{
			status("web", 2, running, over), status("crash", 3, waiting, over), status("new", 0, waiting, nil),
		},
	}}
	want := []State{{"init", 0, false, true}, {"web", 2, true, false}, {"crash", 3, false, true}}
	if diff := cmp.Diff(want, StatesOf(pod), cmp.AllowUnexported(State{})); diff != "" {
		t.Error(diff)
	}
}

// TestNewest takes the time of the last apply, which is what the server says.
func TestNewest(t *testing.T) {
	t.Parallel()
	item := func(created string, entries ...any) *ready.Item {
		return &ready.Item{Live: api.Object{"metadata": map[string]any{"creationTimestamp": created, "managedFields": entries}}}
	}
	entry := func(operation, when string) any { return map[string]any{"operation": operation, "time": when} }
	got := newest([]*ready.Item{{}, item("2026-01-01T00:00:00Z", entry("Apply", "2026-01-02T00:00:00Z"), entry("Update", "2026-01-03T00:00:00Z")), item("2026-01-01T00:00:01Z")})
	if got != "2026-01-02T00:00:00Z" {
		t.Error(got)
	}
}

// FuzzShown holds that no line does anything to a terminal.
func FuzzShown(f *testing.F) {
	for _, seed := range []string{"a", "\x1b[31m", "\x9b", "\u009b1m", "\xff\r\n", "hun\x1b[1mter22"} {
		f.Add(seed, 5)
	}
	hide := mask.Values(map[string]string{"hunter22": mask.Hidden})
	f.Fuzz(func(t *testing.T, text string, most int) {
		got := shown(text, false, hide, most)
		if mask.Line(got) != got || strings.Contains(got, "hunter22") {
			t.Errorf("%q is shown as %q", text, got)
		}
	})
}
