// SPDX-License-Identifier: Apache-2.0

package crd

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// Problem is what an API server would refuse in an object, or drop from it.
type Problem struct {
	Object  api.ID
	Path    string // of the field: spec.rules[0].host
	Message string
	CRD     string // its name and the version; empty for a kind of OpenAPI documents
}

// String returns the problem in one line.
func (p Problem) String() string {
	place := p.Object.String()
	if p.Path != "" {
		place += ": " + p.Path
	}
	if p.CRD == "" {
		return place + ": " + p.Message
	}
	return fmt.Sprintf("%s: %s (CRD %s)", place, p.Message, p.CRD)
}

// Validator holds custom resources to their definitions.
type Validator struct {
	definitions map[api.GroupKind]Definition

	mu      sync.Mutex
	schemas map[schemaKey]*rules // those that were needed
}

type schemaKey struct {
	api.GroupKind
	version string
}

// NewValidator returns a validator for the kinds of the definitions. Of two
// for the same kind the later one counts.
func NewValidator(definitions []Definition) *Validator {
	v := &Validator{definitions: map[api.GroupKind]Definition{}, schemas: map[schemaKey]*rules{}}
	for _, d := range definitions {
		v.definitions[api.GroupKind{Group: d.Group, Kind: d.Kind}] = d
	}
	return v
}

// Definition returns the definition of the object's kind; ok says whether there
// is one.
func (v *Validator) Definition(object api.Object) (d Definition, ok bool) {
	d, ok = v.definitions[object.GroupKind()]
	return d, ok
}

// Validate returns what the API server would refuse in the object for its
// structure, and the fields that it would drop, in the order of the paths. It
// does not look at objects of other kinds, and leaves rules in CEL to the API
// server. As that does, it fills in defaults first, in a copy.
func (v *Validator) Validate(object api.Object) []Problem {
	d, known := v.Definition(object)
	if !known {
		return nil
	}
	version, served := d.Version(object.Version())
	if !served {
		return []Problem{{object.ID(), "apiVersion",
			fmt.Sprintf("version %q is not one that the CRD serves: %s", object.Version(), d.served()), d.Name}}
	}
	c := &checker{object: object.ID(), crd: d.Name + " " + version.Name}
	object = c.complete(version, object)
	schema, err := v.schema(d, version)
	if err != nil {
		c.add("", "the schema cannot be used: %v", err)
		return c.problems
	}
	for _, p := range schema.check("", map[string]any(object)) {
		c.add(p.path, "%s", p.message)
	}
	slices.SortStableFunc(c.problems, func(a, b Problem) int { return cmp.Compare(a.Path, b.Path) })
	return slices.Compact(c.problems)
}

// served lists the versions that the API server accepts.
func (d Definition) served() string {
	var names []string
	for _, v := range d.Versions {
		if v.Served {
			names = append(names, v.Name)
		}
	}
	return strings.Join(names, ", ")
}

// schema returns the rules of a version.
func (v *Validator) schema(d Definition, version Version) (*rules, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	key := schemaKey{api.GroupKind{Group: d.Group, Kind: d.Kind}, version.Name}
	if schema := v.schemas[key]; schema != nil {
		return schema, nil
	}
	schema, err := newRules(constraints(version.schema))
	if err == nil {
		v.schemas[key] = schema
	}
	return schema, err
}

// constraints returns a copy of a schema with the keywords by which the API
// server validates.
func constraints(schema map[string]any) map[string]any {
	s := map[string]any{}
	for keyword, value := range schema {
		switch keyword {
		case "type", "nullable", "enum", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "multipleOf",
			"maxLength", "minLength", "pattern", "maxItems", "minItems", "maxProperties", "minProperties", "required", reference:
			s[keyword] = value
		case "format":
			if text(value) == supportedFormat(schema) {
				s[keyword] = value
			}
		case "items", "not", "additionalProperties":
			s[keyword] = constraintsOf(value)
		case "allOf", "anyOf", "oneOf":
			list, _ := value.([]any)
			all := make([]any, len(list))
			for i, e := range list {
				all[i] = constraintsOf(e)
			}
			s[keyword] = all
		case "properties":
			properties := map[string]any{}
			for name, e := range fields(value) {
				properties[name] = constraintsOf(e)
			}
			s[keyword] = properties
		}
	}
	if schema["x-kubernetes-int-or-string"] == true {
		s["type"] = []any{"integer", "string"}
	}
	return s
}

func constraintsOf(v any) any {
	if schema, ok := v.(map[string]any); ok {
		return constraints(schema)
	}
	return v // additionalProperties: true
}

// supportedFormat returns the format of a schema if the API server knows it
// for the type.
func supportedFormat(schema map[string]any) string {
	format := text(schema["format"])
	switch text(schema["type"]) {
	case "integer":
		if format == "int32" || format == "int64" {
			return format
		}
	case "number":
		if format == "float" || format == "double" {
			return format
		}
	case "", "string":
		return format // the library leaves alone those that it does not know
	}
	return ""
}

// checker collects what is wrong with one object.
type checker struct {
	object   api.ID
	crd      string
	openAPI  *OpenAPI // nil: the schema is a CRD's
	problems []Problem
}

func (c *checker) add(path, format string, args ...any) {
	c.problems = append(c.problems, Problem{c.object, path, fmt.Sprintf(format, args...), c.crd})
}
