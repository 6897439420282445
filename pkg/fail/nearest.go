// SPDX-License-Identifier: Apache-2.0

package fail

import (
	"fmt"
	"strings"
)

// Nearest returns the candidate that a misspelt name is likely to mean, and
// false when none is near. The longer the name, the more letters may be wrong;
// half of them is another word.
func Nearest(name string, candidates []string) (string, bool) {
	best, nearest := min((len(name)+1)/2, max(1, min(len(name), 12)/3)+1), ""
	for _, candidate := range candidates {
		if d := distance(strings.ToLower(name), strings.ToLower(candidate)); d < best {
			best, nearest = d, candidate
		}
	}
	return nearest, nearest != ""
}

// Suggest returns the end of a sentence about an unknown name: the nearest one
// that is known, or all of them.
func Suggest(name string, known []string) string {
	if nearest, ok := Nearest(name, known); ok {
		return fmt.Sprintf(", did you mean %q?", nearest)
	}
	if len(known) == 0 {
		return ""
	}
	return ", known are " + strings.Join(known, ", ")
}

// distance returns how many letters have to be put in, taken out, replaced or
// swapped with the next one to make b of a (the optimal string alignment
// distance).
func distance(a, b string) int {
	var before, row []int
	next := make([]int, len(b)+1)
	for j := range next {
		next[j] = j
	}
	for i := range len(a) {
		before, row, next = row, next, make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j]+cost, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
	}
	return next[len(b)]
}
