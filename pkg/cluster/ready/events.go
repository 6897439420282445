// SPDX-License-Identifier: Apache-2.0

package ready

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// Event is what a component of the cluster has reported about an object.
type Event struct {
	Object  event.Object
	Type    string // Normal or Warning
	Reason  string
	Message string
	Time    string // RFC 3339, when it was last seen
}

// Events returns the last events, at most limit, about objects and about the
// pods and the like that were made for them, which are named after them.
// Warnings come first, and before others where there are more than limit; the
// newest of each is last. What may not be read is left out: events are a help.
func (w Watcher) Events(ctx context.Context, objects []event.Object, limit int) []Event {
	var namespaces []string
	for _, o := range objects {
		if o.Namespace != "" && !slices.Contains(namespaces, o.Namespace) {
			namespaces = append(namespaces, o.Namespace)
		}
	}
	var events []Event
	for _, ns := range namespaces {
		list, _, err := w.Client.List(ctx, kube.Core("Event", "events"), ns, kube.Selector{})
		if err != nil {
			continue
		}
		for _, o := range list {
			if about := EventOf(o).Object; slices.ContainsFunc(objects, func(of event.Object) bool { return IsAbout(about, of) }) {
				events = append(events, EventOf(o))
			}
		}
	}
	return lastEvents(events, limit)
}

// EventOf returns what an object of the kind Event says.
func EventOf(o api.Object) Event {
	return Event{
		Object: involved(o), Type: text(o, "type"), Reason: text(o, "reason"), Message: firstLine(text(o, "message")), Time: eventTime(o),
	}
}

// IsWarning says whether the event tells that something is wrong.
func (e Event) IsWarning() bool { return e.Type == "Warning" }

func lastEvents(events []Event, limit int) []Event {
	slices.SortStableFunc(events, func(a, b Event) int { return strings.Compare(a.Time, b.Time) })
	var warnings, others []Event
	for _, e := range events {
		if e.IsWarning() {
			warnings = append(warnings, e)
		} else {
			others = append(others, e)
		}
	}
	warnings = warnings[max(0, len(warnings)-limit):]
	others = others[max(0, len(others)-(limit-len(warnings))):]
	return append(warnings, others...)
}

func involved(o api.Object) event.Object {
	get := func(field string) string {
		s, _, _ := unstructured.NestedString(o, "involvedObject", field)
		return s
	}
	gv := api.Object{"apiVersion": get("apiVersion")}
	return event.Object{Group: gv.Group(), Version: gv.Version(), Kind: get("kind"), Namespace: get("namespace"), Name: get("name")}
}

func text(o api.Object, field string) string {
	if v, ok := o[field]; ok && v != nil {
		return fmt.Sprint(v)
	}
	return ""
}
