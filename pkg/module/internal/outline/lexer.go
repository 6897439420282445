// SPDX-License-Identifier: Apache-2.0

package outline

import "bytes"

// kind is the kind of a token. Operators are of the kind of their first
// character.
type kind byte

const (
	end       kind = 0
	ident     kind = 'a'
	text      kind = '"' // a string or bytes, or a part of one up to an interpolation
	number    kind = '0' // and _|_, which is as little of a name
	attribute kind = '@'
	ellipsis  kind = 'e'
)

type token struct {
	kind       kind
	start, end int
	newLine    bool // a line or a comment ended before it
}

// span is a part of a text, in bytes.
type span struct{ start, end int }

// quote is what ends a string and what escapes in it.
type quote struct {
	char   byte
	hashes int
	multi  bool // of several lines
}

// lexer reads the tokens of CUE's own scanner, as far as an outline needs them:
// it knows where strings, comments and brackets end. What it does not know for
// sure makes it doubtful, after which it returns no more tokens.
type lexer struct {
	src      []byte
	pos      int
	open     []byte  // brackets; an interpolation's is a backslash
	quotes   []quote // of the strings whose interpolations are open
	within   bool    // an attribute
	listing  bool    // comments
	comments []span
	doubtful bool
}

func (l *lexer) doubt() token {
	l.doubtful = true
	return token{kind: end, start: len(l.src), end: len(l.src), newLine: true}
}

// innermost returns the bracket that is open, or 0.
func (l *lexer) innermost() byte {
	if len(l.open) == 0 {
		return 0
	}
	return l.open[len(l.open)-1]
}

func (l *lexer) peek(n int) byte {
	if l.pos+n < len(l.src) {
		return l.src[l.pos+n]
	}
	return 0
}

// skipSpace says whether a line ended on the way.
func (l *lexer) skipSpace() bool {
	newLine := false
	for l.pos < len(l.src) {
		switch c := l.src[l.pos]; {
		case c == '\n':
			newLine = true
			l.pos++
		case c == ' ', c == '\t', c == '\r':
			l.pos++
		case c == '/' && l.peek(1) == '/':
			newLine = true
			start := l.pos
			if i := bytes.IndexByte(l.src[l.pos:], '\n'); i >= 0 {
				l.pos += i
			} else {
				l.pos = len(l.src)
			}
			if l.listing {
				l.comments = append(l.comments, span{start, l.pos})
			}
		default:
			return newLine
		}
	}
	return true
}

func (l *lexer) next() token {
	if l.doubtful {
		return l.doubt()
	}
	newLine := l.skipSpace()
	start := l.pos
	if start == len(l.src) {
		return token{end, start, start, true}
	}
	k := l.scan(l.src[start])
	if l.doubtful {
		return l.doubt()
	}
	return token{k, start, l.pos, newLine}
}

func (l *lexer) scan(c byte) kind {
	switch c {
	case '"', '\'':
		return l.scanString()
	case '(', '[', '{':
		l.open = append(l.open, c)
	case ')', ']', '}':
		return l.scanClose(c)
	case '@':
		return l.scanAttribute()
	case '#':
		if isQuote(l.peek(1)) || l.peek(1) == '#' {
			return l.scanString()
		}
		return l.scanIdent()
	case '.':
		if isDigit(l.peek(1)) {
			return l.scanNumber()
		}
		if l.peek(1) == '.' && l.peek(2) == '.' {
			l.pos += 3
			return ellipsis
		}
	case '_':
		if l.peek(1) == '|' && l.peek(2) == '_' {
			l.pos += 3
			return number
		}
		return l.scanIdent()
	case ',', ':', '?', '!', '~', '=', '<', '>', '&', '|', '+', '-', '*', '/':
	default:
		switch {
		case isDigit(c):
			return l.scanNumber()
		case isName(c):
			return l.scanIdent()
		}
		l.doubtful = true
	}
	l.pos++
	return kind(c)
}

// skipNested passes over what is left of the innermost bracket, with the
// brackets in it, and returns false in doubt.
func (l *lexer) skipNested() bool {
	depth := len(l.open) - 1
	l.skip(depth)
	return len(l.open) == depth && !l.doubtful
}

