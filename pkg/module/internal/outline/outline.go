// SPDX-License-Identifier: Apache-2.0

// Package outline finds the fields that a CUE file declares, and the names
// that each of them uses, without parsing the file: of the hundreds of
// definitions of a vendored package most modules need a few, and parsing the
// rest is most of what a rendering costs.
package outline

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// File is where things are in a file.
type File struct {
	Header int // bytes before the first field: the package clause and the imports
	Fields []Field
}

// Field is a field at the top of a file. A name may be declared several times.
type Field struct {
	Name       string
	Start, End int // bytes; the end is the start of the next field
}

// Of returns the outline of a CUE file. It is false for a file that is not
// plainly a package clause, imports and fields: with a let clause, an alias, an
// embedding, a comprehension, a pattern or an attribute at its top, or with
// anything that this package does not understand. Whether the fields are
// valid is not looked at.
func Of(src []byte) (File, bool) {
	if !utf8.Valid(src) || bytes.HasPrefix(src, []byte("\ufeff")) {
		return File{}, false // the loader would decode it, and move what is in it
	}
	l := &lexer{src: src}
	start, ok := skipHeader(l)
	if !ok {
		return File{}, false
	}
	file := File{Header: start.start}
	for start.kind != end {
		name, ok := label(l, start)
		if !ok {
			return File{}, false
		}
		file.add(name, start.start)
		if start, ok = skipStatement(l); !ok {
			return File{}, false
		}
	}
	if l.doubtful || len(file.Fields) == 0 {
		return File{}, false
	}
	file.Fields[len(file.Fields)-1].End = len(src)
	return file, true
}

// Without returns the text without the fields that are not kept and without
// comments. What stays is in the line and the column in which it was.
func (f File) Without(src []byte, keep func(field int) bool) []byte {
	out := appendCode(make([]byte, 0, len(src)/4), src[:f.Header])
	for i, field := range f.Fields {
		if keep(i) {
			out = appendCode(out, src[field.Start:field.End])
			continue
		}
		dropped := src[field.Start:field.End]
		for range bytes.Count(dropped, []byte("\n")) {
			out = append(out, '\n')
		}
		if i+1 < len(f.Fields) { // which may be indented
			out = append(out, dropped[bytes.LastIndexByte(dropped, '\n')+1:]...)
		}
	}
	return out
}

func (f *File) add(name string, start int) {
	if n := len(f.Fields); n > 0 {
		f.Fields[n-1].End = start
	}
	f.Fields = append(f.Fields, Field{Name: name, Start: start})
}

// appendCode appends a text without its comments.
func appendCode(out, src []byte) []byte {
	l := &lexer{src: src, listing: true}
	l.skip(-1)
	from := 0
	for _, comment := range l.comments {
		out = append(out, src[from:comment.start]...)
		from = comment.end
	}
	return append(out, src[from:]...)
}

// Imports returns the paths that a file imports, as far as they are plain.
func Imports(src []byte) []string {
	var paths []string
	l := &lexer{src: src}
	for t := l.next(); ; {
		switch {
		case t.kind == attribute:
			t = l.next()
		case t.kind == ident && l.string(t) == "package":
			l.next()
			t = l.next()
		case t.kind == ident && l.string(t) == "import":
			for t = l.next(); t.kind == ident || t.kind == text || t.kind == '(' || t.kind == ')'; t = l.next() {
				if t.kind == ident && t.newLine && len(l.open) == 0 {
					break
				}
				if path := selector(l.string(t), t.kind); t.kind == text && path != "" {
					paths = append(paths, path)
				}
			}
		default:
			return paths
		}
	}
}

// skipHeader returns the first token after the package clause and the imports.
func skipHeader(l *lexer) (token, bool) {
	t := l.next()
	if l.string(t) != "package" {
		return t, false
	}
	for t.kind == ident && (l.string(t) == "package" || l.string(t) == "import") {
		following := *l
		if following.next().kind == ':' {
			return t, true // a field of that name
		}
		var ok bool
		if t, ok = skipStatement(l); !ok {
			return t, false
		}
	}
	return t, true
}

// label reads a label and its colon.
func label(l *lexer, t token) (name string, ok bool) {
	switch name = l.string(t); t.kind {
	case ident:
		if name == "package" || name == "import" {
			return "", false // would open the file where what is before it is dropped
		}
	case text:
		if len(l.open) > 0 || name[0] != '"' || len(name) > 1 && name[1] == '"' && len(name) > 2 || strings.Contains(name, `\`) {
			return "", false
		}
		name = name[1 : len(name)-1]
	default:
		return "", false
	}
	t = l.next()
	if t.kind == '?' || t.kind == '!' {
		t = l.next()
	}
	return name, t.kind == ':' && !t.newLine
}

// skipStatement reads up to the first token of the next statement, or to the
// end of the file.
func skipStatement(l *lexer) (token, bool) {
	complete := false // a line that ends here ends the statement
	for {
		t := l.next()
		switch {
		case l.doubtful:
			return t, false
		case t.kind == end:
			return t, complete
		case complete && t.newLine:
			// CUE's scanner would join the lines before a colon or a comma.
			return t, t.kind != ':' && t.kind != ','
		case t.kind == ',':
			return t, false
		case len(l.open) > 0:
			if !l.skipNested() {
				return t, false
			}
			complete = true
		default:
			complete = completes(t.kind)
		}
	}
}

// completes says after which tokens CUE's scanner puts a comma where a line
// ends. Closing brackets are not asked for.
func completes(k kind) bool {
	switch k {
	case ident, text, number, attribute, ellipsis, '?':
		return true
	}
	return false
}

func (l *lexer) string(t token) string { return string(l.src[t.start:t.end]) }

// Use is a name that a field uses: of another field of its package, or of an
// import.
type Use struct {
	Name     string
	Selected string // what is selected of it, the field of a package; "" if nothing is
}

// Uses calls visit with every name that may refer to something outside of the
// field, until it returns false. Names that refer to something inside are
// among them. It is false if it does not understand the field.
func Uses(src []byte, field Field, visit func(Use) bool) bool {
	l := &lexer{src: src[field.Start:field.End]}
	before := end
	for t := l.next(); t.kind != end; {
		following := l.next()
		if t.kind != ident || before == '.' {
			before, t = t.kind, following
			continue
		}
		use := Use{Name: l.string(t)}
		if following.kind == '.' {
			before, t = '.', l.next()
			use.Selected = selector(l.string(t), t.kind)
		} else {
			if l.isLabel(following) {
				use.Name = ""
			}
			before, t = ident, following
		}
		if use.Name != "" && !visit(use) {
			return true
		}
	}
	return !l.doubtful
}

// selector returns the name of a field that is selected.
func selector(name string, k kind) string {
	switch {
	case k == ident:
		return name
	case k == text && len(name) > 2 && name[0] == '"' && !strings.Contains(name, `\`):
		return name[1 : len(name)-1]
	}
	return ""
}

// isLabel says whether the name before a token is a label.
func (l *lexer) isLabel(following token) bool {
	if l.innermost() == '[' {
		return false // a slice has colons too
	}
	if following.kind == '?' || following.kind == '!' {
		ahead := *l
		following = ahead.next()
	}
	return following.kind == ':'
}
