// SPDX-License-Identifier: Apache-2.0

package arch

import (
	"path"
	"regexp"
	"strings"
)

// located is a path of the repository in a cell, or a file of the directory that
// the cell has named before.
var located = regexp.MustCompile("`((?:pkg|test|docs|plugins|krmfn)/[\\w/.-]+)`|`(\\w+\\.go)`")

// checkPaths reports files and directories that the tables of CONTRIBUTING.md
// name and that do not exist.
func checkPaths(files []File) []Finding {
	known := map[string]document{}
	for _, f := range files {
		known[f.Path] = document{}
	}
	var all []Finding
	for _, f := range files {
		if f.Path != "CONTRIBUTING.md" {
			continue
		}
		line := 0
		for row := range strings.Lines(f.Source) {
			line++
			for _, name := range missingPaths(row, known) {
				all = append(all, Finding{f.Path, line, "path", name + " does not exist"})
			}
		}
	}
	return all
}

// missingPaths returns what a row of a table names and known does not have.
func missingPaths(row string, known map[string]document) (missing []string) {
	if !strings.HasPrefix(row, "|") {
		return nil
	}
	directory := ""
	for _, m := range located.FindAllStringSubmatch(row, -1) {
		name := m[1]
		if name == "" {
			name = path.Join(directory, m[2])
		} else if isDirectory(name, known) {
			directory = name
		}
		if _, ok := known[name]; !ok && !isDirectory(name, known) {
			missing = append(missing, name)
		}
	}
	return missing
}
