// SPDX-License-Identifier: Apache-2.0

package mask

import (
	"fmt"
	"reflect"
	"strconv"
)

// In returns a value of JSON, such as an object, in which every text and number
// is what hide makes of it. The value itself stays as it is.
func In(v any, hide func(string) string) any {
	switch v := v.(type) {
	case string:
		return hide(v)
	case int, int64, uint64:
		return number(v, fmt.Sprint(v), hide)
	case float64:
		return number(v, strconv.FormatFloat(v, 'f', -1, 64), hide)
	case map[string]any:
		changed := make(map[string]any, len(v))
		for key, value := range v {
			changed[hide(key)] = In(value, hide)
		}
		return changed
	case []any:
		changed := make([]any, len(v))
		for i, value := range v {
			changed[i] = In(value, hide)
		}
		return changed
	}
	return v
}

func number(v any, text string, hide func(string) string) any {
	if hidden := hide(text); hidden != text {
		return hidden
	}
	return v
}

// Object returns an object in which every text and number is what hide makes of
// it, except what identifies it: that is shown everywhere.
func Object(o map[string]any, hide func(string) string) map[string]any {
	return identified(In(o, hide).(map[string]any), o)
}

// FormerObject returns the state before an object, as Former does, and with what
// identifies it.
func FormerObject(before, after map[string]any, hide func(string) string) map[string]any {
	return identified(Former(before, after, hide).(map[string]any), before)
}

// identified puts into a copy of an object what identifies it.
func identified(changed, o map[string]any) map[string]any {
	keep(changed, o, "apiVersion", "kind")
	metadata, _ := changed["metadata"].(map[string]any)
	own, _ := o["metadata"].(map[string]any)
	if metadata != nil {
		keep(metadata, own, "name", "namespace")
	}
	return changed
}

func keep(changed, o map[string]any, fields ...string) {
	for _, field := range fields {
		if value, ok := o[field]; ok {
			changed[field] = value
		}
	}
}

// Former returns the state of a value before it became what it is. Where hide
// changes what it is, all that was there is hidden: it may be an older secret.
func Former(before, after any, hide func(string) string) any {
	switch after := after.(type) {
	case map[string]any:
		old, isMap := before.(map[string]any)
		if !isMap {
			break
		}
		changed := make(map[string]any, len(old))
		for key, value := range old {
			changed[hide(key)] = Former(value, after[key], hide)
		}
		return changed
	case []any:
		old, isList := before.([]any)
		if !isList {
			break
		}
		changed := make([]any, len(old))
		for i, value := range old {
			var next any
			if i < len(after) {
				next = after[i]
			}
			changed[i] = Former(value, next, hide)
		}
		return changed
	case nil:
	default:
		if before != nil && !reflect.DeepEqual(before, after) && !reflect.DeepEqual(In(after, hide), after) {
			return Hidden + " (before)"
		}
	}
	return In(before, hide)
}
