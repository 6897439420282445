// SPDX-License-Identifier: Apache-2.0

// Package mirror finds where a repository is read instead, by the settings of
// the user, and which token servers they allow.
package mirror

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
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
	// File is in YAML, with two fields: mirrors, from prefix to prefix, and
	// authHosts, from the host of a registry to a list of hosts. It need not
	// exist, unless Required is set.
	File     string
	Required bool
	// Unused reads from where the reference says.
	Unused bool
}

// mirror is one replacement.
type mirror struct {
	from, to string
	origin   string // for errors: where it was read
}

// Of returns where a repository is read. Prefixes end where a part of the
// path does. The error, for mirrors that cannot be read, is a *fail.InvalidError.
func (m Mirrors) Of(repository string) (string, error) {
	if m.Unused {
		return repository, nil
	}
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
		return "", fail.Invalidf("%smirror %q: %q is not a repository", best.origin, best.from, replacement)
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
	all = append(all, file.mirrors...)
	for _, c := range all {
		if c.from == "" || c.to == "" || strings.Contains(c.from, "://") || strings.Contains(c.to, "://") {
			return nil, fail.Invalidf("%smirror \"%s=%s\" is not of the form HOST[/PATH]=HOST[/PATH]", c.origin, c.from, c.to)
		}
	}
	return all, nil
}

func (m Mirrors) readFile() (settings, error) {
	if m.File == "" {
		return settings{}, nil
	}
	data, err := os.ReadFile(m.File)
	if errors.Is(err, fs.ErrNotExist) && !m.Required {
		return settings{}, nil
	}
	if err != nil {
		return settings{}, fail.Invalid(err)
	}
	all, err := parseSettings(data)
	if where, ok := errors.AsType[*lineError](err); ok {
		return settings{}, fail.Invalidf("%s:%d: %s", m.File, where.line, where.text)
	}
	if err != nil {
		return settings{}, fail.Invalidf("%s: %v", m.File, err)
	}
	for i := range all.mirrors {
		all.mirrors[i].origin = m.File + ":" + all.mirrors[i].origin + ": "
	}
	return all, nil
}

// settings are the content of the file.
type settings struct {
	mirrors   []mirror
	authHosts map[string][]string // by the host of the registry, as typed
}

// TokenServers returns the hosts that may be asked for a token with the
// credentials of a registry, which is known under several names: more, and those
// that the file names.
func (m Mirrors) TokenServers(more []string, registry ...string) ([]string, error) {
	file, err := m.readFile()
	if err != nil {
		return nil, err
	}
	named := slices.Clone(more)
	for host, hosts := range file.authHosts {
		if slices.ContainsFunc(registry, func(r string) bool { return strings.EqualFold(r, host) }) {
			named = append(named, hosts...)
		}
	}
	for _, host := range named {
		if host == "" || strings.ContainsAny(host, "/@ ") {
			return nil, fail.Invalidf("invalid token server %q: want HOST or HOST:PORT", host)
		}
	}
	return named, nil
}

// lineError is what is wrong with a line of a file.
type lineError struct {
	line int
	text string
}

// Error implements error.
func (e *lineError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.text) }

// parseSettings reads the file. Nothing is in it that is not known, and nothing
// twice. The origin of a mirror is its line.
func parseSettings(data []byte) (settings, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return settings{}, err
	}
	if document.IsZero() {
		return settings{}, nil // empty, or comments alone
	}
	fields, err := pairsOf(document.Content[0], "the file")
	if err != nil {
		return settings{}, err
	}
	all := settings{authHosts: map[string][]string{}}
	for _, field := range fields {
		name := field[0].Value
		if name != "mirrors" && name != "authHosts" {
			return settings{}, &lineError{field[0].Line, fmt.Sprintf("unknown field %q: want \"mirrors\" or \"authHosts\"", name)}
		}
		entries, err := pairsOf(field[1], name)
		if err != nil {
			return settings{}, err
		}
		for _, entry := range entries {
			if err = all.add(name, entry[0], entry[1]); err != nil {
				return settings{}, err
			}
		}
	}
	return all, nil
}

// add adds one entry of a field.
func (s *settings) add(field string, key, value *yaml.Node) error {
	isString := func(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" }
	if field == "mirrors" {
		if !isString(value) {
			return &lineError{value.Line, fmt.Sprintf("the mirror of %q is not a string", key.Value)}
		}
		s.mirrors = append(s.mirrors, mirror{key.Value, value.Value, fmt.Sprint(key.Line)})
		return nil
	}
	hosts := []*yaml.Node{value}
	if value.Kind == yaml.SequenceNode {
		hosts = value.Content
	}
	for _, host := range hosts {
		if !isString(host) {
			return &lineError{host.Line, fmt.Sprintf("the token server of %q is not a string", key.Value)}
		}
		s.authHosts[key.Value] = append(s.authHosts[key.Value], host.Value)
	}
	return nil
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
