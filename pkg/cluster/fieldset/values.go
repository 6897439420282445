// SPDX-License-Identifier: Apache-2.0

package fieldset

import (
	"encoding/json"
	"maps"
	"slices"

	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// Values holds the values of the fields of a set. Its keys are the elements of
// paths as managedFields writes them: "f:name" is a field of a map, "k:{…}" the
// item of a list with these keys, "v:…" a value in a set, with true or false
// for whether it is there, "i:…" the item at an index, with the whole list.
type Values map[string]any

// DecodeValues reads values from JSON. What is no such text holds none.
func DecodeValues(text json.RawMessage) Values {
	values := Values{}
	if utiljson.Unmarshal(text, (*map[string]any)(&values)) != nil || values == nil {
		return Values{}
	}
	return values
}

// valuesIn returns the values of the fields of a set.
func valuesIn(o api.Object, set *fieldpath.Set) Values {
	values, _ := valuesOf(map[string]any(o), set).(map[string]any)
	return values
}

func valuesOf(v any, set *fieldpath.Set) any {
	if set.Empty() {
		return v // a leaf: the whole value is ours
	}
	values := map[string]any{}
	for pe, below := range top(set) {
		key, err := fieldpath.SerializePathElement(pe)
		if err != nil {
			continue
		}
		at, found := lookup(v, pe)
		switch {
		case pe.Value != nil:
			values[key] = found
		case pe.Index != nil:
			values[key] = v // by index, any change of the list may matter
		case found:
			values[key] = valuesOf(at, below)
		}
	}
	return values
}

// lookup returns what an element of a path names in a value.
func lookup(v any, pe fieldpath.PathElement) (any, bool) {
	if pe.FieldName != nil {
		m, _ := v.(map[string]any)
		at, found := m[*pe.FieldName]
		return at, found
	}
	list, _ := v.([]any)
	if i := indexOf(list, pe); i >= 0 {
		return list[i], true
	}
	return nil, false
}

// indexOf returns the index of the item that an element of a path names, -1
// when there is none.
func indexOf(list []any, pe fieldpath.PathElement) int {
	return slices.IndexFunc(list, func(item any) bool {
		if pe.Value != nil {
			return value.Equals(value.NewValueInterface(item), *pe.Value)
		}
		fields, _ := item.(map[string]any)
		return fields != nil && pe.Key != nil && !slices.ContainsFunc(*pe.Key, func(key value.Field) bool {
			return !value.Equals(value.NewValueInterface(fields[key.Name]), key.Value)
		})
	})
}

// Without returns an object without the fields of a set.
func Without(o api.Object, set *fieldpath.Set) api.Object {
	rest, _ := without(map[string]any(o.DeepCopy()), set).(map[string]any)
	return rest
}

func without(v any, set *fieldpath.Set) any {
	for pe, below := range top(set) {
		whole := set.Members.Has(pe)
		switch container := v.(type) {
		case map[string]any:
			withoutField(container, pe, below, whole)
		case []any:
			v = withoutItem(container, pe, below, whole)
		}
	}
	return v
}

func withoutField(m map[string]any, pe fieldpath.PathElement, below *fieldpath.Set, whole bool) {
	at, found := lookup(m, pe)
	if !found {
		return
	}
	m[*pe.FieldName] = without(at, below)
	if whole && (below.Empty() || isEmpty(m[*pe.FieldName])) {
		delete(m, *pe.FieldName)
	}
}

func withoutItem(list []any, pe fieldpath.PathElement, below *fieldpath.Set, whole bool) []any {
	i := indexOf(list, pe)
	if i < 0 {
		return list
	}
	list = slices.Clone(list)
	if whole {
		return slices.Delete(list, i, i+1)
	}
	list[i] = without(list[i], below)
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

// Over returns an object with values put over it.
func (values Values) Over(o api.Object) api.Object {
	result, _ := overlay(map[string]any(o.DeepCopy()), map[string]any(values)).(map[string]any)
	return result
}

func overlay(v, values any) any {
	fields, ok := values.(map[string]any)
	if ok && len(fields) == 0 && v != nil {
		return v
	}
	elements, ok := elementsOf(fields)
	if !ok {
		return values // a leaf
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if pe := elements[key]; pe.Index != nil {
			return fields[key]
		} else if pe.FieldName != nil {
			v = overlayField(v, *pe.FieldName, fields[key])
		} else {
			v = overlayItem(v, pe, fields[key])
		}
	}
	return v
}

func overlayField(v any, name string, values any) any {
	m, _ := v.(map[string]any)
	if m == nil {
		m = map[string]any{}
	}
	m[name] = overlay(m[name], values)
	return m
}

func overlayItem(v any, pe fieldpath.PathElement, values any) any {
	list, _ := v.([]any)
	list = slices.Clone(list)
	i := indexOf(list, pe)
	switch {
	case pe.Value != nil && (i >= 0 || values != true):
	case pe.Value != nil:
		list = append(list, plain(*pe.Value))
	case i >= 0:
		list[i] = overlay(list[i], values)
	default:
		item := map[string]any{}
		for _, key := range *pe.Key {
			item[key.Name] = plain(key.Value)
		}
		list = append(list, overlay(item, values))
	}
	return list
}

// plain returns a value of a path as objects hold it: whole numbers as int64.
func plain(v value.Value) any {
	text, err := value.ToJSON(v)
	var decoded any
	if err != nil || utiljson.Unmarshal(text, &decoded) != nil {
		return v.Unstructured()
	}
	return decoded
}

// elementsOf returns the keys of values as elements of paths; false when they
// are none, so that the map is a value itself.
func elementsOf(values map[string]any) (map[string]fieldpath.PathElement, bool) {
	elements := make(map[string]fieldpath.PathElement, len(values))
	for key := range values {
		pe, err := fieldpath.DeserializePathElement(key)
		if err != nil {
			return nil, false
		}
		elements[key] = pe
	}
	return elements, len(elements) > 0
}

// fields returns the set of the fields of which there are values.
func (values Values) fields() *fieldpath.Set {
	set := fieldpath.NewSet()
	elements, _ := elementsOf(values)
	for key, pe := range elements {
		below, _ := values[key].(map[string]any)
		if fields := Values(below).fields(); !fields.Empty() {
			set = set.Union(under(pe, fields))
			continue
		}
		set.Insert(fieldpath.Path{pe})
	}
	return set
}

// Expected returns the values that a live object is to have: those of the last
// apply without what has been left to an autoscaler or to a controller since.
func (m Manager) Expected(values Values, live api.Object) Values {
	if m.ReplicasOwner(live) != "" {
		values.leave(fieldpath.NewSet(replicas()), true)
	}
	if c, ok := contractOf(live); ok {
		values.leave(c.fields(live), c.always)
	}
	return values
}

// leave removes the values of the fields of a set: where they are empty, or
// always.
func (values Values) leave(set *fieldpath.Set, always bool) {
	for pe, below := range top(set) {
		key, err := fieldpath.SerializePathElement(pe)
		if err != nil {
			continue
		}
		if fields, isMap := values[key].(map[string]any); isMap && !below.Empty() {
			Values(fields).leave(below, always)
		} else if below.Empty() && (always || isBlank(values[key])) {
			delete(values, key)
		}
	}
}
