// SPDX-License-Identifier: Apache-2.0

package oci

// Ignore reads a .gitignore file and returns what decides about one path.
func Ignore(content string) (func(rel string, isDir bool) bool, error) {
	rules, err := parseIgnore(content)
	return rules.match, err
}

// ParseMirrors returns the mirrors of a file as PREFIX=PREFIX.
func ParseMirrors(data []byte) (pairs []string, err error) {
	list, err := parseMirrors(data)
	for _, m := range list {
		pairs = append(pairs, m.from+"="+m.to)
	}
	return pairs, err
}
