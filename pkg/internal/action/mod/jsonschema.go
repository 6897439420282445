// SPDX-License-Identifier: Apache-2.0

package mod

import (
	"encoding/json"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/encoding/jsonschema"
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

// object returns the schema of a struct. It is open when there may be more
// fields than these.
func object(fields []Field, open bool) map[string]any {
	properties := map[string]any{}
	var required []string
	for _, f := range fields {
		properties[f.Name] = property(f)
		if f.Required && f.Fields == nil {
			required = append(required, f.Name)
		}
	}
	schema := map[string]any{"type": "object", "properties": properties, "additionalProperties": open}
	if required != nil {
		schema["required"] = required
	}
	return schema
}

func property(f Field) map[string]any {
	var schema map[string]any
	if f.Fields != nil {
		schema = object(f.Fields, isOpen(f.value))
	} else {
		schema = leaf(f)
	}
	if f.Doc != "" {
		schema["description"] = strings.Join(strings.Fields(f.Doc), " ")
	}
	if f.initial != "" {
		var initial any
		if json.Unmarshal([]byte(f.initial), &initial) == nil { // CUE's strings and numbers are JSON's, mostly
			schema["default"] = initial
		}
	}
	return schema
}

// leaf returns the schema that CUE's generator makes of a field, or its types
// alone where that cannot say it. It comes from the text of the type, in which
// there are no references: they would become references in the schema, and lead
// nowhere in the document that this is to become a part of.
func leaf(f Field) map[string]any {
	text := "value: " + f.typ
	if strings.Contains(text, "strings.") {
		text = "import \"strings\"\n" + text
	}
	schema, err := generate(cuecontext.New().CompileString(text).LookupPath(cue.MakePath(cue.Str("value"))))
	if err != nil || schema["$ref"] != nil || schema["$defs"] != nil {
		schema = map[string]any{"type": jsonTypes(f.value.IncompleteKind())}
	}
	delete(schema, "$schema")
	delete(schema, "default")
	return schema
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

// isOpen says whether a struct has a pattern for further names. CUE tells of a
// pattern for all of them; others are found with a name that most allow.
func isOpen(v cue.Value) bool {
	return v.Allows(cue.AnyString) || v.Allows(cue.Str("example.com/name")) || v.Allows(cue.Str("name0"))
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
