// SPDX-License-Identifier: Apache-2.0

package krm

import (
	"encoding/json"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// kinds returns the kinds of the API, each with the struct that decode fills.
func kinds() map[string]reflect.Type {
	return map[string]reflect.Type{
		kindInstance: reflect.TypeFor[instanceConfig](),
		kindBundle:   reflect.TypeFor[bundleConfig](),
		KindVet:      reflect.TypeFor[vetConfig](),
	}
}

// PluginPaths returns where kustomize looks for each kind as a plugin of the
// old style, below its plugin home.
func PluginPaths() []string {
	var paths []string
	for kind := range kinds() {
		paths = append(paths, path.Join(APIVersion, strings.ToLower(kind), kind))
	}
	slices.Sort(paths)
	return paths
}

// Schema returns the OpenAPI document of the kinds. At the same time it is a
// JSON schema of one function config, which editors take. kustomize takes it as
// openapi.path in place of its own, and so not together with other objects.
func Schema() ([]byte, error) {
	group, version, _ := strings.Cut(APIVersion, "/")
	definitions := map[string]any{}
	var all []any
	known := kinds()
	for _, kind := range slices.Sorted(maps.Keys(known)) {
		s := schemaOf(known[kind])
		properties := s["properties"].(map[string]any)
		properties["apiVersion"] = map[string]any{"type": "string", "enum": []string{APIVersion}}
		properties["kind"] = map[string]any{"type": "string", "enum": []string{kind}}
		s["x-kubernetes-group-version-kind"] = []any{
			map[string]any{"group": group, "version": version, "kind": kind},
		}
		name := "sh.timoni.krm." + version + "." + kind
		definitions[name] = s
		all = append(all, map[string]any{"$ref": "#/definitions/" + name})
	}
	return json.MarshalIndent(map[string]any{
		"swagger":     "2.0",
		"info":        map[string]any{"title": group, "version": version},
		"paths":       map[string]any{},
		"definitions": definitions,
		"oneOf":       all,
	}, "", "  ")
}

// schemaOf describes what decode accepts for a type: the same fields and no
// others. The tag doc says what a field means, the tag schema what more is
// known of it: "required", "map", or the values that it may have.
func schemaOf(t reflect.Type) map[string]any {
	switch {
	case t == reflect.TypeFor[*yaml.Node]():
		return map[string]any{}
	case t.Kind() == reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem())}
	case t.Kind() == reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(t.Elem())}
	case t.Kind() == reflect.Bool:
		return map[string]any{"type": "boolean"}
	case t.Kind() == reflect.String:
		return map[string]any{"type": "string"}
	}
	properties := map[string]any{}
	var required []string
	for field := range t.Fields() {
		name := field.Tag.Get("json")
		s := schemaOf(field.Type)
		if doc := field.Tag.Get("doc"); doc != "" {
			s["description"] = doc
		}
		switch more := field.Tag.Get("schema"); more {
		case "":
		case "required":
			required = append(required, name)
		case "map":
			s["type"] = "object"
		default:
			s["enum"] = strings.Split(more, "|")
		}
		properties[name] = s
	}
	s := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}
