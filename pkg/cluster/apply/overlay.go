// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// isSet says whether a map is a set of fields, or values by such a set, and not
// a value.
func isSet(m map[string]any) bool {
	for key := range m {
		kind, _, found := strings.Cut(key, ":")
		if key != "." && (!found || !slices.Contains([]string{"f", "k", "v", "i"}, kind)) {
			return false
		}
	}
	return len(m) > 0
}

// without returns a value without the fields of a set.
func without(v any, set map[string]any) any {
	for key, sub := range set {
		fields, _ := sub.(map[string]any)
		kind, rest, _ := strings.Cut(key, ":")
		m, _ := v.(map[string]any)
		list, _ := v.([]any)
		switch {
		case kind == "f" && m != nil:
			if _, there := m[rest]; !there {
				continue
			}
			if len(fields) > 0 {
				m[rest] = without(m[rest], fields)
			}
			if _, whole := fields["."]; len(fields) == 0 || whole && isEmpty(m[rest]) {
				delete(m, rest)
			}
		case kind == "k":
			v = withoutItem(list, rest, fields)
		case kind == "v":
			v = slices.DeleteFunc(slices.Clone(list), func(item any) bool { return holds([]any{item}, rest) })
		}
	}
	return v
}

func withoutItem(list []any, keys string, fields map[string]any) []any {
	i := indexOf(list, keys)
	if i < 0 {
		return list
	}
	if _, whole := fields["."]; whole {
		return slices.Delete(slices.Clone(list), i, i+1)
	}
	list[i] = without(list[i], fields)
	return list
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

// overlay returns a value with values by a set of fields, as valuesOf returns
// them, put over it.
func overlay(v, values any) any {
	set, ok := values.(map[string]any)
	if ok && len(set) == 0 && v != nil {
		return v
	}
	if !ok || !isSet(set) {
		return values
	}
	for _, key := range slices.Sorted(maps.Keys(set)) {
		kind, rest, _ := strings.Cut(key, ":")
		switch kind {
		case "f":
			m, _ := v.(map[string]any)
			if m == nil {
				m = map[string]any{}
			}
			m[rest] = overlay(m[rest], set[key])
			v = m
		case "k":
			v = overlayItem(v, rest, set[key])
		case "v":
			list, _ := v.([]any)
			var value any
			if set[key] == true && !holds(list, rest) && utiljson.Unmarshal([]byte(rest), &value) == nil {
				v = append(slices.Clone(list), value)
			}
		case "i":
			return set[key]
		}
	}
	return v
}

func overlayItem(v any, keys string, values any) any {
	list, _ := v.([]any)
	if i := indexOf(list, keys); i >= 0 {
		list[i] = overlay(list[i], values)
		return list
	}
	var item map[string]any
	if utiljson.Unmarshal([]byte(keys), &item) != nil {
		return v
	}
	return append(slices.Clone(list), overlay(item, values))
}

func indexOf(list []any, keys string) int {
	item, ok := itemWith(list, keys)
	if !ok {
		return -1
	}
	return slices.IndexFunc(list, func(other any) bool { return reflect.DeepEqual(other, item) })
}
