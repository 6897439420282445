// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
)

// fingerprint returns a hash over all that decides whether an object is as
// wanted: the object as it is sent, which live object it is, which of its
// fields are ours, and their live values. As long as it stays, another apply
// would change nothing, and the server need not be asked.
//
// Comparing what is wanted with what is live instead would not do: the server
// rewrites quantities, fills in list keys, drops empty values and turns
// stringData into data. The fingerprint is taken of what the server answered
// to an apply, and compared with what it says later.
func (m fieldManager) fingerprint(desired, live api.Object) string {
	fields := m.ownedFields(live)
	if fields == nil || m.foreignEntry(live) != "" {
		return "" // never equal to another: ask the server
	}
	text, err := json.Marshal([]any{kube.UID(live), desired, fields, m.ownedValues(live)})
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// ownedValues returns the values of our fields of a live object, nil when we
// have none. The server keeps what is sent as the stringData of a Secret in its
// data, and the fields of the former as ours.
func (m fieldManager) ownedValues(live api.Object) any {
	fields, _ := m.ownedFields(live).(map[string]any)
	if fields == nil {
		return nil
	}
	if text, ok := fields["f:stringData"].(map[string]any); ok && isSecret(live) {
		fields = maps.Clone(fields)
		data, _ := fields["f:data"].(map[string]any)
		data = maps.Clone(data)
		if data == nil {
			data = map[string]any{}
		}
		maps.Copy(data, text)
		fields["f:data"] = data
	}
	return valuesOf(live, fields)
}

// valuesOf returns the values of the fields that a set names, in the form of
// metadata.managedFields: "f:name" is a field of a map, "k:{…}" the item of a
// list with these keys, "v:…" a value in a set, "i:…" the item at an index, and
// "." the map or the list itself.
func valuesOf(live, set any) any {
	fields, _ := set.(map[string]any)
	if len(fields) == 0 {
		return live // a leaf: the whole value is ours
	}
	values := map[string]any{}
	for key, sub := range fields {
		kind, rest, _ := strings.Cut(key, ":")
		switch kind {
		case "f":
			m, _ := live.(map[string]any)
			if o, isObject := live.(api.Object); isObject {
				m = o
			}
			if v, ok := m[rest]; ok {
				values[key] = valuesOf(v, sub)
			}
		case "k":
			if item, ok := itemWith(live, rest); ok {
				values[key] = valuesOf(item, sub)
			}
		case "v":
			values[key] = holds(live, rest)
		case "i":
			values[key] = live // by index, any change of the list may matter
		}
	}
	return values
}

// itemWith returns the item of a list whose fields have the values of a JSON
// object.
func itemWith(list any, keys string) (any, bool) {
	var want map[string]any
	if json.Unmarshal([]byte(keys), &want) != nil {
		return nil, false
	}
	items, _ := list.([]any)
	for _, item := range items {
		fields, _ := item.(map[string]any)
		if fields != nil && matches(fields, want) {
			return item, true
		}
	}
	return nil, false
}

func matches(fields, want map[string]any) bool {
	for k, v := range want {
		if !sameJSON(fields[k], v) {
			return false
		}
	}
	return true
}

// holds says whether a list has an item equal to a JSON value.
func holds(list any, text string) bool {
	var want any
	if json.Unmarshal([]byte(text), &want) != nil {
		return false
	}
	items, _ := list.([]any)
	return slices.ContainsFunc(items, func(item any) bool { return sameJSON(item, want) })
}

// sameJSON compares scalars of which one was decoded as int64 and the other as
// float64.
func sameJSON(a, b any) bool {
	ja, erra := json.Marshal(a)
	jb, errb := json.Marshal(b)
	return erra == nil && errb == nil && bytes.Equal(ja, jb)
}

func isSecret(o api.Object) bool { return o.Group() == "" && o.Kind() == "Secret" }
