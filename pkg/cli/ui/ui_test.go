// SPDX-License-Identifier: Apache-2.0

package ui_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

func events() []event.Event {
	web := event.Object{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "apps", Name: "web"}
	return []event.Event{
		event.Pulled{Reference: "./local"},
		event.Pulled{Reference: "oci://reg/app:1.0.0", Digest: "sha256:00"},
		event.StageStarted{Name: "app", Index: 1, Total: 1, Objects: 1},
		event.StageStarted{Name: "app", Index: 2, Total: 3, Objects: 4},
		event.Applied{Object: web, Action: event.Created},
		event.Applied{Object: web, Action: event.Recreated, Reason: "spec.selector is immutable"},
		event.WaitStarted{Objects: 1, Timeout: 5 * time.Minute},
		event.Progress{Object: web, Status: "InProgress", Message: "0 of 1 available"},
		event.Progress{Object: web, Status: "Current"},
		event.WaitDone{Objects: 2, Took: 1234 * time.Millisecond},
		event.Warning{Text: "no status"},
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		quiet bool
		want  string
	}{
		"lines": {want: `pulled oci://reg/app:1.0.0 (sha256:00)
stage 2 of 3: app, 4 objects
Deployment/apps/web created
Deployment/apps/web recreated: spec.selector is immutable
waiting up to 5m for 1 object to become ready
Deployment/apps/web in progress: 0 of 1 available
Deployment/apps/web ready
2 objects ready after 1.2s
warning: no status
`},
		"quiet keeps warnings": {quiet: true, want: "warning: no status\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b strings.Builder
			observer := ui.Observer(&b, tc.quiet)
			for _, e := range events() {
				observer.Observe(e)
			}
			if diff := cmp.Diff(tc.want, b.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestStructured(t *testing.T) {
	t.Parallel()
	v := struct {
		Name string `json:"name"`
		N    int    `json:"n"`
	}{"a", 1}
	for format, want := range map[string]string{
		"json": "{\n  \"name\": \"a\",\n  \"n\": 1\n}\n",
		"yaml": "\"n\": 1\nname: a\n", // n is a bool in YAML 1.1, hence the quotes
	} {
		var b strings.Builder
		if err := ui.Structured(&b, format, v); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, b.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", format, diff)
		}
	}
	err := ui.Structured(&strings.Builder{}, "xml", v)
	if fail.CodeOf(err) != fail.Usage || !strings.Contains(err.Error(), `"xml"`) {
		t.Errorf("an unknown format gives %v", err)
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := ui.Table(&b, []string{"NAME", "AGE"}, [][]string{{"web", "1d"}, {"database", "2h"}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("NAME       AGE\nweb        1d\ndatabase   2h\n", b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
