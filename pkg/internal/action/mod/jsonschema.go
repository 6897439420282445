// SPDX-License-Identifier: Apache-2.0

package mod

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/encoding/jsonschema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
)

// JSONSchema returns the schema as JSON Schema for files of values in YAML and
// JSON, which editors complete and check with it.
func (c *Config) JSONSchema() ([]byte, error) {
	root := object(c.Fields, false)
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "Values of " + c.ModulePath
	out, err := json.MarshalIndent(root, "", "  ")
	return append(out, '\n'), err
}

// object returns the schema of a struct, additional that of the fields that it
// does not name: false where there are none.
func object(fields []Field, additional any) map[string]any {
	properties := map[string]any{}
	var required []string
	for _, f := range fields {
		properties[f.Name] = property(f)
		if f.Required && f.Fields == nil {
			required = append(required, f.Name)
		}
	}
	schema := map[string]any{"type": "object", "properties": properties, "additionalProperties": additional}
	if required != nil {
		schema["required"] = required
	}
	return schema
}

func property(f Field) map[string]any {
	var schema map[string]any
	switch {
	case f.Fields != nil:
		schema = object(f.Fields, additional(f.value))
	case f.elements != nil:
		schema = map[string]any{"type": "object", "additionalProperties": object(f.elements, false)}
	default:
		schema = withItems(f, withNull(f, leaf(f.typ, f.value.IncompleteKind())))
		if render.IsQuantity(f.value) {
			schema["type"] = []string{"string", "number"}
		}
	}
	if f.Doc != "" {
		schema["description"] = strings.Join(strings.Fields(f.Doc), " ")
	}
	if f.initial != "" {
		var initial any
		if json.Unmarshal(f.initialJSON(), &initial) == nil {
			schema["default"] = initial
		}
	}
	return schema
}

// withItems returns the schema of a list with the defaults of its structs, and
// without fields that they do not have, if each of their fields is a scalar that
// may be set.
func withItems(f Field, schema map[string]any) map[string]any {
	items, _ := schema["items"].(map[string]any)
	properties, _ := items["properties"].(map[string]any)
	element := f.value.LookupPath(cue.MakePath(cue.AnyIndex))
	if len(properties) == 0 || !element.Exists() {
		return schema
	}
	all := 0
	for it, err := element.Fields(cue.Optional(true)); err == nil && it.Next(); {
		if it.Value().IncompleteKind()&(cue.StructKind|cue.ListKind) != 0 {
			return schema // it may hold itself
		}
		all++
	}
	if fields := fieldsOf(element, element, cue.Value{}); len(fields) == all {
		schema["items"] = object(fields, additional(element))
	}
	return schema
}

// withNull returns the schema of a field that may hold null. In a file null
// unsets a field: a required one may not be null, and one with the default null
// may.
func withNull(f Field, schema map[string]any) map[string]any {
	null := map[string]any{"type": "null"}
	parts, ok := schema["anyOf"].([]any)
	switch {
	case f.initial == "null" && f.value.IncompleteKind() != cue.NullKind && !ok:
		return map[string]any{"anyOf": []any{null, schema}}
	case !f.Required || !ok || f.value.IncompleteKind() == cue.NullKind:
		return schema
	}
	others := slices.DeleteFunc(parts, func(part any) bool { return reflect.DeepEqual(part, null) })
	if len(others) == 1 && len(schema) == 1 {
		return others[0].(map[string]any) //nolint:forcetypeassert // schemas are objects
	}
	schema["anyOf"] = others
	return schema
}

// leaf returns the schema that CUE's generator makes of a field, or its types
// alone where that cannot say it. It comes from the text of the type, in which
// there are no references: they would become references in the schema, and lead
// nowhere in the document that this is to become a part of.
func leaf(typ string, kind cue.Kind) map[string]any {
	text := "value: " + typ
	if strings.Contains(text, "strings.") {
		text = "import \"strings\"\n" + text
	}
	schema, err := generate(cuecontext.New().CompileString(text).LookupPath(cue.MakePath(cue.Str("value"))))
	if err != nil || schema["$ref"] != nil || schema["$defs"] != nil {
		schema = map[string]any{}
		if types := jsonTypes(kind); len(types) > 0 { // none for a struct within itself
			schema["type"] = types
		}
	}
	delete(schema, "$schema")
	delete(schema, "default")
	return withoutNumber(schema)
}

// withoutNumber leaves out that an integer is a number, too.
func withoutNumber(schema map[string]any) map[string]any {
	parts, ok := schema["allOf"].([]any)
	if !ok || len(schema) != 1 || !slices.ContainsFunc(parts, func(part any) bool { return typeOf(part) == "integer" }) {
		return schema
	}
	merged := map[string]any{}
	for _, part := range parts {
		for key, value := range part.(map[string]any) { //nolint:forcetypeassert // schemas are objects
			if _, taken := merged[key]; taken && key != "type" {
				return schema
			}
			if key != "type" || value != "number" {
				merged[key] = value
			}
		}
	}
	return merged
}

func typeOf(schema any) any {
	m, _ := schema.(map[string]any)
	return m["type"]
}

func generate(v cue.Value) (schema map[string]any, err error) {
	if err = v.Err(); err != nil {
		return nil, err
	}
	expr, err := jsonschema.Generate(v, nil)
	if err != nil {
		return nil, err
	}
	data, err := cuecontext.New().BuildExpr(expr).MarshalJSON()
	if err != nil {
		return nil, err
	}
	err = json.Unmarshal(data, &schema)
	return schema, err
}

// additional returns the schema of the fields that a struct may have without
// naming them.
func additional(v cue.Value) any {
	if element, ok := element(v); ok && !hasFields(element) {
		return leaf(typeText(element), element.IncompleteKind())
	}
	return slices.ContainsFunc(anyNames(), v.Allows)
}

func jsonTypes(kind cue.Kind) []string {
	types := []string{}
	for _, t := range []struct {
		kind cue.Kind
		name string
	}{
		{cue.NullKind, "null"}, {cue.BoolKind, "boolean"}, {cue.FloatKind, "number"}, {cue.IntKind, "integer"},
		{cue.StringKind, "string"}, {cue.ListKind, "array"}, {cue.StructKind, "object"},
	} {
		if kind&t.kind != 0 {
			types = append(types, t.name)
		}
	}
	return types
}
