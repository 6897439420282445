// SPDX-License-Identifier: Apache-2.0

package arch

import (
	"path"
	"regexp"
	"strings"
)

var (
	// evidence is what a page of promises names in a cell: a directory, a script
	// or a test.
	evidence = regexp.MustCompile("`((?:pkg|test)/[\\w/.-]+)`|\\b((?:Test|Fuzz)[A-Z]\\w*)")
	// scripted is a cell that names the script of the promise.
	scripted = regexp.MustCompile(`^ script\b`)
	// declared is the declaration of a test.
	declared = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
)

// checkEvidence reports tests and scripts that a page of promises names and that
// do not exist, and promises of the security model that name none.
func checkEvidence(files []File) []Finding {
	tests := map[string]bool{} // NAME, and DIRECTORY NAME
	known := map[string]document{}
	for _, f := range files {
		known[f.Path] = document{}
		if !strings.HasSuffix(f.Path, "_test.go") {
			continue
		}
		for _, m := range declared.FindAllStringSubmatch(f.Source, -1) {
			tests[m[1]], tests[path.Dir(f.Path)+" "+m[1]] = true, true
		}
	}
	var all []Finding
	for _, f := range files {
		if f.Path != "docs/security.md" && f.Path != "docs/safety.md" {
			continue
		}
		line := 0
		for row := range strings.Lines(f.Source) {
			line++
			for _, problem := range checkRow(row, known, tests) {
				all = append(all, Finding{f.Path, line, "evidence", problem})
			}
		}
	}
	return all
}

// hasScript reports whether there is the script of a promise, such as s1.
func hasScript(id string, known map[string]document) bool {
	for name := range known {
		if path.Base(name) == "safety_s"+twoDigits(id)+".txtar" {
			return true
		}
	}
	return false
}

func twoDigits(id string) string {
	number := strings.TrimPrefix(id, "s")
	return strings.Repeat("0", max(0, 2-len(number))) + number
}

// checkRow returns what is wrong with a row of a table.
func checkRow(row string, known map[string]document, tests map[string]bool) (problems []string) {
	cells := strings.Split(strings.Trim(strings.TrimSpace(row), "|"), "|")
	if len(cells) < 2 {
		return nil
	}
	cell := cells[len(cells)-1]
	named, directory := false, ""
	if id := strings.ToLower(strings.TrimSpace(cells[0])); scripted.MatchString(cell) && !hasScript(id, known) {
		problems = append(problems, "the script safety_s"+twoDigits(id)+".txtar does not exist")
	}
	for _, m := range evidence.FindAllStringSubmatch(cell, -1) {
		name, test := m[1], m[2]
		switch {
		case test != "" && directory == "" && !tests[test], test != "" && directory != "" && !tests[directory+" "+test]:
			problems = append(problems, strings.TrimSpace(directory+" "+test)+" does not exist")
		case test != "":
		case path.Ext(name) == "" && isDirectory(name, known):
			directory = name
		case path.Ext(name) == "":
			problems = append(problems, name+" does not exist")
		default:
			if _, ok := known[name]; !ok {
				problems = append(problems, name+" does not exist")
			}
			directory = ""
		}
		named = true
	}
	if strings.HasPrefix(strings.TrimSpace(cells[0]), "cannot ") && !named {
		problems = append(problems, "a line that says cannot names no test")
	}
	return problems
}
