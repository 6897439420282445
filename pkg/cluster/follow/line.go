// SPDX-License-Identifier: Apache-2.0

package follow

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

const (
	// maxRead is how much of a line is read: more than a Secret can hold, so that
	// the beginning of a line never is a part of one that goes unnoticed.
	maxRead = 2 << 20
	// maxLine is how much of a line is shown during a wait.
	maxLine = 1000
)

// readLines calls line with each line of a stream, and whether its end is
// missing, until the stream ends. Of a stream that breaks, the last line is left
// out: it may be a part of one.
func readLines(stream io.Reader, line func(text string, cut bool)) error {
	r := bufio.NewReader(stream)
	var text []byte
	for {
		part, err := r.ReadSlice('\n')
		text = append(text, part[:min(len(part), maxRead+1-len(text))]...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if len(text) > 0 && (err == nil || errors.Is(err, io.EOF)) {
			whole := strings.TrimRight(string(text), "\r\n")
			line(whole[:min(len(whole), maxRead)], len(whole) > maxRead)
		}
		text = text[:0]
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// shown returns a line as it may be shown: without commands to a terminal, then
// without what must not be shown, which they may be in the middle of, then at
// most as long as is asked for, 0 for no limit.
func shown(text string, cut bool, hide func(string) string, most int) string {
	text = mask.WithoutSequences(text)
	hidden := hide(text)
	if cut && hidden != text {
		// What is missing may be the rest of what is to be hidden.
		before, _, _ := strings.Cut(hidden, mask.Hidden)
		hidden = before + mask.Hidden
	}
	hidden = mask.Line(strings.ReplaceAll(hidden, "\t", "    "))
	if most > 0 && utf8.RuneCountInString(hidden) > most {
		return string([]rune(hidden)[:most]) + "…"
	}
	if cut {
		hidden += "…"
	}
	return hidden
}
