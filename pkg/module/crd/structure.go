// SPDX-License-Identifier: Apache-2.0

package crd

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// Complete returns a copy of an object as the API server has it before it
// validates: defaults are filled in, fields that the schema does not know
// dropped.
func (v Version) Complete(object api.Object) api.Object {
	return new(checker).complete(v, object)
}

// complete does so and reports what is dropped.
func (c *checker) complete(v Version, object api.Object) api.Object {
	object = object.DeepCopy()
	if v.hasStatus {
		delete(object, "status") // only the subresource writes it
	}
	s := maps.Clone(v.schema)
	s["x-kubernetes-embedded-resource"] = true
	c.walk("", s, map[string]any(object), false)
	return object
}

// walk goes through a value. preserve says that a schema further up keeps
// unknown fields in the items of a list.
func (c *checker) walk(path string, s map[string]any, v any, preserve bool) {
	s = c.resolve(s)
	preserve = preserve || s["x-kubernetes-preserve-unknown-fields"] == true
	switch v := v.(type) {
	case map[string]any:
		c.walkObject(path, s, v, preserve)
	case []any:
		items, has := s["items"].(map[string]any)
		if !has && preserve {
			return
		}
		for i, item := range v {
			c.walk(fmt.Sprintf("%s[%d]", path, i), items, item, preserve)
		}
		c.checkList(path, s, v)
	}
}

func (c *checker) walkObject(path string, s, object map[string]any, preserve bool) {
	isEmbedded := s["x-kubernetes-embedded-resource"] == true
	if isEmbedded {
		c.checkEmbedded(path, object)
	}
	properties := fields(s["properties"])
	for name, p := range properties {
		fillDefault(object, name, fields(p))
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if isEmbedded && (name == "apiVersion" || name == "kind" || name == "metadata") {
			continue
		}
		p, known := properties[name]
		if !known {
			p, known = s["additionalProperties"]
		}
		switch {
		case known && p != false:
			c.walk(join(path, name), fields(p), object[name], false)
		case !preserve:
			c.add(join(path, name), "%s", c.unknown(name, properties))
			delete(object, name) // to be reported once
		}
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// fillDefault does so where the field is missing, or null where it must not be.
func fillDefault(object map[string]any, name string, schema map[string]any) {
	value, has := schema["default"]
	if !has {
		return
	}
	if old, exists := object[name]; !exists || old == nil && schema["nullable"] != true {
		object[name] = map[string]any(api.Object{name: value}.DeepCopy())[name]
	}
}

// checkEmbedded wants what each object must have. The root was checked before.
func (c *checker) checkEmbedded(path string, object map[string]any) {
	for _, name := range []string{"apiVersion", "kind"} {
		if text(object[name]) == "" && path != "" {
			c.add(join(path, name), "is required: the field holds an object")
		}
	}
}

// checkList reports items that must not be there twice.
func (c *checker) checkList(path string, s map[string]any, list []any) {
	listType := text(s["x-kubernetes-list-type"])
	if listType != "set" && listType != "map" {
		return
	}
	keys, _ := s["x-kubernetes-list-map-keys"].([]any)
	first := map[string]int{}
	for i, item := range list {
		key := item
		if item == nil && listType == "map" && c.openAPI != nil {
			c.add(fmt.Sprintf("%s[%d]", path, i), "must be of type object: \"null\"")
			continue
		}
		if listType == "map" {
			picked := pick(item, keys)
			c.checkKeys(fmt.Sprintf("%s[%d]", path, i), s, picked)
			key = picked
		}
		data, err := json.Marshal(key)
		if err != nil {
			continue // a value that is no JSON is not of any type either
		}
		if j, seen := first[string(data)]; seen {
			c.add(fmt.Sprintf("%s[%d]", path, i), "repeats item [%d]: %s", j, data)
			continue
		}
		first[string(data)] = i
	}
}

// checkKeys reports an item of a kind of Kubernetes without any of its keys,
// where these are not required fields, as those of custom resources are.
func (c *checker) checkKeys(path string, list map[string]any, picked map[string]any) {
	items := c.resolve(fields(list["items"]))
	required, _ := items["required"].([]any)
	keys, _ := list["x-kubernetes-list-map-keys"].([]any)
	if c.openAPI == nil || len(picked) > 0 || len(keys) == 0 || slices.Contains(required, keys[0]) {
		return
	}
	if first := text(keys[0]); fields(fields(items["properties"])[first])[emptyDefault] != true {
		c.add(join(path, first), "is required")
	}
}

func pick(item any, keys []any) map[string]any {
	picked := map[string]any{}
	for _, key := range keys {
		if v, has := fields(item)[text(key)]; has {
			picked[text(key)] = v
		}
	}
	return picked
}

// unknown says that there is no such field, and which one may be meant.
func (c *checker) unknown(name string, properties map[string]any) string {
	message := "the CRD has no such field, and the API server drops it"
	if c.openAPI != nil {
		message = "unknown field"
	}
	if best, found := fail.Nearest(name, slices.Sorted(maps.Keys(properties))); found {
		message += fmt.Sprintf("; did you mean %q?", best)
	}
	return message
}
