// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd"
)

// thing returns an object of the kind that definition defines.
func thing(t *testing.T, spec string) api.Object {
	t.Helper()
	var object api.Object
	err := utilyaml.Unmarshal([]byte("apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: x, namespace: ns, other: y}\nspec: "+spec), (*map[string]any)(&object))
	if err != nil {
		t.Fatal(err)
	}
	return object
}

func validator(t *testing.T, schema string) *crd.Validator {
	t.Helper()
	definitions, err := crd.Parse([]byte(definition(schema)))
	if err != nil {
		t.Fatal(err)
	}
	return crd.NewValidator(definitions)
}

func TestValidate(t *testing.T) {
	t.Parallel()
	const dropped = "the CRD has no such field, and the API server drops it"
	for name, tc := range map[string]struct {
		schema, spec string
		want         string // path: message, a line for each problem
	}{
		"valid":                    {"{type: object, properties: {a: {type: string}}}", `{a: x}`, ""},
		"type":                     {"{type: object, properties: {a: {type: string}, b: {type: integer}}}", `{a: 1, b: x}`, "spec.a: must be of type string: \"integer\"\nspec.b: must be of type integer: \"string\""},
		"required":                 {"{type: object, required: [a], properties: {a: {type: string}}}", `{}`, "spec.a: is required"},
		"required, with a default": {"{type: object, required: [a], properties: {a: {type: string, default: x}}}", `{}`, ""},
		"null, with a default":     {"{type: object, properties: {a: {type: string, default: x}}}", `{a: null}`, ""},
		"null":                     {"{type: object, properties: {a: {type: string}}}", `{a: null}`, "spec.a: must be of type string: \"null\""},
		"nullable":                 {"{type: object, properties: {a: {type: string, nullable: true}}}", `{a: null}`, ""},
		"unknown field":            {"{type: object, properties: {color: {type: string}}}", `{colour: x}`, "spec.colour: " + dropped + `; did you mean "color"?`},
		"unknown in an item":       {"{type: object, properties: {a: {type: array, items: {type: object}}}}", `{a: [{b: 1}]}`, "spec.a[0].b: " + dropped},
		"unknown in a map":         {"{type: object, additionalProperties: {type: object}}", `{a: {b: 1}}`, "spec.a.b: " + dropped},
		"preserved":                {"{type: object, x-kubernetes-preserve-unknown-fields: true, properties: {a: {type: object}}}", `{b: {c: [{d: 1}]}, a: {e: 1}}`, "spec.a.e: " + dropped},
		"preserved in a list":      {"{type: object, properties: {a: {x-kubernetes-preserve-unknown-fields: true}}}", `{a: [{b: 1}]}`, ""},
		"additional properties":    {"{type: object, additionalProperties: true}", `{a: 1}`, ""},
		"minimum":                  {"{type: object, properties: {a: {type: integer, minimum: 1}}}", `{a: 0}`, "spec.a: must be greater than or equal to 1"},
		"a whole number":           {"{type: object, properties: {a: {type: integer}, b: {type: number}}}", `{a: 1.0, b: 1}`, ""},
		"enum":                     {"{type: object, properties: {a: {type: string, enum: [x, z]}}}", `{a: q}`, `spec.a: unsupported value "q": expected x, z`},
		"enum of numbers":          {"{type: object, properties: {a: {type: integer, enum: [1, 2]}}}", `{a: 2}`, ""},
		"pattern":                  {"{type: object, properties: {a: {type: string, pattern: ^x$}}}", `{a: z}`, "spec.a: must match '^x$'"},
		"length":                   {"{type: object, properties: {a: {type: string, maxLength: 1}}}", `{a: zz}`, "spec.a: must be at most 1 chars long"},
		"format":                   {"{type: object, properties: {a: {type: string, format: date-time}, b: {type: string, format: no-format}}}", `{a: today, b: x}`, "spec.a: must be of type date-time: \"today\""},
		"int or string":            {"{type: object, properties: {a: {x-kubernetes-int-or-string: true}, b: {x-kubernetes-int-or-string: true}, c: {x-kubernetes-int-or-string: true}}}", `{a: 1, b: x, c: true}`, "spec.c: must be of type integer,string: \"boolean\""},
		"set":                      {"{type: object, properties: {a: {type: array, x-kubernetes-list-type: set, items: {type: string}}}}", `{a: [x, z, x]}`, "spec.a[2]: repeats item [0]: \"x\""},
		"map":                      {"{type: object, properties: {a: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k, p], items: {type: object, properties: {k: {type: string}, p: {type: string, default: TCP}, v: {type: string}}}}}}", `{a: [{k: x, v: a}, {k: x, p: UDP}, {k: x, p: TCP, v: b}]}`, `spec.a[2]: repeats item [0]: {"k":"x","p":"TCP"}`},
		"embedded":                 {"{type: object, properties: {a: {type: object, x-kubernetes-embedded-resource: true, properties: {spec: {type: object}}}}}", `{a: {kind: X, metadata: {name: x}, data: 1}}`, "spec.a.apiVersion: is required: the field holds an object\nspec.a.data: " + dropped},
		"one of":                   {"{type: object, properties: {a: {type: string}, b: {type: string}}, oneOf: [{required: [a]}, {required: [b]}]}", `{a: x, b: z}`, `spec: must validate one and only one schema (oneOf). Found 2 valid alternatives`},
		"bad pattern":              {"{type: object, properties: {a: {type: string, pattern: '('}}}", `{a: z}`, "spec.a: must match '(', but that is no pattern: error parsing regexp: missing closing ): `(`"},
		"bad schema":               {"{type: object, properties: {a: {type: string, maxLength: x}}}", `{a: z}`, ": the schema cannot be used: properties.properties.maxLength must not be a string"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			object := thing(t, tc.spec)
			before := object.DeepCopy()
			var lines []string
			for _, p := range validator(t, tc.schema).Validate(object) {
				lines = append(lines, p.Path+": "+p.Message)
			}
			if diff := cmp.Diff(tc.want, strings.Join(lines, "\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, object); diff != "" {
				t.Errorf("the object was changed:\n%s", diff)
			}
		})
	}
}

