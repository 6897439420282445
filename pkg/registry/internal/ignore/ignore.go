// SPDX-License-Identifier: Apache-2.0

// Package ignore reads files of patterns in .gitignore syntax.
package ignore

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Rules are the patterns of a .gitignore file, in order.
//
// Own code, because what exists in Go knows neither **, nor classes, nor that
// the last match wins, or raises versions that this project pins. The test
// compares it with git itself.
type Rules []single

type single struct {
	pattern *regexp.Regexp // of the whole path, or of the base name
	base    bool           // pattern is for the base name
	dirOnly bool
	include bool
}

// Parse reads the content of a .gitignore file.
func Parse(content string) (Rules, error) {
	var rules Rules
	for i, line := range strings.Split(strings.TrimPrefix(content, "\ufeff"), "\n") {
		line = trimLine(line)
		if line == "" || line[0] == '#' {
			continue
		}
		rule, ok, err := parseRule(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: pattern %q: %w", i+1, line, err)
		}
		if ok {
			rules = append(rules, rule)
		}
	}
	return rules, nil
}

// trimLine removes what git does not count: a carriage return, and
// trailing blanks unless a backslash keeps them.
func trimLine(line string) string {
	line = strings.TrimSuffix(line, "\r")
	trimmed := strings.TrimRight(line, " ")
	if trimmed == line {
		return line
	}
	backslashes := len(trimmed) - len(strings.TrimRight(trimmed, `\`))
	if backslashes%2 == 1 {
		trimmed += " "
	}
	return trimmed
}

// parseRule returns false for a pattern that can never match.
func parseRule(line string) (single, bool, error) {
	var rule single
	line, rule.include = strings.CutPrefix(line, "!")
	line, rule.dirOnly = strings.CutSuffix(line, "/")
	rule.base = !strings.Contains(line, "/")
	expr, ok := globExpr(strings.TrimPrefix(line, "/"))
	if !ok {
		return single{}, false, nil
	}
	var err error
	rule.pattern, err = regexp.Compile(`(?s)\A` + expr + `\z`)
	return rule, true, err
}

// Match says whether rel, a path with slashes below the root, is left out. The
// caller does not descend into a directory that is: what is in there cannot be
// taken back in by a later pattern.
func (rules Rules) Match(rel string, isDir bool) bool {
	for _, rule := range slices.Backward(rules) {
		name := rel
		if rule.base {
			name = path.Base(rel)
		}
		if (isDir || !rule.dirOnly) && rule.pattern.MatchString(name) {
			return !rule.include
		}
	}
	return false
}

// globExpr translates a glob into a regular expression. It returns false for
// one that git lets match nothing: an open bracket, a trailing backslash.
func globExpr(glob string) (string, bool) {
	var expr strings.Builder
	for i := 0; i < len(glob); {
		rest := glob[i:]
		stars := len(rest) - len(strings.TrimLeft(rest, "*"))
		wholeElement := stars > 1 && (i == 0 || glob[i-1] == '/')
		switch {
		case wholeElement && strings.HasPrefix(rest[stars:], "/"):
			expr.WriteString(`(?:[^/]*/)*`)
			i += stars + len("/")
		case wholeElement && stars == len(rest):
			expr.WriteString(`.*`)
			i += stars
		case stars > 0:
			expr.WriteString(`[^/]*`)
			i += stars
		case rest[0] == '?':
			expr.WriteString(`[^/]`)
			i++
		case rest[0] == '[':
			class, length := classExpr(rest)
			if length == 0 {
				return "", false
			}
			expr.WriteString(class)
			i += length
		case rest == `\`:
			return "", false
		case rest[0] == '\\':
			expr.WriteString(regexp.QuoteMeta(rest[1:2]))
			i += 2
		default:
			expr.WriteString(regexp.QuoteMeta(rest[:1]))
			i++
		}
	}
	return expr.String(), true
}
