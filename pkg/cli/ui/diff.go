// SPDX-License-Identifier: Apache-2.0

package ui

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// IsTerminal says whether a person is at the other end of a stream.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Diff writes a unified diff, in colours if the terminal has them.
func Diff(w io.Writer, text string, colours bool) error {
	text = mask.Lines(text)
	if !colours {
		_, err := io.WriteString(w, text)
		return err
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		colour := colourOf(line)
		if colour == "" {
			b.WriteString(line)
			continue
		}
		b.WriteString(colour + strings.TrimSuffix(line, "\n") + "\x1b[0m\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// colourOf returns the escape sequence with which git colours such a line.
func colourOf(line string) string {
	switch {
	case strings.HasPrefix(line, "+++"), strings.HasPrefix(line, "---"):
		return "\x1b[1m"
	case strings.HasPrefix(line, "@@"):
		return "\x1b[36m"
	case strings.HasPrefix(line, "+"):
		return "\x1b[32m"
	case strings.HasPrefix(line, "-"):
		return "\x1b[31m"
	}
	return ""
}

// Patch prints a diff of files byte by byte, for git apply and patch, and for a
// person in colours.
func Patch(w io.Writer, text string, colours bool) error {
	if !IsTerminal(w) {
		return Raw(w, []byte(text))
	}
	return Diff(w, text, colours)
}
