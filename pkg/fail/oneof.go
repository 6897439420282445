// SPDX-License-Identifier: Apache-2.0

package fail

import (
	"fmt"
	"slices"
	"strings"
)

// UnknownWordError says that a word is not one of those that are known.
type UnknownWordError struct {
	What, Word string
	Known      []string
}

// Error lists the words.
func (e *UnknownWordError) Error() string {
	return fmt.Sprintf("%s %q is not one of %s", e.What, e.Word, strings.Join(e.Known, ", "))
}

// OneOf returns nil if value is one of those that are known, otherwise an
// *UnknownWordError about what it is, such as "format". The empty value is not
// listed.
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
	return &UnknownWordError{What: what, Word: string(value), Known: words}
}

func (e *UnknownWordError) advice() Advice {
	a := Advice{Code: Usage}
	if nearest, ok := Nearest(e.Word, e.Known); ok {
		a.Hint = fmt.Sprintf("did you mean %s?", nearest)
	}
	return a
}
