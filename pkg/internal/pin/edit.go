// SPDX-License-Identifier: Apache-2.0

package pin

import (
	"bytes"
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/link"
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

// Field is a field to insert.
type Field struct{ Name, Value string }

// Insert puts fields next to that of a literal, in the style of the file: each on a
// line of its own where the literal's is.
func (p *Files) Insert(e *Edits, l *Literal, fields ...Field) error {
	data := p.data[l.file]
	begin := bytes.LastIndexByte(data[:l.start], '\n') + 1
	line := string(data[begin:l.start])
	label := strings.TrimLeft(line, " \t")
	indent := line[:len(line)-len(label)]
	own := strings.TrimLeft(label[strings.LastIndexAny(label, "{,")+1:], " \t")
	end := endOfLine(data, l.end)
	at := l.start - len(own)
	isInline := own != label || bytes.HasPrefix(bytes.TrimLeft(data[l.end:end], " \t"), []byte("}"))
	isJSON := p.format[l.file] == values.JSON
	var text strings.Builder
	for _, f := range fields {
		field := prefixOf(own) + f.Name + ": " + cmp.Or(l.before, `"`) + f.Value + cmp.Or(l.after, `"`)
		if isJSON {
			field = `"` + f.Name + `": "` + f.Value + `"`
		}
		switch {
		case isInline:
			text.WriteString(field + ", ")
		case isJSON:
			text.WriteString(field + "," + newline(data, l.end) + indent)
		default:
			text.WriteString(newline(data, l.end) + indent + field)
		}
	}
	if isInline || isJSON {
		end = at
	}
	return e.add(edit{l.file, end, end, text.String()})
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

// Rewritten is a file before and after its changes.
type Rewritten struct {
	Name          string
	Before, After []byte
}

// Diff returns the change, as a unified diff.
func (r Rewritten) Diff() string {
	return string(diff.Diff(r.Name+".orig", r.Before, r.Name, r.After))
}

// Write writes files, each as a whole, and none when one of them is reached
// through a link.
func Write(files []Rewritten) error {
	for _, f := range files {
		if err := link.Check(filepath.Dir(f.Name), filepath.Base(f.Name)); err != nil {
			return fmt.Errorf("write %s: %w", f.Name, err)
		}
	}
	for _, f := range files {
		if err := link.WriteFile(filepath.Dir(f.Name), filepath.Base(f.Name), f.After, 0o644); err != nil {
			return fmt.Errorf("write %s: %w", f.Name, err)
		}
	}
	return nil
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
