// SPDX-License-Identifier: Apache-2.0

package pin

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// Edits are changes of files.
type Edits struct{ list []edit }

// edit puts a text in the place of what is between two offsets.
type edit struct {
	file, start, end int
	text             string
}

// Set gives a literal another value. Two values for one literal are an error.
func (e *Edits) Set(l *Literal, value string) error {
	return e.add(edit{l.file, l.start, l.end, l.before + value + l.after})
}

func (e *Edits) add(next edit) error {
	for _, other := range e.list {
		if other.file == next.file && other.start == next.start {
			if other != next {
				return fmt.Errorf("it is that of several modules, which are to become %s and %s", other.text, next.text)
			}
			return nil
		}
	}
	e.list = append(e.list, next)
	return nil
}

// IsField says whether a literal is the value of a field of the module itself,
// next to which another one can be put.
func (l *Literal) IsField() bool { return l != nil && l.isField }

// Insert puts a field next to that of a literal, in the style of the file: on a
// line of its own where the literal's is.
func (p *Files) Insert(e *Edits, l *Literal, name, value string) error {
	data := p.data[l.file]
	begin := bytes.LastIndexByte(data[:l.start], '\n') + 1
	line := string(data[begin:l.start])
	label := strings.TrimLeft(line, " \t")
	indent := line[:len(line)-len(label)]
	own := strings.TrimLeft(label[strings.LastIndexAny(label, "{,")+1:], " \t")
	field := prefixOf(own) + name + ": " + cmp.Or(l.before, `"`) + value + cmp.Or(l.after, `"`)
	isJSON := p.format[l.file] == values.JSON
	if isJSON {
		field = `"` + name + `": "` + value + `"`
	}
	end := endOfLine(data, l.end)
	at := l.start - len(own)
	switch rest := bytes.TrimLeft(data[l.end:end], " \t"); {
	case own != label || bytes.HasPrefix(rest, []byte("}")):
		return e.add(edit{l.file, at, at, field + ", "})
	case isJSON:
		return e.add(edit{l.file, at, at, field + "," + newline(data, l.end) + indent})
	}
	return e.add(edit{l.file, end, end, newline(data, l.end) + indent + field})
}

// prefixOf returns what is before the name of a field in the form a: b: name.
func prefixOf(own string) string {
	names := strings.TrimSuffix(strings.TrimRight(own, " \t"), ":")
	if i := strings.LastIndexByte(names, ':'); i >= 0 {
		return names[:i+1] + " "
	}
	return ""
}

func endOfLine(data []byte, from int) int {
	if i := bytes.IndexByte(data[from:], '\n'); i >= 0 {
		return from + len(bytes.TrimRight(data[from:from+i], "\r"))
	}
	return len(data)
}

// newline returns what ends the line at an offset or, of the last one, the line
// before.
func newline(data []byte, at int) string {
	i := bytes.IndexByte(data[at:], '\n')
	if i += at; i < at {
		i = bytes.LastIndexByte(data[:at], '\n')
	}
	if i > 0 && data[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// Apply returns the files with the changes, nil for a file without any.
func (p *Files) Apply(e *Edits) [][]byte {
	changed := make([][]byte, len(p.data))
	list := slices.Clone(e.list)
	slices.SortFunc(list, func(a, b edit) int { return b.start - a.start })
	for _, edit := range list {
		data := changed[edit.file]
		if data == nil {
			data = p.data[edit.file]
		}
		changed[edit.file] = slices.Concat(data[:edit.start], []byte(edit.text), data[edit.end:])
	}
	return changed
}
