// SPDX-License-Identifier: Apache-2.0

package ignore

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// span is a range of characters, ends included.
type span struct{ from, to rune }

// classExpr translates the bracket expression that glob begins with, and
// returns its length; 0 when it is not closed or names an unknown class. A
// bracket never matches a slash.
func classExpr(glob string) (expr string, length int) {
	rest := glob[1:]
	negated := strings.HasPrefix(rest, "!") || strings.HasPrefix(rest, "^")
	if negated {
		rest = rest[1:]
	}
	var set []span
	for first := true; first || !strings.HasPrefix(rest, "]"); first = false {
		spans, n := classItem(rest)
		if n == 0 {
			return "", 0
		}
		set = append(set, spans...)
		rest = rest[n:]
	}
	return spansExpr(set, negated), len(glob) - len(rest) + len("]")
}

// classItem reads one item of a bracket expression: a named class, a range or
// a character. Length 0 means that there is none.
func classItem(s string) (set []span, length int) {
	if named, ok := strings.CutPrefix(s, "[:"); ok {
		name, after, closed := strings.Cut(named, "]")
		switch {
		case !closed:
			return nil, 0
		case strings.HasSuffix(name, ":"):
			set = namedClass(strings.TrimSuffix(name, ":"))
			if set == nil {
				return nil, 0
			}
			return set, len(s) - len(after)
		}
	}
	from, n := classChar(s)
	if n == 0 {
		return nil, 0
	}
	rest := s[n:]
	if len(rest) < 2 || rest[0] != '-' || rest[1] == ']' {
		return []span{{from, from}}, n
	}
	to, m := classChar(rest[1:])
	if m == 0 {
		return nil, 0
	}
	// Of a reversed range git still matches the first character.
	return []span{{from, max(from, to)}}, n + 1 + m
}

// classChar reads one character, which a backslash may precede.
func classChar(s string) (char rune, length int) {
	unescaped := strings.TrimPrefix(s, `\`)
	char, n := utf8.DecodeRuneInString(unescaped)
	if n == 0 {
		return 0, 0
	}
	return char, len(s) - len(unescaped) + n
}

// spansExpr writes set as a class of a regular expression without the slash.
func spansExpr(set []span, negated bool) string {
	var expr strings.Builder
	for _, s := range set {
		for _, s := range withoutSlash(s) {
			if s.from <= s.to {
				fmt.Fprintf(&expr, `\x{%x}-\x{%x}`, s.from, s.to)
			}
		}
	}
	switch {
	case negated:
		return `[^/` + expr.String() + `]`
	case expr.Len() == 0:
		return `[^\x{0}-\x{10ffff}]`
	}
	return `[` + expr.String() + `]`
}

func withoutSlash(s span) []span {
	if s.from > '/' || s.to < '/' {
		return []span{s}
	}
	return []span{{s.from, '/' - 1}, {'/' + 1, s.to}}
}

// namedClass returns the ASCII characters of a POSIX class, nil when there is
// no such class.
func namedClass(name string) []span {
	digit, lower, upper := span{'0', '9'}, span{'a', 'z'}, span{'A', 'Z'}
	switch name {
	case "alnum":
		return []span{digit, lower, upper}
	case "alpha":
		return []span{lower, upper}
	case "blank":
		return []span{{' ', ' '}, {'\t', '\t'}}
	case "cntrl":
		return []span{{0, 0x1f}, {0x7f, 0x7f}}
	case "digit":
		return []span{digit}
	case "graph":
		return []span{{'!', '~'}}
	case "lower":
		return []span{lower}
	case "print":
		return []span{{' ', '~'}}
	case "punct":
		return []span{{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}
	case "space":
		return []span{{'\t', '\r'}, {' ', ' '}}
	case "upper":
		return []span{upper}
	case "xdigit":
		return []span{digit, {'a', 'f'}, {'A', 'F'}}
	}
	return nil
}
