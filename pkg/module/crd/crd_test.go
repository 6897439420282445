// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/format"
	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd"
)

// definition returns the YAML of a CRD of things.example.com whose spec has
// the schema, written in JSON.
func definition(spec string) string {
	return `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  names: {kind: Thing, plural: things, singular: thing}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema: {openAPIV3Schema: {type: object, properties: {spec: ` + spec + `, status: {type: object}}}}
`
}

func TestParse(t *testing.T) {
	t.Parallel()
	valid := definition("{type: object}")
	for name, tc := range map[string]struct {
		in, err string
		want    []string
	}{
		"one":          {in: valid, want: []string{"Thing"}},
		"several":      {in: "# first\n---\n" + strings.Replace(valid, "kind: Thing", "kind: Zoo", 1) + "---\n" + valid + "---\n", want: []string{"Thing", "Zoo"}},
		"other kinds":  {in: "kind: ConfigMap\napiVersion: v1\n---\n" + valid, want: []string{"Thing"}},
		"a list":       {in: "kind: List\napiVersion: v1\nitems:\n- " + strings.ReplaceAll(strings.TrimSpace(valid), "\n", "\n  "), want: []string{"Thing"}},
		"JSON":         {in: `{"kind": "List", "items": [{"kind": "Secret"}]}`},
		"nothing":      {},
		"no object":    {in: "a string"},
		"no YAML":      {in: "a: [", err: "document 1: error converting YAML to JSON: yaml: line 1: did not find expected node content"},
		"old version":  {in: strings.Replace(valid, "k8s.io/v1", "k8s.io/v1beta1", 1), err: "document 1: CustomResourceDefinition/things.example.com: not a CustomResourceDefinition of apiextensions.k8s.io/v1 but of v1beta1, which Kubernetes serves no more"},
		"a path":       {in: strings.Replace(valid, "group: example.com", "group: ../..", 1), err: `document 1: CustomResourceDefinition/things.example.com: not a CustomResourceDefinition: spec.group is "../.."`},
		"a bad kind":   {in: strings.Replace(valid, "kind: Thing", "kind: A/b", 1), err: `document 1: CustomResourceDefinition/things.example.com: not a CustomResourceDefinition: spec.names.kind is "A/b"`},
		"a bad name":   {in: strings.Replace(valid, "name: v1", "name: ../v1", 1), err: `document 1: CustomResourceDefinition/things.example.com: not a CustomResourceDefinition: a version is named "../v1"`},
		"a bad scope":  {in: strings.Replace(valid, "scope: Namespaced", "scope: Weird", 1), err: `document 1: CustomResourceDefinition/things.example.com: not a CustomResourceDefinition: spec.scope is "Weird": want Namespaced or Cluster`},
		"no schema":    {in: strings.Replace(valid, "openAPIV3Schema", "other", 1), err: "document 1: CustomResourceDefinition/things.example.com: not a CustomResourceDefinition: version v1 has no schema.openAPIV3Schema"},
		"too deep":     {in: definition(strings.Repeat("{not: ", 300) + "{}" + strings.Repeat("}", 300)), err: "document 1: CustomResourceDefinition/things.example.com: not a CustomResourceDefinition: the schema of version v1 is nested more than 250 levels"},
		"YAML's bombs": {in: "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]", err: "document 1: error converting YAML to JSON: yaml: document contains excessive aliasing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			definitions, err := crd.Parse([]byte(tc.in))
			var kinds []string
			for _, d := range definitions {
				kinds = append(kinds, d.Kind)
			}
			if diff := cmp.Diff(tc.want, kinds); diff != "" {
				t.Errorf("kinds (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.err, text(err)); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestMeaning holds values to what is generated.
func TestMeaning(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		schema, spec string
		err          string // part of it; empty: the value is accepted
	}{
		"known field":             {"{type: object, properties: {a: {type: string}}}", `a: "x"`, ""},
		"unknown field":           {"{type: object, properties: {a: {type: string}}}", `b: "x"`, "field not allowed"},
		"missing field":           {"{type: object, required: [a], properties: {a: {type: string}}}", ``, "field is required but not present"},
		"required with a default": {"{type: object, required: [a], properties: {a: {type: string, default: x}}}", ``, ""},
		"no fields":               {"{type: object}", `a: 1`, "field not allowed"},
		"unknown fields are kept": {"{type: object, x-kubernetes-preserve-unknown-fields: true}", `a: b: 1`, ""},
		"int":                     {"{type: object, properties: {a: {type: integer, minimum: 1}}}", `a: 1.5`, "conflicting values"},
		"minimum":                 {"{type: object, properties: {a: {type: integer, minimum: 1}}}", `a: 0`, "invalid value 0 (out of bound >=1)"},
		"exclusive maximum":       {"{type: object, properties: {a: {type: integer, maximum: 1, exclusiveMaximum: true}}}", `a: 1`, "out of bound <1"},
		"int or string: string":   {"{type: object, properties: {a: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}}}", `a: "x"`, ""},
		"int or string: int":      {"{type: object, properties: {a: {x-kubernetes-int-or-string: true, allOf: [{anyOf: [{type: integer}, {type: string}]}]}}}", `a: 1`, ""},
		"int or string: bool":     {"{type: object, properties: {a: {x-kubernetes-int-or-string: true}}}", `a: true`, "2 errors in empty disjunction"},
		"nullable":                {"{type: object, properties: {a: {type: string, nullable: true}}}", `a: null`, ""},
		"not nullable":            {"{type: object, properties: {a: {type: string}}}", `a: null`, "conflicting values"},
		"enum":                    {"{type: object, properties: {a: {type: string, enum: [x, y]}}}", `a: "z"`, "2 errors in empty disjunction"},
		"pattern":                 {"{type: object, properties: {a: {type: string, pattern: ^x$}}}", `a: "z"`, "out of bound =~"},
		"date-time":               {"{type: object, properties: {a: {type: string, format: date-time}}}", `a: "today"`, "invalid value"},
		"embedded resource":       {"{type: object, properties: {a: {type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}}}", `a: {kind: "X"}`, "apiVersion"},
		"embedded and closed":     {"{type: object, properties: {a: {type: object, x-kubernetes-embedded-resource: true, properties: {metadata: {type: object}, spec: {type: object}}}}}", `a: {kind: "X", apiVersion: "v1", metadata: labels: a: "b", data: 1}`, "field not allowed"},
		"embedded metadata":       {"{type: object, properties: {a: {type: object, x-kubernetes-embedded-resource: true, properties: {metadata: {type: object, properties: {name: {type: string, maxLength: 2}}}}}}}", `a: {kind: "X", apiVersion: "v1", metadata: {name: "abc", labels: a: "b"}}`, "MaxRunes"},
		"list too short":          {"{type: object, properties: {a: {type: array, minItems: 1, items: {type: string}}}}", `a: []`, "a"},
		"item":                    {"{type: object, properties: {a: {type: array, items: {type: object, properties: {b: {type: string}}}}}}", `a: [{c: "x"}]`, "field not allowed"},
		"map":                     {"{type: object, properties: {a: {type: object, additionalProperties: {type: string}}}}", `a: b: 1`, "conflicting values"},
		"one of: none":            {"{type: object, properties: {a: {type: string}, b: {type: string}}, oneOf: [{required: [a]}, {required: [b]}]}", ``, "does not satisfy matchN"},
		"one of: one":             {"{type: object, properties: {a: {type: string}, b: {type: string}}, oneOf: [{required: [a]}, {required: [b]}]}", `a: "x"`, ""},
		"one of: both":            {"{type: object, properties: {a: {type: string}, b: {type: string}}, oneOf: [{required: [a]}, {required: [b]}]}", `a: "x", b: "x"`, "does not satisfy matchN"},
		"one of stays closed":     {"{type: object, properties: {q: {type: object, properties: {a: {type: object, properties: {c: {type: string}}}, b: {type: string}}, oneOf: [{required: [a]}, {required: [b]}]}}}", `q: a: d: "x"`, "field not allowed"},
		"not":                     {"{type: object, properties: {a: {type: string}, b: {type: string}, c: {type: string}}, not: {required: [a, b]}}", `a: "x", b: "x", c: "x"`, "does not satisfy matchN"},
		"all of":                  {"{type: object, properties: {a: {type: string, allOf: [{minLength: 2}, {pattern: ^x}]}}}", `a: "x"`, "does not satisfy matchN"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			definitions, err := crd.Parse([]byte(definition(tc.schema)))
			if err != nil {
				t.Fatal(err)
			}
			out, err := definitions[0].Generate(definitions[0].Versions[0], crd.GenerateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			v := cuecontext.New().CompileString(string(out) + "\nx: #Thing & {metadata: {name: \"x\", namespace: \"y\"}, spec: {" + tc.spec + "}}\n")
			err = v.LookupPath(cue.ParsePath("x")).Validate(cue.Concrete(true))
			if (err == nil) != (tc.err == "") || !strings.Contains(text(err), tc.err) {
				t.Errorf("error %v, want %q\n%s", err, tc.err, out)
			}
		})
	}
}

// TestLargeBounds keeps a few numbers of a CRD from making large definitions.
func TestLargeBounds(t *testing.T) {
	t.Parallel()
	values := make([]string, 20000)
	for i := range values {
		values[i] = fmt.Sprintf("v%d", i)
	}
	for name, schema := range map[string]string{
		"minItems":       "{type: array, items: {type: string}, minItems: 1000000000}",
		"huge minItems":  "{type: array, items: {type: string}, minItems: 1000000000000000000}",
		"other bounds":   "{type: object, maxProperties: 1000000000, minProperties: 1000000000, properties: {a: {type: string, minLength: 1000000000, maxLength: 1000000000}}}",
		"enum":           "{type: string, enum: [" + strings.Join(values, ", ") + "]}",
		"nested schemas": strings.Repeat("{type: array, items: ", 200) + "{type: string}" + strings.Repeat("}", 200),
		"minItems below": strings.Repeat("{type: array, minItems: 16, items: ", 20) + "{type: string}" + strings.Repeat("}", 20),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			definitions, err := crd.Parse([]byte(definition("{type: object, properties: {a: " + schema + "}}")))
			if err != nil {
				t.Fatal(err)
			}
			out, err := definitions[0].Generate(definitions[0].Versions[0], crd.GenerateOptions{})
			if err != nil || len(out) > 4000 {
				t.Errorf("%d bytes, error %v", len(out), err)
			}
		})
	}
}

// TestRefusedSchemas wants an error to say where it is.
func TestRefusedSchemas(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ schema, err string }{
		"length":  {"{type: object, properties: {a: {type: string, minLength: -1}}}", "properties.a.minLength: invalid uint"},
		"in list": {"{type: array, items: {type: object, additionalProperties: {type: string, maxLength: 1.5}}}", "items.additionalProperties.maxLength: invalid uint"},
		"choice":  {"{type: object, anyOf: [{}, {minProperties: -1}]}", "anyOf[1].minProperties: invalid uint"},
		"pattern": {"{type: object, properties: {a: {type: string, pattern: 'a{1001}'}}}", "properties.a.pattern: invalid regexp \"a{1001}\": error parsing regexp: invalid repeat count: `{1001}`"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			definitions, err := crd.Parse([]byte(definition(tc.schema)))
			if err != nil {
				t.Fatal(err)
			}
			_, err = definitions[0].Generate(definitions[0].Versions[0], crd.GenerateOptions{})
			want := "things.example.com v1: openAPIV3Schema.properties.spec." + tc.err
			if text(err) != want {
				t.Errorf("error %q, want %q", text(err), want)
			}
		})
	}
}

