// SPDX-License-Identifier: Apache-2.0

package arch

import (
	"path"
	"strings"
)

// checkAPI holds that a package is under an internal directory, from which other
// modules cannot import, or a command, or API: then the page of the library says
// what it is for.
func checkAPI(files []File) []Finding {
	var page string
	for _, f := range files {
		if f.Path == libraryPage {
			page = f.Source
		}
	}
	if page == "" {
		return nil // not the whole repository
	}
	var all []Finding
	seen := map[string]bool{}
	for _, f := range files {
		dir := path.Dir(f.Path)
		if seen[dir] || !isLibrary(f.Path) {
			continue
		}
		seen[dir] = true
		if !strings.Contains(page, "`"+dir+"`") {
			all = append(all, Finding{f.Path, 1, "api", "package " + dir + " can be imported by others: name it in " + libraryPage + ", or move it under internal"})
		}
	}
	return all
}

// isLibrary reports whether a file belongs to a package that others can import.
// The doc.go of a district has no code.
func isLibrary(name string) bool {
	return strings.HasPrefix(name, "pkg/") && !strings.HasPrefix(name, "pkg/cli/") && path.Ext(name) == ".go" &&
		!strings.HasSuffix(name, "_test.go") && path.Base(name) != "doc.go" &&
		!strings.Contains(name, "/internal/") && !isTestdata(name)
}
