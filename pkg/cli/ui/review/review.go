// SPDX-License-Identifier: Apache-2.0

// Package review writes what differs of objects for a person who reviews it: as
// unified diffs, or as a comment in Markdown.
package review

import (
	"fmt"
	"io"
	"slices"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui/markdown"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/delta"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// The words that stand before the second state of an object.
const (
	Planned  = "planned "
	Recorded = "recorded "
)

// Changes returns the differences that count.
func Changes(differences []instance.Difference) []instance.Difference {
	return slices.DeleteFunc(slices.Clone(differences), func(d instance.Difference) bool { return !d.Counts() })
}

// Diff writes the differences as unified diffs, each with the label before the
// name of its second state.
func Diff(w io.Writer, differences []instance.Difference, label string, colours bool) error {
	for _, d := range differences {
		text, err := textOf(d, label)
		if err != nil {
			return err
		}
		if err := ui.Diff(w, text, colours); err != nil {
			return err
		}
	}
	return nil
}

func textOf(d instance.Difference, label string) (string, error) {
	title := fmt.Sprintf("%s (%s)", d.Object, d.Action)
	if d.Reason != "" {
		title += ": " + d.Reason
	}
	title = mask.Line(title)
	text, err := delta.Text("live "+d.Object.String(), d.Before, label+title, d.After)
	if text == "" { // only who owns which field would change
		text = "--- live " + d.Object.String() + "\n+++ " + label + title + "\n"
	}
	return text, err
}

// Comparison is what differs on one cluster, which has no name when it is the
// only one.
type Comparison struct {
	Cluster     string
	Differences []instance.Difference
}

// Markdown writes a comment.
func Markdown(w io.Writer, comparisons []Comparison, label string) error {
	var sections []markdown.Section
	for _, c := range comparisons {
		section := markdown.Section{Title: c.Cluster}
		for _, d := range c.Differences {
			if !d.Counts() && !d.IsKept() {
				continue
			}
			change := markdown.Change{Outcome: d.Outcome}
			if d.Counts() {
				var err error
				if change.Diff, err = textOf(d, label); err != nil {
					return err
				}
			}
			section.Changes = append(section.Changes, change)
		}
		if section.Changes != nil {
			sections = append(sections, section)
		}
	}
	return markdown.Write(w, sections)
}
