// SPDX-License-Identifier: Apache-2.0

package crd

import (
	"maps"
	"math"
	"slices"
	"strings"
)

// prepare returns a copy of the schema of a whole object as the importer of
// CUE is to see it: without what is not for a module to set, and with what
// CUE cannot express, which is rules in CEL, in the descriptions.
func prepare(schema map[string]any) map[string]any {
	root := prepareSchema(schema)
	properties := fields(root["properties"])
	for _, name := range []string{"apiVersion", "kind", "metadata", "status"} {
		delete(properties, name)
		removeRequired(root, name)
	}
	delete(root, "description")
	// The importer would demand the fields that are set here.
	delete(root, "x-kubernetes-embedded-resource")
	return root
}

// prepareSchema returns a changed copy of a schema.
func prepareSchema(schema map[string]any) map[string]any {
	s := maps.Clone(schema)
	mapSchemas(s, prepareSchema)
	if s["x-kubernetes-int-or-string"] == true {
		dropIntOrString(s)
	}
	if s["x-kubernetes-embedded-resource"] == true {
		prepareEmbedded(s)
	}
	// The server fills in defaults before it asks for required fields.
	for name, property := range fields(s["properties"]) {
		if _, has := fields(property)["default"]; has {
			removeRequired(s, name)
		}
	}
	for _, keyword := range []string{"title", "example", "externalDocs"} {
		delete(s, keyword)
	}
	if rules := celRules(s); rules != "" {
		s["description"] = strings.TrimSpace(strings.TrimSpace(text(s["description"])) + "\n\n" + rules)
	}
	delete(s, "x-kubernetes-validations")
	dropLarge(s)
	return s
}

// What is larger is left to the schema that is kept next to the definitions:
// CUE writes an element for each item of minItems, and the importer compares
// each value of an enum with all others.
const (
	maxMinItems = 16
	maxEnum     = 1000
)

func dropLarge(s map[string]any) {
	if n, isNumber := plain(s["minItems"]).(float64); isNumber && n > maxMinItems && n == math.Trunc(n) {
		delete(s, "minItems")
	}
	if values, _ := s["enum"].([]any); len(values) > maxEnum {
		delete(s, "enum")
	}
}

// mapSchemas replaces the schemas right below a copy of a schema.
func mapSchemas(s map[string]any, f func(map[string]any) map[string]any) {
	for _, keyword := range []string{"items", "additionalProperties", "not"} {
		if child, ok := s[keyword].(map[string]any); ok {
			s[keyword] = f(child)
		}
	}
	for _, keyword := range []string{"allOf", "anyOf", "oneOf"} {
		list, ok := s[keyword].([]any)
		if !ok {
			continue
		}
		list = slices.Clone(list)
		for i, child := range list {
			if schema, ok := child.(map[string]any); ok {
				list[i] = f(schema)
			}
		}
		s[keyword] = list
	}
	if properties, ok := s["properties"].(map[string]any); ok {
		properties = maps.Clone(properties)
		for name, child := range properties {
			if schema, ok := child.(map[string]any); ok {
				properties[name] = f(schema)
			}
		}
		s["properties"] = properties
	}
}

// dropIntOrString removes the choice between integer and string that stands
// next to x-kubernetes-int-or-string and says the same.
func dropIntOrString(s map[string]any) {
	if isIntOrString(s["anyOf"]) {
		delete(s, "anyOf")
	}
	all, _ := s["allOf"].([]any)
	all = slices.DeleteFunc(slices.Clone(all), func(v any) bool {
		schema := fields(v)
		return len(schema) == 1 && isIntOrString(schema["anyOf"])
	})
	if len(all) == 0 {
		delete(s, "allOf")
		return
	}
	s["allOf"] = all
}

func isIntOrString(v any) bool {
	list, _ := v.([]any)
	if len(list) != 2 {
		return false
	}
	a, b := fields(list[0]), fields(list[1])
	return len(a) == 1 && len(b) == 1 && a["type"] == "integer" && b["type"] == "string"
}

// prepareEmbedded leaves the fields that every object has to the importer.
func prepareEmbedded(s map[string]any) {
	properties := fields(s["properties"])
	delete(properties, "apiVersion")
	delete(properties, "kind")
	metadata := fields(properties["metadata"])
	if len(fields(metadata["properties"])) == 0 {
		delete(properties, "metadata")
		return
	}
	// Its rules count in addition to those of any metadata, of which a schema shows nothing.
	metadata["x-kubernetes-preserve-unknown-fields"] = true
}

// removeRequired takes a name from the required ones.
func removeRequired(s map[string]any, name string) {
	required, ok := s["required"].([]any)
	if !ok {
		return
	}
	required = slices.DeleteFunc(slices.Clone(required), func(v any) bool { return v == name })
	if len(required) == 0 {
		delete(s, "required")
		return
	}
	s["required"] = required
}

// celRules returns the rules of a schema as text.
func celRules(s map[string]any) string {
	rules, _ := s["x-kubernetes-validations"].([]any)
	var lines []string
	for _, r := range rules {
		rule := fields(r)
		line := "Validated by the API server: " + strings.Join(strings.Fields(text(rule["rule"])), " ")
		if message := strings.Join(strings.Fields(text(rule["message"])), " "); message != "" {
			line += " (" + message + ")"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