func TestValidateObject(t *testing.T) {
	t.Parallel()
	v := validator(t, "{type: object}")
	object := thing(t, "{}")
	object["status"] = "not what the schema says, but not written either"
	object["data"] = "x"
	got := []string{}
	for _, p := range v.Validate(object) {
		got = append(got, p.String())
	}
	object["apiVersion"] = "example.com/v2"
	for _, p := range v.Validate(object) {
		got = append(got, p.String())
	}
	object["apiVersion"] = "other.com/v1"
	if problems := v.Validate(object); problems != nil {
		t.Errorf("an unknown kind: %v", problems)
	}
	want := []string{
		"Thing.example.com/ns/x: data: the CRD has no such field, and the API server drops it (CRD things.example.com v1)",
		`Thing.example.com/ns/x: apiVersion: version "v2" is not one that the CRD serves: v1 (CRD things.example.com)`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzValidate: no schema and no object make the validator panic or change
// the object.
func FuzzValidate(f *testing.F) {
	f.Add("{type: object, properties: {a: {default: {b: 1}, items: {x-kubernetes-list-type: set}}}}", `{"a": [1, null, {}]}`)
	f.Add("{x-kubernetes-embedded-resource: true, anyOf: [{not: {}}]}", `{"kind": 1}`)
	f.Fuzz(func(t *testing.T, schema, spec string) {
		definitions, err := crd.Parse([]byte(definition(schema)))
		if err != nil {
			return
		}
		var value any
		if json.Unmarshal([]byte(spec), &value) != nil {
			return
		}
		object := api.Object{"apiVersion": "example.com/v1", "kind": "Thing", "spec": value}
		before := object.DeepCopy()
		crd.NewValidator(definitions).Validate(object)
		if diff := cmp.Diff(before, object); diff != "" {
			t.Errorf("the object was changed:\n%s", diff)
		}
	})
}
