// SPDX-License-Identifier: Apache-2.0

package ui

import (
	"fmt"
	"io"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// Result is what a command did with objects, or in a dry run would do.
type Result struct {
	Outcomes []event.Outcome
	Summary  string // the line for a person, before the counts
	DryRun   string // what kind of dry run it was, empty when it was none
}

// Print writes the result for a person: a line with the counts, because each
// object was reported on the way, and in a dry run a line for each object.
func (r Result) Print(w io.Writer) error {
	if r.DryRun == "" {
		_, err := Println(w, withReason(r.Summary, Counts(r.Outcomes)))
		return err
	}
	for _, o := range r.Outcomes {
		line := fmt.Sprintf("%s %s (%s)", resourceName(o.Object), o.Action, r.DryRun)
		if _, err := Println(w, withReason(line, o.Reason)); err != nil {
			return err
		}
	}
	return nil
}

// Names writes the names of objects as kubectl's -o name does.
func Names(w io.Writer, objects []event.Object) error {
	for _, o := range objects {
		if _, err := fmt.Fprintln(w, mask.Line(resourceName(o))); err != nil {
			return err
		}
	}
	return nil
}

// resourceName returns kubectl's name of an object: deployment.apps/web.
func resourceName(o event.Object) string {
	kind := strings.ToLower(o.Kind)
	if o.Group != "" {
		kind += "." + o.Group
	}
	return kind + "/" + o.Name
}

// Counts says how many objects had which outcome: "3 created, 1 unchanged".
func Counts(outcomes []event.Outcome) string {
	order := []event.Action{event.Created, event.Configured, event.Recreated, event.Unchanged,
		event.Deferred, event.Deleted, event.Kept, event.Refused}
	n := map[event.Action]int{}
	for _, o := range outcomes {
		n[o.Action]++
	}
	var parts []string
	for _, action := range order {
		if n[action] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[action], action))
		}
	}
	return strings.Join(parts, ", ")
}
