// SPDX-License-Identifier: Apache-2.0

package ui

import (
	"encoding/json"
	"io"
	"sync"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// Events writes what happens as JSON, one object a line, for a program that
// follows a run; docs/output.md describes them. It is safe for concurrent use.
type Events struct {
	mu  sync.Mutex
	w   io.Writer
	now func() time.Time
}

// NewEvents returns Events that writes to w, with the times of now.
func NewEvents(w io.Writer, now func() time.Time) *Events { return &Events{w: w, now: now} }

// line is one event. Which fields an event has depends on its type.
type line struct {
	Time string `json:"time"` // RFC 3339, in UTC
	Type string `json:"type"`

	Object  *event.Object `json:"object,omitempty"`
	Action  event.Action  `json:"action,omitempty"`
	Status  string        `json:"status,omitempty"`
	Reason  string        `json:"reason,omitempty"`
	Message string        `json:"message,omitempty"`

	Container string `json:"container,omitempty"`
	Lines     int    `json:"lines,omitempty"`

	Range     string  `json:"range,omitempty"`
	Reference string  `json:"reference,omitempty"`
	Digest    string  `json:"digest,omitempty"`
	Instance  string  `json:"instance,omitempty"`
	Namespace string  `json:"namespace,omitempty"`
	Cluster   string  `json:"cluster,omitempty"`
	Stage     string  `json:"stage,omitempty"`
	Index     int     `json:"index,omitempty"`
	Total     int     `json:"total,omitempty"`
	Objects   *int    `json:"objects,omitempty"`
	Seconds   float64 `json:"seconds,omitempty"`

	DryRun   string          `json:"dryRun,omitempty"`
	Outcomes []event.Outcome `json:"outcomes,omitempty"`
	Code     fail.Code       `json:"code,omitempty"`
	Hints    []string        `json:"hints,omitempty"`
}

// Observe writes the line of an event. How a transfer gets on is left out.
func (s *Events) Observe(e event.Event) {
	if l := lineOf(e); l.Type != "" {
		s.write(l)
	}
}

// lineOf returns the line of an event, without a type when it has none.
func lineOf(e event.Event) line {
	switch e := e.(type) {
	case event.Within:
		return within(e)
	case event.Resolved:
		return line{Type: "Resolved", Range: e.Range, Reference: e.Reference}
	case event.Pulled:
		return line{Type: "Pulled", Reference: e.Reference, Digest: e.Digest}
	case event.InstanceStarted:
		return line{Type: "InstanceStarted", Instance: e.Name, Namespace: e.Namespace, Cluster: e.Cluster, Index: e.Index, Total: e.Total}
	case event.StageStarted:
		return line{Type: "StageStarted", Stage: e.Name, Index: e.Index, Total: e.Total, Objects: &e.Objects}
	case event.NamespaceCreated:
		return line{Type: "Applied", Object: namespace(e.Name), Action: event.Created}
	case event.NamespaceRemoved:
		return line{Type: "Applied", Object: namespace(e.Name), Action: event.Deleted, Reason: "nothing was applied"}
	case event.Applied:
		return line{Type: "Applied", Object: &e.Object, Action: e.Action, Reason: e.Reason}
	case event.WaitStarted:
		return line{Type: "WaitStarted", Objects: &e.Objects, Seconds: e.Timeout.Seconds()}
	case event.Progress:
		return line{Type: "Progress", Object: &e.Object, Status: e.Status, Message: e.Message}
	case event.Noticed, event.Logged, event.LeftOut:
		return asideLine(e)
	case event.WaitDone:
		if !e.Failed { // the error will say it
			return line{Type: "WaitDone", Objects: &e.Objects, Seconds: e.Took.Seconds()}
		}
	case event.Note:
		return line{Type: "Note", Message: e.Text}
	case event.Warning:
		return line{Type: "Warning", Message: e.Text}
	case event.Unlisted:
		return line{Type: "Warning", Message: unlisted(e)}
	}
	return line{}
}

// asideLine returns the line of what goes on around what is waited for.
func asideLine(e event.Event) line {
	switch e := e.(type) {
	case event.Noticed:
		status := "Normal"
		if e.Warning {
			status = "Warning"
		}
		return line{Type: "Event", Object: &e.Object, Status: status, Reason: e.Reason, Message: e.Message}
	case event.Logged:
		return line{Type: "Log", Object: &e.Pod, Container: e.Container, Message: e.Text}
	case event.LeftOut:
		l := line{Type: "LeftOut", Container: e.Container, Lines: e.Lines}
		if e.Container != "" {
			l.Object = &e.Pod
		}
		return l
	}
	return line{}
}

// within returns the line of what happens to an instance or on a cluster.
func within(e event.Within) line {
	l := lineOf(e.Event)
	if l.Instance == "" {
		l.Instance, l.Namespace, l.Cluster = e.Name, e.Namespace, e.Cluster
	}
	return l
}

func namespace(name string) *event.Object {
	return &event.Object{Version: "v1", Kind: "Namespace", Name: name}
}

// Done writes the last line of a run: its result, or its error.
func (s *Events) Done(r Result, err error) {
	last := line{Type: "Result", Message: r.Summary, DryRun: r.DryRun, Outcomes: r.Outcomes}
	if err != nil {
		last = line{Type: "Error", Message: err.Error(), Code: fail.CodeOf(err), Hints: fail.HintsOf(err)}
	}
	s.write(last)
}

func (s *Events) write(l line) {
	l.Time = s.now().UTC().Format(time.RFC3339Nano)
	text, err := json.Marshal(l)
	if err != nil {
		return // there is nothing in it that cannot be encoded
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = s.w.Write(append(mask.JSON(text), '\n')) // a reader that has gone is no reason to stop
}
