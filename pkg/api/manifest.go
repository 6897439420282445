// SPDX-License-Identifier: Apache-2.0

package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// YAML returns objects as a stream of YAML documents, as kubectl and GitOps
// tools read it: keys sorted, one "---" between two documents. Equal objects
// give equal bytes. It writes YAML itself, since a library that goes through
// JSON takes longer than rendering does.
func YAML(objects []Object) []byte { return CommentedYAML(objects, nil) }

// CommentedYAML is YAML with a comment before each object. Where comments is
// not nil, it holds as many lines as there are objects.
func CommentedYAML(objects []Object, comments []string) []byte {
	var e yamlEncoder
	for i, o := range objects {
		if i > 0 {
			e.WriteString("---\n")
		}
		if comments != nil {
			e.WriteString("# " + mask.Line(strings.ReplaceAll(comments[i], "\n", " ")) + "\n")
		}
		e.mapping(o, 0)
	}
	return e.Bytes()
}

// ValueYAML is YAML for a value of any form that JSON has.
func ValueYAML(v any) []byte {
	var e yamlEncoder
	switch v := v.(type) {
	case map[string]any:
		e.mapping(v, 0)
	case []any:
		if len(v) == 0 {
			return []byte("[]\n")
		}
		e.sequence(v, 0)
	default:
		e.scalar(v, 0)
	}
	return e.Bytes()
}

// JSON returns objects as a List, indented as kubectl does.
func JSON(objects []Object) ([]byte, error) {
	if objects == nil {
		objects = []Object{}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "    ")
	err := enc.Encode(map[string]any{"apiVersion": "v1", "kind": "List", "items": objects})
	return mask.JSON(b.Bytes()), err
}

type yamlEncoder struct{ bytes.Buffer }

func (e *yamlEncoder) indent(n int) {
	for range n {
		e.WriteByte(' ')
	}
}

// mapping writes the entries of m, the first of which is where the cursor is.
func (e *yamlEncoder) mapping(m map[string]any, depth int) {
	if len(m) == 0 {
		e.WriteString("{}\n")
		return
	}
	for i, key := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			e.indent(depth)
		}
		e.key(key, depth)
		e.entry(m[key], depth)
	}
}

// LongestKey is the length of the longest key that every parser of YAML reads
// on one line with its value: they look ahead for 1024 characters, which the
// colon is one of.
const LongestKey = 1020

// key writes a key and the colon after it.
func (e *yamlEncoder) key(key string, depth int) {
	text := yamlKey(key)
	if len(text) > LongestKey {
		e.WriteString("? " + text + "\n")
		e.indent(depth)
		text = ""
	}
	e.WriteString(text)
	e.WriteByte(':')
}

// entry writes the value after "key:".
func (e *yamlEncoder) entry(v any, depth int) {
	switch v := v.(type) {
	case map[string]any:
		if len(v) > 0 {
			e.WriteByte('\n')
			e.indent(depth + 2)
			e.mapping(v, depth+2)
			return
		}
	case []any:
		if len(v) > 0 {
			e.WriteByte('\n')
			e.indent(depth)
			e.sequence(v, depth)
			return
		}
	}
	e.WriteByte(' ')
	e.scalar(v, depth+2)
}

// sequence writes the items of a list that is not empty; the first is where
// the cursor is.
func (e *yamlEncoder) sequence(list []any, depth int) {
	for i, item := range list {
		if i > 0 {
			e.indent(depth)
		}
		e.WriteString("- ")
		switch item := item.(type) {
		case map[string]any:
			e.mapping(item, depth+2)
			continue
		case []any:
			if len(item) > 0 {
				e.sequence(item, depth+2)
				continue
			}
		}
		e.scalar(item, depth+2)
	}
}

// scalar writes what fits after a key or a dash, and the end of the line.
func (e *yamlEncoder) scalar(v any, depth int) {
	switch v := v.(type) {
	case nil:
		e.WriteString("null")
	case string:
		if isBlock(v) {
			e.block(v, depth)
			return
		}
		e.WriteString(yamlKey(v))
	case bool:
		e.WriteString(strconv.FormatBool(v))
	case int64:
		e.WriteString(strconv.FormatInt(v, 10))
	case float64:
		e.WriteString(strconv.FormatFloat(v, 'g', -1, 64))
	case map[string]any:
		e.WriteString("{}")
	case []any:
		e.WriteString("[]")
	default:
		fmt.Fprint(e, v)
	}
	e.WriteByte('\n')
}

// isBlock says whether a text is best read as a literal block, and survives it:
// the first line sets the indentation, and no character needs to be escaped.
func isBlock(s string) bool {
	lines := strings.TrimSuffix(s, "\n")
	if !strings.Contains(s, "\n") || lines == "" || strings.HasSuffix(lines, "\n") || strings.ContainsRune(" \t\n", rune(s[0])) {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r != '\n' && r != '\t' && (!unicode.IsPrint(r) || r == unicode.ReplacementChar)
	})
}

func (e *yamlEncoder) block(s string, depth int) {
	text, ended := strings.CutSuffix(s, "\n")
	e.WriteByte('|')
	if !ended {
		e.WriteByte('-')
	}
	e.WriteByte('\n')
	for line := range strings.SplitSeq(text, "\n") {
		if line != "" {
			e.indent(depth)
			e.WriteString(line)
		}
		e.WriteByte('\n')
	}
}

// yamlKey returns a string on one line, in quotes unless every reader of YAML,
// old or new, takes it for a string without. The escapes of Go are also YAML's.
func yamlKey(s string) string {
	if isPlain(s) {
		return s
	}
	return strconv.Quote(s)
}

func isPlain(s string) bool {
	if s == "" || !isWordStart(s) {
		return false
	}
	switch strings.ToLower(s) {
	case "true", "false", "yes", "no", "on", "off", "y", "n", "null":
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case isLetter(c), isDigit(c), strings.IndexByte("_./-+@=,()$", c) >= 0:
		case c == ':', c == ' ':
			// ": " begins a value, and a space at the end is lost.
			if i+1 == len(s) || s[i+1] == ' ' {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// isWordStart says whether s cannot be a number or a date: it begins with a
// letter, or it holds one that neither has, as 10m, 32Mi and 1.29-alpine do.
func isWordStart(s string) bool {
	if isLetter(s[0]) || s[0] == '/' || s[0] == '_' {
		return true
	}
	return isDigit(s[0]) && strings.ContainsAny(s, "ghijklmnqrsuvwyGHIJKLMNQRSUVWY")
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
