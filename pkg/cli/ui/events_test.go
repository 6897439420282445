// SPDX-License-Identifier: Apache-2.0

package ui_test

import (
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

func TestEvents(t *testing.T) {
	t.Parallel()
	web := event.Object{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "apps", Name: "web"}
	lines := map[string]string{} // by type, without the time
	run := func(name, want string, do func(*ui.Events)) {
		var b strings.Builder
		do(ui.NewEvents(&b, func() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 5e8, time.FixedZone("", 3600)) }))
		prefix := `{"time":"2026-11-21T11:00:00.5Z","type":"` + name + `"`
		if diff := cmp.Diff(prefix+want+"}\n", b.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		lines[name] = want
	}
	for want, e := range map[string]event.Event{
		`,"range":"1.x","reference":"oci://reg/app:1.2.3"`:                                                                 event.Resolved{Range: "1.x", Reference: "oci://reg/app:1.2.3"},
		`,"reference":"oci://reg/app:1.0.0","digest":"sha256:00"`:                                                          event.Pulled{Reference: "oci://reg/app:1.0.0", Digest: "sha256:00"},
		`,"stage":"app","index":2,"total":3,"objects":0`:                                                                   event.StageStarted{Name: "app", Index: 2, Total: 3},
		`,"object":{"group":"apps","version":"v1","kind":"Deployment","namespace":"apps","name":"web"},"action":"created"`: event.Applied{Object: web, Action: event.Created},
		`,"objects":1,"seconds":300`:                                                                                       event.WaitStarted{Objects: 1, Timeout: 5 * time.Minute},
		`,"object":{"group":"apps","version":"v1","kind":"Deployment","namespace":"apps","name":"web"},"status":"InProgress","message":"0 of 1"`: event.Progress{Object: web, Status: "InProgress", Message: "0 of 1"},
		`,"objects":2,"seconds":1.25`: event.WaitDone{Objects: 2, Took: 1250 * time.Millisecond},
		`,"message":"note"`:           event.Note{Text: "note"},
		`,"message":"warning"`:        event.Warning{Text: "warning"},
	} {
		run(reflect.TypeOf(e).Name(), want, func(s *ui.Events) { s.Observe(e) })
	}
	outcome := event.Outcome{Object: web, Action: event.Unchanged}
	run("Result", `,"message":"applied app","outcomes":[{"group":"apps","version":"v1","kind":"Deployment","namespace":"apps","name":"web","action":"unchanged"}]`,
		func(s *ui.Events) { s.Done(ui.Result{Summary: "applied app", Outcomes: []event.Outcome{outcome}}, nil) })
	run("Error", `,"message":"not ready","code":4,"hints":["wait"]`,
		func(s *ui.Events) {
			s.Done(ui.Result{}, fail.Hint(fail.With(fail.NotReady, errors.New("not ready")), "wait"))
		})

	doc, err := os.ReadFile("../../../docs/output.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range lines {
		if !strings.Contains(string(doc), "| `"+name+"` |") {
			t.Errorf("docs/output.md has no row for %s", name)
		}
	}
}
