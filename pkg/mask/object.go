// SPDX-License-Identifier: Apache-2.0

package mask

import "reflect"

// Secret hides, in two states of a Secret, the values of its data, so that
// they show only whether a value changed. The words are those of kubectl diff.
// Either state may be nil; both are changed.
func Secret(before, after map[string]any) {
	for _, field := range []string{"data", "stringData"} {
		old, _ := before[field].(map[string]any)
		next, _ := after[field].(map[string]any)
		hide(old, next)
	}
}

func hide(old, next map[string]any) {
	for key, a := range old {
		b, inNext := next[key]
		if inNext && !reflect.DeepEqual(a, b) {
			old[key], next[key] = Hidden+" (before)", Hidden+" (after)"
			continue
		}
		old[key] = Hidden
		if inNext {
			next[key] = Hidden
		}
	}
	for key := range next {
		if _, inOld := old[key]; !inOld {
			next[key] = Hidden
		}
	}
}
