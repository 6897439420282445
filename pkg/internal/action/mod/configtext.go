// SPDX-License-Identifier: Apache-2.0

package mod

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/format"
)

// CUE returns the schema as CUE text, to be read.
func (c *Config) CUE() []byte {
	var b strings.Builder
	b.WriteString("// The values of " + c.ModulePath + ".\nvalues: {\n")
	writeCUE(&b, c.Fields)
	b.WriteString("}\n")
	if out, err := format.Source([]byte(b.String())); err == nil {
		return out
	}
	return []byte(b.String())
}

func writeCUE(b *strings.Builder, fields []Field) {
	for i, f := range fields {
		if f.Doc != "" {
			if i > 0 {
				b.WriteByte('\n')
			}
			b.WriteString("// " + strings.ReplaceAll(f.Doc, "\n", "\n// ") + "\n")
		}
		b.WriteString(cue.Str(f.Name).String())
		switch {
		case f.Required:
			b.WriteByte('!')
		case f.Optional:
			b.WriteByte('?')
		}
		b.WriteString(": ")
		switch {
		case f.Fields != nil:
			b.WriteString("{\n")
			writeCUE(b, f.Fields)
			b.WriteByte('}')
		case f.elements != nil:
			b.WriteString("[string]: {\n")
			writeCUE(b, f.elements)
			b.WriteByte('}')
		case f.initial != "":
			b.WriteString("*" + f.initial + " | " + strings.TrimPrefix(f.typ, f.initial+" | "))
		default:
			b.WriteString(f.typ)
		}
		b.WriteByte('\n')
	}
}

// YAML returns the values that the module has by default, as a file of values
// with comments. Values that have no default are comments themselves.
func (c *Config) YAML() []byte {
	var b strings.Builder
	b.WriteString("# The values of " + c.ModulePath + ".\n\n")
	writeYAML(&b, "", c.Fields)
	return []byte(b.String())
}

func writeYAML(b *strings.Builder, indent string, fields []Field) {
	for i, f := range fields {
		if f.Doc != "" {
			if i > 0 && !strings.Contains(indent, "#") {
				b.WriteByte('\n')
			}
			b.WriteString(indent + "# " + strings.ReplaceAll(f.Doc, "\n", "\n"+indent+"# ") + "\n")
		}
		below, prefix := f.Fields, indent
		if f.elements != nil {
			below = []Field{{Name: "NAME", Fields: f.elements}}
		}
		if !f.isSet() && !strings.Contains(indent, "#") {
			prefix = indent + "# "
		}
		b.WriteString(prefix + key(f.Name) + ":")
		if below != nil {
			b.WriteByte('\n')
			writeYAML(b, prefix+"  ", below)
			continue
		}
		b.WriteString(f.yamlValue() + "\n")
	}
}

// isSet says whether a field, or one below it, has a default.
func (f Field) isSet() bool {
	if f.Optional {
		return false
	}
	return f.initialJSON() != nil || slices.ContainsFunc(f.Fields, Field.isSet)
}

// key returns a name as the key of a mapping in YAML: quoted where it could be
// taken for something else.
func key(name string) string {
	if keyRE.MatchString(name) {
		return name
	}
	return strconv.Quote(name)
}

var keyRE = regexp.MustCompile(`^[a-zA-Z][-a-zA-Z0-9_./]{2,}$`)

// yamlValue returns the default of a field, in the flow style that JSON is too,
// or what it may hold as a comment.
func (f Field) yamlValue() string {
	if data := f.initialJSON(); data != nil {
		return " " + string(data)
	}
	text := " # " + strings.Join(strings.Fields(f.typ), " ")
	if f.Required {
		text += ", required"
	}
	return text
}

// initialJSON returns the default of a field, nil if it has none, or bytes, which
// neither YAML nor JSON can give.
func (f Field) initialJSON() []byte {
	if f.initial == "" {
		return nil
	}
	initial := cuecontext.New().CompileString(f.initial)
	data, err := initial.MarshalJSON()
	if err != nil || initial.Kind() == cue.BytesKind {
		return nil
	}
	return data
}

// Markdown returns the schema as a table.
func (c *Config) Markdown() []byte {
	var b strings.Builder
	b.WriteString("| Value | Type | Default | Description |\n|---|---|---|---|\n")
	writeRows(&b, "", c.Fields)
	return []byte(b.String())
}

func writeRows(b *strings.Builder, prefix string, fields []Field) {
	for _, f := range fields {
		name, below := prefix+cue.Str(f.Name).String(), f.Fields
		typ, initial := f.typ, code(f.initial)
		switch {
		case f.elements != nil:
			typ, below = "map", f.elements
		case f.Fields != nil:
			typ = "struct"
		}
		if f.Required && below == nil {
			initial = "required"
		}
		if below == nil || f.Doc != "" || f.elements != nil {
			fmt.Fprintf(b, "| %s | %s | %s | %s |\n", code(name), code(typ), initial, cell(f.Doc))
		}
		if f.elements != nil {
			name += ".NAME"
		}
		writeRows(b, name+".", below)
	}
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + cell(s) + "`"
}

// cell returns text that stays within a cell of a table.
func cell(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", `\|`)
}
