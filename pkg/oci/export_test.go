// SPDX-License-Identifier: Apache-2.0

package oci

// Ignore reads a .gitignore file and returns what decides about one path.
func Ignore(content string) (func(rel string, isDir bool) bool, error) {
	rules, err := parseIgnore(content)
	return rules.match, err
}
