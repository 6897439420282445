// SPDX-License-Identifier: Apache-2.0

package mask

import (
	"maps"
	"reflect"
)

// lastApplied is where kubectl keeps what it applied, in clear.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// Secret hides, in two states of a Secret, the values of its data and what
// kubectl keeps of them, so that they show only whether a value changed. The
// words are those of kubectl diff. Either state may be nil; both are changed.
func Secret(before, after map[string]any) {
	for _, field := range []string{"data", "stringData"} {
		old, _ := before[field].(map[string]any)
		next, _ := after[field].(map[string]any)
		hide(old, next)
	}
	old, next := annotations(before), annotations(after)
	kept, keeps := only(old, lastApplied), only(next, lastApplied)
	hide(kept, keeps)
	maps.Copy(old, kept)
	maps.Copy(next, keeps)
}

func annotations(o map[string]any) map[string]any {
	metadata, _ := o["metadata"].(map[string]any)
	all, _ := metadata["annotations"].(map[string]any)
	return all
}

// only returns the entry with a key, nothing when there is none.
func only(all map[string]any, key string) map[string]any {
	if value, ok := all[key]; ok {
		return map[string]any{key: value}
	}
	return nil
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
