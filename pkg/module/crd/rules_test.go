// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
	"k8s.io/kube-openapi/pkg/validation/validate"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd"
)

// TestRulesAgree holds the verdicts to those of the library that the API server
// uses, for schemas and values of all kinds.
func TestRulesAgree(t *testing.T) {
	t.Parallel()
	const n = 10000
	seed := [32]byte{1}
	g := generator{rand.New(rand.NewChaCha8(seed))}
	valid := 0
	for range n {
		schema, value := g.schema(3), g.value(3)
		data, err := json.Marshal(schema)
		if err != nil {
			t.Fatal(err)
		}
		var theirs spec.Schema
		if err = json.Unmarshal(data, &theirs); err != nil {
			t.Fatal(err)
		}
		result := validate.NewSchemaValidator(&theirs, nil, "", strfmt.Default).Validate(value)
		ours, err := crd.CheckRules(schema, value)
		if err != nil {
			t.Fatalf("schema %s: %v", data, err)
		}
		if (len(ours) == 0) != (len(result.Errors) == 0) {
			text, _ := json.Marshal(value)
			t.Fatalf("schema %s\nvalue %s\nours   %q\ntheirs %v", data, text, ours, result.Errors)
		}
		if len(ours) == 0 {
			valid++
		}
	}
	if valid < n/10 || valid > n*9/10 {
		t.Errorf("%d of %d are valid: too one-sided to show anything", valid, n)
	}
}

// generator makes schemas and values that often meet.
type generator struct{ *rand.Rand }

func (g generator) one(of ...any) any { return of[g.IntN(len(of))] }
func (g generator) maybe() bool       { return g.IntN(3) == 0 }

func (g generator) schema(depth int) map[string]any {
	s := map[string]any{}
	set := func(name string, values ...any) {
		if g.maybe() {
			s[name] = g.one(values...)
		}
	}
	kind := g.one("string", "integer", "number", "boolean", "object", "array", "")
	if kind != "" {
		s["type"] = kind
	}
	set("nullable", true)
	switch kind {
	case "string":
		set("maxLength", 1, 3)
		set("minLength", 1, 2)
		set("pattern", "^a", "b$")
		set("format", "date-time", "ipv4", "byte", "uuid", "no-such-format", "duration", "email", "hostname", "cidr", "uri", "date")
		set("enum", []any{"a", "b"}, []any{"ab"})
	case "integer", "number":
		set("maximum", 2, 0)
		set("minimum", 1, -1)
		set("exclusiveMaximum", true)
		set("exclusiveMinimum", true)
		set("multipleOf", 2, 3)
		set("enum", []any{1, 2}, []any{3})
		if kind == "integer" {
			set("format", "int32", "int64")
		} else {
			set("format", "float", "double")
		}
	}
	if depth > 0 {
		g.nest(s, kind, depth, set)
	}
	return s
}

func (g generator) nest(s map[string]any, kind any, depth int, set func(string, ...any)) {
	switch kind {
	case "object":
		set("maxProperties", 1, 2)
		set("minProperties", 1, 2)
		set("required", []any{"a"}, []any{"a", "b"})
		set("additionalProperties", true, false, g.schema(depth-1))
		set("properties", map[string]any{"a": g.schema(depth - 1)}, map[string]any{"a": g.schema(depth - 1), "b": g.schema(depth - 1)})
	case "array":
		set("maxItems", 1, 2)
		set("minItems", 1, 2)
		set("items", g.schema(depth-1))
	case "":
		set("anyOf", []any{g.schema(depth - 1), g.schema(depth - 1)})
		set("oneOf", []any{g.schema(depth - 1), g.schema(depth - 1)})
		set("allOf", []any{g.schema(depth - 1), g.schema(depth - 1)})
		set("not", g.schema(depth-1))
	}
}

func (g generator) value(depth int) any {
	values := []any{
		nil, true, "", "a", "ab", "abcd", int64(0), int64(1), int64(2), int64(1 << 40), 1.0, 2.5, 1e300, -1e39,
		"2026-11-20T10:00:00Z", "10.0.0.1", "10.0.0.0/8", "1h", "me@example.com", "https://example.com", "2026-11-20", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
	}
	if depth == 0 || g.maybe() {
		return g.one(values...)
	}
	if g.maybe() {
		list := []any{}
		for range g.IntN(4) {
			list = append(list, g.value(depth-1))
		}
		return list
	}
	m := map[string]any{}
	for _, name := range []string{"a", "b", "c"} {
		if !g.maybe() {
			m[name] = g.value(depth - 1)
		}
	}
	return m
}
