// SPDX-License-Identifier: Apache-2.0

package mask

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// isUnsafe reports whether a terminal may do something else with a character
// than show it: control characters, separators of lines, and the format
// characters, of which some change the direction of the text around them. The
// joiners, which several scripts are written with, are safe.
func isUnsafe(r rune) bool {
	const nonJoiner, joiner = 0x200C, 0x200D
	return r != nonJoiner && r != joiner && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp)
}

// Line returns a text for one line of a terminal: every character that is
// unsafe, a line break and a tab too, is escaped as in CUE, Go and YAML.
func Line(s string) string { return escape(s, "") }

// Lines is Line for a text of several lines, whose line breaks and tabs stay.
func Lines(s string) string { return escape(s, "\n\t") }

// IsSafe reports whether Lines has nothing to escape in a text.
func IsSafe(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && r != '\t' && isUnsafe(r) })
}

func escape(s, except string) string {
	if IsSafe(s) && (except != "" || !strings.ContainsAny(s, "\n\t")) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch _, size := utf8.DecodeRuneInString(s[i:]); {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case !isUnsafe(r) || strings.ContainsRune(except, r):
			b.WriteRune(r)
		default:
			b.WriteString(escaped(r))
		}
	}
	return b.String()
}

func escaped(r rune) string {
	switch {
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case r > 0xFFFF:
		return fmt.Sprintf(`\U%08x`, r)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// sequenceRE matches what terminals take for commands: colours, character sets
// and the like.
var sequenceRE = regexp.MustCompile("(?:\x1b\\[|\u009b)[\\x30-\\x3f]*[\\x20-\\x2f]*[\\x40-\\x7e]|\x1b\\][^\x07\x1b]*(?:\x07|\x1b\\\\)|\x1b[()][0-9A-Za-z]")

// WithoutSequences returns a text without the commands to a terminal that
// programs write among what they say. What else is unsafe stays.
func WithoutSequences(s string) string { return sequenceRE.ReplaceAllString(s, "") }

// JSON returns a text in JSON with every character escaped that a terminal or
// a reader of YAML may take for something else. It has the same value: outside
// of its strings JSON has no such character.
func JSON(text []byte) []byte {
	if !bytes.ContainsFunc(text, isSpecial) {
		return text
	}
	var b bytes.Buffer
	for _, r := range string(text) {
		if isSpecial(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.Bytes()
}

// isSpecial is isUnsafe for JSON, with the two characters that are none in
// Unicode and that no reader of YAML takes. Those above U+FFFF stay: none turns
// a text, and JSON's escapes of them are none in YAML.
func isSpecial(r rune) bool {
	return 0x7E < r && r <= 0xFFFF && (isUnsafe(r) || r == 0xFFFE || r == 0xFFFF)
}