// large returns a CRD as controller-gen makes them of the types that hold pod
// templates: n of them, each with containers, probes, affinity and volumes.
func large(n int) []byte {
	probe := `{type: object, description: "Probe describes a health check.", properties: {periodSeconds: {type: integer, format: int32, minimum: 1}, httpGet: {type: object, required: [port], properties: {port: {anyOf: [{type: integer}, {type: string}], x-kubernetes-int-or-string: true}, path: {type: string}}}, exec: {type: object, properties: {command: {type: array, items: {type: string}, x-kubernetes-list-type: atomic}}}}}`
	quantity := `{anyOf: [{type: integer}, {type: string}], pattern: '^[0-9]+(m|[KMG]i?)?$', x-kubernetes-int-or-string: true}`
	container := `{type: object, required: [name], properties: {name: {type: string}, image: {type: string}, ports: {type: array, items: {type: object, required: [containerPort], properties: {containerPort: {type: integer, format: int32}, protocol: {type: string, default: TCP}}}, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [containerPort, protocol]}, resources: {type: object, properties: {limits: {type: object, additionalProperties: ` + quantity + `}, requests: {type: object, additionalProperties: ` + quantity + `}}}, livenessProbe: ` + probe + `, readinessProbe: ` + probe + `, startupProbe: ` + probe + `}}`
	selector := `{type: object, properties: {matchLabels: {type: object, additionalProperties: {type: string}}, matchExpressions: {type: array, items: {type: object, required: [key, operator], properties: {key: {type: string}, operator: {type: string, enum: [In, NotIn, Exists, DoesNotExist]}, values: {type: array, items: {type: string}}}}}}, x-kubernetes-map-type: atomic}`
	pod := `{type: object, x-kubernetes-validations: [{rule: "size(self.containers) > 0", message: "a container is needed"}], properties: {containers: {type: array, items: ` + container + `}, initContainers: {type: array, items: ` + container + `}, affinity: {type: object, properties: {podAffinity: ` + selector + `, podAntiAffinity: ` + selector + `}}, volumes: {type: array, items: {type: object, properties: {name: {type: string}, secret: {type: object, properties: {secretName: {type: string}}}, claim: {type: object, x-kubernetes-embedded-resource: true, properties: {spec: ` + selector + `}}}, oneOf: [{required: [secret]}, {required: [claim]}]}}}}`
	var b strings.Builder
	b.WriteString("{type: object, properties: {")
	for i := range n {
		fmt.Fprintf(&b, "%q: %s, ", fmt.Sprintf("template%d", i), pod)
	}
	return []byte(definition(b.String() + "}}"))
}

