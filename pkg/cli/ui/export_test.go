// SPDX-License-Identifier: Apache-2.0

package ui

import (
	"io"
	"time"
)

// TerminalTable returns a Text for a terminal of that size, which shows a table.
func TerminalTable(w io.Writer, width, height int, now func() time.Time) *Text {
	return &Text{w: w, table: &table{w: w, size: func() (int, int) { return width, height }, now: now}}
}

// TerminalText returns a Text for a terminal of that width.
func TerminalText(w io.Writer, width int, now func() time.Time) *Text {
	return &Text{w: w, bar: &bar{w: w, width: func() int { return width }, now: now}}
}

// Coloured makes the text one with colours.
func (t *Text) Coloured() *Text {
	t.look.Colours, t.table.colours = true, true
	return t
}