// skip passes over the text until no more than depth brackets are open. It is
// next in a hurry.
func (l *lexer) skip(depth int) {
	for l.pos < len(l.src) && !l.doubtful {
		switch c := l.src[l.pos]; c {
		case '"', '\'':
			l.scanString()
		case '#':
			switch {
			case !isQuote(l.peek(1)) && l.peek(1) != '#':
				l.pos++
			case isName(l.src[l.pos-1]):
				l.doubtful = true // a name such as _# before a string
			default:
				l.scanString()
			}
		case '/':
			if l.peek(1) == '/' {
				l.skipSpace()
			} else {
				l.pos++
			}
		case '(', '[', '{':
			l.open = append(l.open, c)
			l.pos++
		case ')', ']', '}':
			l.scanClose(c)
			if len(l.open) == depth {
				return
			}
		default:
			l.pos++
		}
	}
}

func (l *lexer) scanIdent() kind {
	if l.src[l.pos] == '_' {
		l.pos++
	}
	if l.peek(0) == '#' {
		l.pos++
		l.doubtful = isDigit(l.peek(0))
	}
	for isName(l.peek(0)) {
		l.pos++
	}
	l.doubtful = l.doubtful || l.peek(0) == '#'
	return ident
}

func (l *lexer) scanNumber() kind {
	for isName(l.peek(0)) || l.peek(0) == '.' && l.peek(1) != '.' {
		l.pos++
	}
	return number
}

// scanClose closes a bracket. After that of an interpolation the string goes on.
func (l *lexer) scanClose(c byte) kind {
	opened := l.innermost()
	switch string([]byte{opened, c}) {
	case "()", "[]", "{}":
		l.open = l.open[:len(l.open)-1]
		l.pos++
		return kind(c)
	case `\)`:
		l.open = l.open[:len(l.open)-1]
		q := l.quotes[len(l.quotes)-1]
		l.quotes = l.quotes[:len(l.quotes)-1]
		l.pos++
		return l.scanText(q)
	}
	l.doubtful = true
	return end
}

// scanAttribute passes an attribute over: no name in it refers to anything.
func (l *lexer) scanAttribute() kind {
	l.pos++
	for isName(l.peek(0)) {
		l.pos++
	}
	if l.peek(0) != '(' || l.within {
		l.doubtful = true
		return end
	}
	l.within = true
	defer func() { l.within = false }()
	depth, strings := len(l.open), len(l.quotes)
	for first := true; first || len(l.open) > depth; first = false {
		if l.next().kind == end || len(l.quotes) > strings {
			l.doubtful = true
			return end
		}
	}
	return attribute
}

func (l *lexer) scanString() kind {
	q := quote{}
	for l.peek(0) == '#' {
		q.hashes++
		l.pos++
	}
	q.char = l.peek(0)
	if !isQuote(q.char) {
		l.doubtful = true
		return end
	}
	l.pos++
	if l.peek(0) != q.char {
		return l.scanText(q)
	}
	if l.peek(1) != q.char { // empty, or a raw string that begins with a quote
		if q.hashes > 0 {
			l.doubtful = true
			return end
		}
		l.pos++
		return text
	}
	l.pos += 2
	q.multi = true
	if l.peek(0) == '\r' {
		l.pos++
	}
	if l.peek(0) != '\n' {
		l.doubtful = true
		return end
	}
	return l.scanText(q)
}

// scanText reads a string to its end or to the next interpolation.
func (l *lexer) scanText(q quote) kind {
	lineStart := false // nothing but space since the line began
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		l.pos++
		switch {
		case c == '\n' && !q.multi:
			l.doubtful = true
			return end
		case c == '\n':
			lineStart = true
			continue
		case c == q.char && (!q.multi || lineStart):
			if l.closes(q) {
				return text
			}
		case c == '\\' && l.hashes(q.hashes):
			l.pos += q.hashes
			if l.peek(0) == '(' {
				l.pos++
				l.open = append(l.open, '\\')
				l.quotes = append(l.quotes, q)
				return text
			}
			if l.peek(0) == '\n' {
				l.doubtful = true
				return end
			}
			l.pos++ // what is escaped
		}
		lineStart = lineStart && (c == ' ' || c == '\t' || c == '\r')
	}
	l.doubtful = true
	return end
}

// closes passes the rest of the closing quotes over, if that is what they are.
func (l *lexer) closes(q quote) bool {
	n := 0
	if q.multi {
		n = 2
		if l.peek(0) != q.char || l.peek(1) != q.char {
			return false
		}
	}
	l.pos += n
	if !l.hashes(q.hashes) {
		l.pos -= n
		return false
	}
	l.pos += q.hashes
	return true
}

func (l *lexer) hashes(n int) bool {
	for i := range n {
		if l.peek(i) != '#' {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isName(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || isDigit(c) || c == '_' || c == '$'
}

func isQuote(c byte) bool { return c == '"' || c == '\'' }
