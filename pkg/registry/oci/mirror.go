// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
)

// Mirrors say where to read instead: below the replacement of the longest
// prefix that fits. What is pushed goes where it is sent.
type Mirrors struct {
	// Pairs is a list of PREFIX=PREFIX with commas between them, each of the
	// form HOST[/PATH]. They win over the file.
	Pairs string
	// File is in YAML, with one field, mirrors, from prefix to prefix. It need
	// not exist, unless Required is set.
	File     string
	Required bool
}

// mirror is one replacement.
type mirror struct {
	from, to string
	origin   string // for errors: where it was read
}

// mirrored returns where a repository is read. Prefixes end where a part of the
// path does. The error, for mirrors that cannot be read, is fail.Usage.
func mirrored(repository string, m Mirrors) (string, error) {
	all, err := m.read()
	if err != nil {
		return "", err
	}
	best, replacement := mirror{}, repository
	for _, c := range all {
		rest, fits := strings.CutPrefix(repository, c.from)
		if fits && (rest == "" || rest[0] == '/') && len(c.from) > len(best.from) {
			best, replacement = c, c.to+rest
		}
	}
	if best.from == "" {
		return repository, nil
	}
	if _, err := ref.Parse("oci://" + replacement); err != nil {
		return "", fail.Usagef("%smirror %q: %q is not a repository", best.origin, best.from, replacement)
	}
	return replacement, nil
}

// read returns all mirrors, those that win first.
func (m Mirrors) read() ([]mirror, error) {
	var all []mirror
	for pair := range strings.SplitSeq(m.Pairs, ",") {
		pair = strings.TrimSpace(pair)
		if pair == "" {
			continue
		}
		from, to, _ := strings.Cut(pair, "=")
		all = append(all, mirror{from: from, to: to})
	}
	file, err := m.readFile()
	if err != nil {
		return nil, err
	}
	all = append(all, file...)
	for _, c := range all {
		if c.from == "" || c.to == "" || strings.Contains(c.from, "://") || strings.Contains(c.to, "://") {
			return nil, fail.Usagef("%smirror \"%s=%s\" is not of the form HOST[/PATH]=HOST[/PATH]", c.origin, c.from, c.to)
		}
	}
	return all, nil
}

func (m Mirrors) readFile() ([]mirror, error) {
	if m.File == "" {
		return nil, nil
	}
	data, err := os.ReadFile(m.File)
	if errors.Is(err, fs.ErrNotExist) && !m.Required {
		return nil, nil
	}
	if err != nil {
		return nil, fail.With(fail.Usage, err)
	}
	list, err := parseMirrors(data)
	if where, ok := errors.AsType[*lineError](err); ok {
		return nil, fail.Usagef("%s:%d: %s", m.File, where.line, where.text)
	}
	if err != nil {
		return nil, fail.Usagef("%s: %v", m.File, err)
	}
	for i := range list {
		list[i].origin = m.File + ":" + list[i].origin + ": "
	}
	return list, nil
}

// lineError is what is wrong with a line of a file.
type lineError struct {
	line int
	text string
}

// Error implements error.
func (e *lineError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.text) }

// parseMirrors reads the file. Nothing is in it that is not known, and nothing
// twice. The origin of a mirror is its line.
func parseMirrors(data []byte) ([]mirror, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, err
	}
	if document.IsZero() {
		return nil, nil // empty, or comments alone
	}
	fields, err := pairsOf(document.Content[0], "the file")
	if err != nil {
		return nil, err
	}
	var list []mirror
	for _, field := range fields {
		if field[0].Value != "mirrors" {
			return nil, &lineError{field[0].Line, fmt.Sprintf("field %q is not known, only \"mirrors\"", field[0].Value)}
		}
		mirrors, err := pairsOf(field[1], "mirrors")
		if err != nil {
			return nil, err
		}
		for _, m := range mirrors {
			if m[1].Kind != yaml.ScalarNode || m[1].ShortTag() != "!!str" {
				return nil, &lineError{m[1].Line, fmt.Sprintf("the mirror of %q is not a string", m[0].Value)}
			}
			list = append(list, mirror{m[0].Value, m[1].Value, fmt.Sprint(m[0].Line)})
		}
	}
	return list, nil
}

// pairsOf returns the keys of a mapping with their values.
func pairsOf(node *yaml.Node, what string) ([][2]*yaml.Node, error) {
	if node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null" {
		return nil, nil
	}
	if node.Kind != yaml.MappingNode {
		return nil, &lineError{node.Line, what + " is not a mapping"}
	}
	var pairs [][2]*yaml.Node
	seen := map[string]bool{}
	for i := 0; i < len(node.Content); i += 2 {
		key := node.Content[i]
		if seen[key.Value] {
			return nil, &lineError{key.Line, fmt.Sprintf("%q is there twice", key.Value)}
		}
		seen[key.Value] = true
		pairs = append(pairs, [2]*yaml.Node{key, node.Content[i+1]})
	}
	return pairs, nil
}