func TestLarge(t *testing.T) {
	t.Parallel()
	data := large(30)
	definitions, err := crd.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	first := generate(t, definitions, crd.GenerateOptions{Defaults: true})
	again := generate(t, definitions, crd.GenerateOptions{Defaults: true})
	if !bytes.Equal(first[0].Data, again[0].Data) {
		t.Error("the same CRD gives different text")
	}
	t.Logf("%d bytes of YAML, %d of CUE", len(data), len(first[0].Data))
}

func BenchmarkGenerate(b *testing.B) {
	for _, n := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("templates=%d", n), func(b *testing.B) {
			definitions, err := crd.Parse(large(n))
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := definitions[0].Generate(definitions[0].Versions[0], crd.GenerateOptions{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// FuzzParse: whatever is given as a CRD, there is no panic and no path leaves
// cue.mod/gen.
func FuzzParse(f *testing.F) {
	f.Add([]byte(definition("{type: object}")))
	f.Fuzz(func(t *testing.T, data []byte) {
		definitions, err := crd.Parse(data)
		if err != nil {
			return
		}
		for _, d := range definitions {
			for _, v := range d.Versions {
				if !filepath.IsLocal(filepath.FromSlash(d.Path(v.Name))) {
					t.Errorf("path %q", d.Path(v.Name))
				}
			}
		}
	})
}

// FuzzGenerate: whatever the schema of a spec says, there is no panic, and
// what is generated is formatted CUE.
func FuzzGenerate(f *testing.F) {
	for _, schema := range []string{
		"{type: object}", "{type: string, enum: [a, null], nullable: true}", "{x-kubernetes-int-or-string: true}",
		"{type: array, items: {type: object, oneOf: [{required: [a]}], properties: {a: {default: {b: [1]}}}}}",
		"{not: {anyOf: []}, allOf: [{}], additionalProperties: false}", `{description: "a\r\nb */ \"\"\"", default: {}}`,
		"{type: object, x-kubernetes-embedded-resource: true, properties: {metadata: {properties: {a: {}}}}, x-kubernetes-validations: [{rule: a}]}",
	} {
		f.Add(schema, true)
	}
	f.Fuzz(func(t *testing.T, schema string, defaults bool) {
		definitions, err := crd.Parse([]byte(definition(schema)))
		if err != nil {
			return
		}
		for _, d := range definitions {
			for _, v := range d.Versions {
				out, err := d.Generate(v, crd.GenerateOptions{Defaults: defaults})
				if err != nil {
					continue
				}
				if again, err := format.Source(out, format.Simplify()); err != nil || !bytes.Equal(out, again) {
					t.Errorf("not formatted: %v\n%s", err, out)
				}
			}
		}
	})
}
