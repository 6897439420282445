// SPDX-License-Identifier: Apache-2.0

// Package markdown writes what would change as a comment for a review: a table
// of the objects and a block for each that can be opened. Whatever the texts
// hold, they stay texts: they end no block, mention no one and control no
// terminal.
package markdown

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// limit is the maximum length of what is written, in bytes: GitHub takes
// comments of 65 536 characters, and no character is shorter than a byte.
const limit = 65536

// Change is what differs of one object. It holds no secret.
type Change struct {
	event.Outcome
	Diff string // a unified diff, empty when there is none to show
}

// Section is what would change in one place, such as a cluster.
type Section struct {
	Title   string // empty for none
	Changes []Change
}

// Write writes the sections. What does not fit is left out, and counted.
func Write(w io.Writer, sections []Section) error {
	all := everything(sections)
	if len(all) == 0 {
		_, err := io.WriteString(w, "No changes.\n")
		return err
	}
	c := &comment{}
	fmt.Fprintf(&c.text, "**%s**\n", ui.Counts(outcomes(all)))
	for _, s := range sections {
		c.table(s)
	}
	// One large object must not leave no room for the others.
	c.most = limit
	if c.text.Len()+lengthOf(all) > limit {
		c.most = limit / 4
	}
	for _, s := range sections {
		c.blocks(s)
	}
	c.count("Not listed", c.unlisted)
	c.count("Not shown", c.omitted)
	_, err := io.WriteString(w, c.text.String())
	return err
}

func everything(sections []Section) []Change {
	var all []Change
	for _, s := range sections {
		all = append(all, s.Changes...)
	}
	return all
}

func outcomes(changes []Change) []event.Outcome {
	list := make([]event.Outcome, len(changes))
	for i, c := range changes {
		list[i] = c.Outcome
	}
	return list
}

func lengthOf(changes []Change) int {
	n := 0
	for _, c := range changes {
		n += len(c.block(c.Diff, 0))
	}
	return n
}

// reserve is the room for the sentences that count what was left out, and for
// the titles of sections.
const reserve = 2048

// comment is what is written, as far as it is done.
type comment struct {
	text     strings.Builder
	most     int      // the maximum length of a block
	unlisted []Change // without a row
	omitted  []Change // without a block
}

// count says what was left out.
func (c *comment) count(what string, changes []Change) {
	if changes != nil {
		fmt.Fprintf(&c.text, "\n%s, as the comment would be too long: %s.\n", what, ui.Counts(outcomes(changes)))
	}
}

// room returns how much may be written below a part of the limit.
func (c *comment) room(part int) int { return part - reserve - c.text.Len() }

// smallest is the room that a table with one row takes.
const smallest = 512

// table writes a row for each object of a section, in half of the room.
func (c *comment) table(s Section) {
	if c.room(limit/2) < smallest {
		c.unlisted = append(c.unlisted, s.Changes...)
		return
	}
	c.title(s.Title)
	c.text.WriteString("\n| object | action | lines | reason |\n|---|---|---|---|\n")
	for i, change := range s.Changes {
		row := fmt.Sprintf("| %s | %s | %s | %s |\n", code(change.Object.String()), change.Action, lines(change.Diff), code(short(change.Reason)))
		if len(row) > c.room(limit/2) {
			c.unlisted = append(c.unlisted, s.Changes[i:]...)
			return
		}
		c.text.WriteString(row)
	}
}

// title writes the title of a section, which many sections may have no room for.
func (c *comment) title(title string) {
	if text := "\n### " + code(title) + "\n"; title != "" && len(text) <= c.room(limit) {
		c.text.WriteString(text)
	}
}

func (c *comment) blocks(s Section) {
	shown := slices.DeleteFunc(slices.Clone(s.Changes), func(change Change) bool { return change.Diff == "" })
	if len(shown) > 0 {
		c.title(s.Title)
	}
	for _, change := range shown {
		block := change.fitting(min(c.most, c.room(limit)))
		if block == "" {
			c.omitted = append(c.omitted, change)
		}
		c.text.WriteString(block)
	}
}

// fitting returns the block of a change, with as many lines of its diff as fit
// into a length: empty when none does.
func (c Change) fitting(length int) string {
	if block := c.block(c.Diff, 0); len(block) <= length {
		return block
	}
	all := slices.Collect(strings.Lines(mask.Lines(c.Diff)))
	size, kept := len(c.block("", len(all))), 0
	for _, line := range all {
		if size += len(line) + 1; size > length {
			break
		}
		kept++
	}
	for ; kept > 0; kept-- { // a fence may take more than is counted above
		if block := c.block(strings.Join(all[:kept], ""), len(all)-kept); len(block) <= length {
			return block
		}
	}
	return ""
}

// block returns what can be opened to show a diff, of which some lines are left
// out.
func (c Change) block(diff string, left int) string {
	diff = mask.Lines(diff)
	if diff != "" && !strings.HasSuffix(diff, "\n") {
		diff += "\n"
	}
	fence := strings.Repeat("`", max(3, longestRun(diff, '`')+1))
	title := string(c.Action) + " " + code(c.Object.String())
	rest := ""
	if left > 0 {
		rest = fmt.Sprintf("\n%d more lines are not shown.\n", left)
	}
	return "\n<details><summary>" + title + "</summary>\n\n" + fence + "diff\n" + diff + fence + "\n" + rest + "\n</details>\n"
}

// longest is how many characters of a reason stand in the table: the whole is in
// the header of the diff.
const longest = 200

func short(text string) string {
	if runes := []rune(text); len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return text
}

// lines says how many lines a diff adds and removes.
func lines(diff string) string {
	added, removed := 0, 0
	for line := range strings.Lines(diff) {
		switch {
		case strings.HasPrefix(line, "+++ "), strings.HasPrefix(line, "--- "):
		case strings.HasPrefix(line, "+"):
			added++
		case strings.HasPrefix(line, "-"):
			removed++
		}
	}
	if diff == "" {
		return ""
	}
	return fmt.Sprintf("+%d −%d", added, removed)
}

// longestRun returns the length of the longest run of a character.
func longestRun(text string, of rune) int {
	longest, run := 0, 0
	for _, r := range text {
		if r != of {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// code returns a text as code within a line: there no mention, link or emoji is
// made of it. Each character that may mean something to Markdown or HTML is
// written as a number, which means the character and nothing else.
func code(text string) string {
	if text == "" {
		return ""
	}
	var b strings.Builder
	b.WriteString("<code>")
	before := ' '
	for _, r := range mask.Line(text) {
		if isPlain(r) && (r != '.' || before != 'w' && before != 'W') { // "www." begins a link
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "&#%d;", r)
		}
		before = r
	}
	b.WriteString("</code>")
	return b.String()
}

func isPlain(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r > 127 || strings.ContainsRune(" -./,", r)
}
