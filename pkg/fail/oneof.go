// SPDX-License-Identifier: Apache-2.0

package fail

import (
	"slices"
	"strings"
)

// OneOf returns nil if value is one of those that are known, otherwise a usage
// error about what, such as "--dry-run". The empty value is not listed.
func OneOf[T ~string](what string, value T, known ...T) error {
	if slices.Contains(known, value) {
		return nil
	}
	var words []string
	for _, k := range known {
		if k != "" {
			words = append(words, string(k))
		}
	}
	err := Usagef("%s %q is not one of %s", what, string(value), strings.Join(words, ", "))
	if nearest, ok := Nearest(string(value), words); ok {
		return Hint(err, "did you mean %s?", nearest)
	}
	return err
}
