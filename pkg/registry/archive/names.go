// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"slices"
	"strings"
	"unicode"
)

// isGit says whether a name is .git to some file system: HFS+ ignores case and
// some code points, NTFS case, trailing dots and spaces and what follows a
// colon, and it has a short name. Git runs programs that a repository names.
func isGit(name string) bool {
	name, _, _ = strings.Cut(strings.ToLower(strings.Map(visible, name)), ":")
	name = strings.TrimRight(name, ". ")
	return name == ".git" || name == "git~1"
}

// visible drops what has no appearance of its own.
func visible(r rune) rune {
	if unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) {
		return -1
	}
	return r
}

// GitPart returns a path up to the element that isGit, empty when none is.
func GitPart(path string) string {
	elements := strings.Split(path, "/")
	if i := slices.IndexFunc(elements, isGit); i >= 0 {
		return strings.Join(elements[:i+1], "/")
	}
	return ""
}

// isReserved says whether Windows has no file of that name: it is a device, has
// a colon or another character that a file name must not have, or ends with
// what is dropped from it.
func isReserved(name string) bool {
	if strings.ContainsAny(name, `<>:"|?*\`) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return true
	}
	if name != "." && strings.TrimRight(name, ". ") != name {
		return true
	}
	base, _, _ := strings.Cut(strings.ToLower(name), ".")
	base = strings.TrimRight(base, " ")
	number := strings.TrimPrefix(strings.TrimPrefix(base, "com"), "lpt")
	if number != base && slices.Contains(strings.Split("0 1 2 3 4 5 6 7 8 9 ¹ ² ³", " "), number) {
		return true
	}
	return slices.Contains([]string{"con", "prn", "aux", "nul", "conin$", "conout$"}, base)
}
