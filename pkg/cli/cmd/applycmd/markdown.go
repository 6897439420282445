// SPDX-License-Identifier: Apache-2.0

package applycmd

import (
	"io"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui/markdown"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui/printer"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
)

// markdownFormat is the output format of a comment for a review.
const markdownFormat = "markdown"

// newDiffOptions returns the options of the verbs that show differences.
func newDiffOptions(env cli.Env) *options {
	o := newOptions(env)
	o.out = printer.New(printer.InProcess, "name", markdownFormat)
	return o
}

// comparison is what differs on one cluster, which has no name when it is the
// only one.
type comparison struct {
	cluster     string
	differences []instance.Difference
}

// writeMarkdown writes a comment for a review.
func writeMarkdown(w io.Writer, comparisons []comparison, label string) error {
	var sections []markdown.Section
	for _, c := range comparisons {
		section := markdown.Section{Title: c.cluster}
		for _, d := range c.differences {
			if !d.Counts() && !d.IsKept() {
				continue
			}
			change := markdown.Change{Outcome: d.Outcome}
			if d.Counts() {
				var err error
				if change.Diff, err = diffText(d, label); err != nil {
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
