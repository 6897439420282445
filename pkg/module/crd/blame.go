// SPDX-License-Identifier: Apache-2.0

package crd

import (
	"maps"
	"slices"
	"strconv"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/encoding/jsonschema"
)

// importSchema returns what CUE's importer makes of a schema.
func importSchema(schema map[string]any) (*ast.File, error) {
	return jsonschema.Extract(cuecontext.New().Encode(schema), &jsonschema.Config{
		SingleRoot: true, DefaultVersion: jsonschema.VersionKubernetesCRD,
	})
}

// blame returns the path of the keyword that the importer refuses: it does not
// say so itself. Of several it is the first.
func blame(path string, schema map[string]any) string {
	for _, child := range children(schema) {
		if !isImported(child.schema) {
			return blame(join(path, child.path), child.schema)
		}
	}
	for _, keyword := range slices.Sorted(maps.Keys(schema)) {
		rest := maps.Clone(schema)
		delete(rest, keyword)
		if isImported(rest) {
			return join(path, keyword)
		}
	}
	return path
}

// isImported says whether the importer takes a schema as that of a field.
func isImported(schema map[string]any) bool {
	_, err := importSchema(map[string]any{"type": "object", "properties": map[string]any{"field": schema}})
	return err == nil
}

// child is a schema in another one.
type child struct {
	path   string
	schema map[string]any
}

// children returns the schemas in a schema, by their paths.
func children(schema map[string]any) []child {
	var all []child
	add := func(path string, v any) {
		if s, ok := v.(map[string]any); ok {
			all = append(all, child{path, s})
		}
	}
	for _, keyword := range slices.Sorted(maps.Keys(schema)) {
		switch value := schema[keyword]; keyword {
		case "items", "additionalProperties", "not":
			add(keyword, value)
		case "allOf", "anyOf", "oneOf":
			list, _ := value.([]any)
			for i, v := range list {
				add(keyword+"["+strconv.Itoa(i)+"]", v)
			}
		case "properties":
			for _, name := range slices.Sorted(maps.Keys(fields(value))) {
				add(join(keyword, name), fields(value)[name])
			}
		}
	}
	return all
}
