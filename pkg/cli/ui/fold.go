// SPDX-License-Identifier: Apache-2.0

package ui

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// Colours says whether a stream is a terminal whose user wants colours, given
// the value of NO_COLOR.
func Colours(w io.Writer, noColor string) bool { return IsTerminal(w) && noColor == "" }

// aside is a line about what goes on around what is waited for: the report of an
// event, or a line of a log.
type aside struct {
	prefix, text string
	warning      bool
	log          bool
}

// asideOf returns the line of an event that is told on the side.
func asideOf(e event.Event) (aside, bool) {
	if within, ok := e.(event.Within); ok {
		a, known := asideOf(within.Event)
		a.prefix = strings.Trim(within.Cluster+"/"+within.Name, "/") + ": " + a.prefix
		return a, known
	}
	switch e := e.(type) {
	case event.Noticed:
		kind := "Normal"
		if e.Warning {
			kind = "Warning"
		}
		return aside{prefix: "event: " + kind, text: withReason(e.Reason+" "+e.Object.String(), e.Message), warning: e.Warning}, true
	case event.Logged:
		return aside{prefix: logPrefix(e.Pod, e.Container), text: e.Text, log: true}, true
	case event.LeftOut:
		if e.Container == "" {
			return aside{prefix: "event:", text: Count(e.Lines, "event") + " left out"}, true
		}
		return aside{prefix: logPrefix(e.Pod, e.Container), text: Count(e.Lines, "line") + " left out", log: true}, true
	}
	return aside{}, false
}

// logPrefix names a container as kubectl logs --prefix does.
func logPrefix(pod event.Object, container string) string {
	return "[pod/" + pod.Name + "/" + container + "]"
}

// line returns the line as it is written, at most so wide, 0 for no limit. Only
// its prefix has a colour.
func (a aside) line(colours bool, width int) string {
	prefix, text := mask.Line(a.prefix), mask.Line(a.text)
	if width > 0 {
		prefix = fit(prefix, width)
		text = fit(text, width-cells(prefix)-1)
	}
	if colours {
		prefix = a.colour() + prefix + "\x1b[0m"
	}
	return strings.TrimRight(prefix+" "+text, " ")
}

// colour returns the escape sequence of the prefix: red for a warning, grey for
// another event, and for a container always the same of several.
func (a aside) colour() string {
	switch {
	case a.warning:
		return "\x1b[31m"
	case !a.log:
		return "\x1b[90m"
	}
	sum := 0
	for _, r := range a.prefix {
		sum = (31*sum + int(r)) % 5
	}
	return fmt.Sprintf("\x1b[%dm", 32+sum)
}

// fit returns as much of a text as fits into so many cells of a terminal.
func fit(text string, width int) string {
	used := 0
	for i, r := range text {
		if used += cellsOf(r); used > width {
			return text[:i]
		}
	}
	return text
}

// cells returns how many cells of a terminal a text takes at most.
func cells(text string) int {
	sum := 0
	for _, r := range text {
		sum += cellsOf(r)
	}
	return sum
}

// cellsOf returns two for the characters that terminals show twice as wide.
func cellsOf(r rune) int {
	if slices.ContainsFunc(wideRunes(), func(of [2]rune) bool { return of[0] <= r && r <= of[1] }) {
		return 2
	}
	return 1
}

// wideRunes returns the ranges of what is wide in Unicode's East Asian Width, and
// of the emoji.
func wideRunes() [][2]rune {
	return [][2]rune{
		{0x1100, 0x115F}, {0x2329, 0x232A}, {0x23E9, 0x23F3}, {0x25FD, 0x27BF}, {0x2B1B, 0x2B55}, {0x2E80, 0xA4CF}, {0xA960, 0xA97C},
		{0xAC00, 0xD7A3}, {0xF900, 0xFAFF}, {0xFE10, 0xFE6F}, {0xFF00, 0xFF60}, {0xFFE0, 0xFFE6}, {0x16FE0, 0x1B2FF}, {0x1F000, 0x1FAFF}, {0x20000, 0x3FFFD},
	}
}

// maxFold is how many lines are kept below the table.
const maxFold = 10

// fold are the last lines on the side. A warning stays longer than what is none.
type fold []aside

func (f *fold) add(a aside) {
	if *f = append(*f, a); len(*f) <= maxFold {
		return
	}
	at := max(slices.IndexFunc(*f, func(a aside) bool { return !a.warning }), 0)
	*f = slices.Delete(*f, at, at+1)
}

// last returns at most so many of the lines, of which warnings go last.
func (f fold) last(most int) fold {
	kept := slices.Clone(f)
	for len(kept) > max(most, 0) {
		at := max(slices.IndexFunc(kept, func(a aside) bool { return !a.warning }), 0)
		kept = slices.Delete(kept, at, at+1)
	}
	return kept
}
