// SPDX-License-Identifier: Apache-2.0

package crd

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// OpenAPI holds objects to the schemas that an API server publishes of its
// kinds. Of these it decodes what objects need. It is safe for concurrent use.
type OpenAPI struct {
	kinds      map[string]string // the definition of each "apps/v1 Deployment"
	versions   map[string]bool   // with a kind: apps/v1
	definition func(name string) json.RawMessage

	mu      sync.Mutex
	schemas map[string]map[string]any
	rules   map[string]*rules
}

// NewOpenAPI returns the schemas of kinds: the names of their definitions by
// apiVersion and kind, with a space between. The function returns a definition
// of OpenAPI v2 or v3, and nil for a name that the documents do not have.
func NewOpenAPI(kinds map[string]string, definition func(name string) json.RawMessage) *OpenAPI {
	o := &OpenAPI{
		kinds: kinds, versions: map[string]bool{}, definition: definition,
		schemas: map[string]map[string]any{}, rules: map[string]*rules{},
	}
	for kind := range kinds {
		version, _, _ := strings.Cut(kind, " ")
		o.versions[version] = true
	}
	return o
}

// documents are OpenAPI documents, v2 or v3, by the names of their definitions.
type documents map[string]json.RawMessage

// add adds the definitions of a document. Those of types that several documents
// have are the same in each.
func (d documents) add(document []byte) error {
	var root struct {
		Definitions map[string]json.RawMessage `json:"definitions"`
		Components  struct {
			Schemas map[string]json.RawMessage `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(document, &root); err != nil {
		if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			err = fmt.Errorf("%s must be of type object: %q", cmp.Or(e.Field, "the document"), e.Value)
		}
		return fmt.Errorf("not an OpenAPI document in JSON: %w", err)
	}
	maps.Copy(d, root.Definitions)
	maps.Copy(d, root.Components.Schemas)
	return nil
}

// check wants what schemas refer to, and that it is something in the end.
func (d documents) check() error {
	stands := map[string]string{} // for another schema, that is no more than a name
	for _, name := range slices.Sorted(maps.Keys(d)) {
		var schema map[string]any
		if err := json.Unmarshal(d[name], &schema); err != nil {
			return fmt.Errorf("broken document: the schema %s must be an object", name)
		}
		stands[name] = referenceOf(schema)
		if target := d.missing(schema); target != "" {
			return fmt.Errorf("broken document: the schema %s refers to %s, which does not exist", name, target)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(stands)) {
		seen := map[string]bool{}
		for at := name; at != ""; at = stands[at] {
			if seen[at] {
				return fmt.Errorf("broken document: the schema %s refers to itself", at)
			}
			seen[at] = true
		}
	}
	return nil
}

// missing returns a name that a schema refers to and that no document has.
func (d documents) missing(v any) string {
	switch v := v.(type) {
	case map[string]any:
		if target := referenceOf(v); target != "" && d[target] == nil {
			return target
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if target := d.missing(v[name]); target != "" {
				return target
			}
		}
	case []any:
		for _, e := range v {
			if target := d.missing(e); target != "" {
				return target
			}
		}
	}
	return ""
}

// openAPI returns the schemas of the kinds that the documents describe.
func (d documents) openAPI() (*OpenAPI, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	kinds := map[string]string{}
	for name, data := range d {
		var head struct {
			Kinds []struct {
				Group, Version, Kind string
			} `json:"x-kubernetes-group-version-kind"`
		}
		if err := json.Unmarshal(data, &head); err != nil {
			return nil, fmt.Errorf("the schema %s: %w", name, err)
		}
		for _, k := range head.Kinds {
			kinds[strings.TrimPrefix(k.Group+"/"+k.Version, "/")+" "+k.Kind] = name
		}
	}
	return NewOpenAPI(kinds, func(name string) json.RawMessage { return d[name] }), nil
}

// Serves says whether the schemas have a kind, and any of its apiVersion.
func (o *OpenAPI) Serves(apiVersion, kind string) (theKind, theVersion bool) {
	_, theKind = o.kinds[apiVersion+" "+kind]
	return theKind, o.versions[apiVersion]
}

// Kinds returns the kinds of each apiVersion, sorted.
func (o *OpenAPI) Kinds() map[string][]string {
	all := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(o.kinds)) {
		version, kind, _ := strings.Cut(name, " ")
		all[version] = append(all[version], kind)
	}
	return all
}

// Validate returns what the API server would refuse in an object for its
// structure, in the order of the paths; nothing for a kind that the schemas do
// not have. As for the API server, null is a field that is not set, and so is
// the empty string where one of several values is expected.
func (o *OpenAPI) Validate(object api.Object) []Problem {
	name, known := o.kinds[object.APIVersion()+" "+object.Kind()]
	if !known {
		return nil
	}
	c := &checker{object: object.ID(), openAPI: o}
	content := withoutNull(map[string]any(object))
	c.walk("", map[string]any{reference: name}, content, false)
	delete(content, "status") // only the subresource writes it
	schema, err := o.rulesOf(name)
	if err != nil {
		c.add("", "the schema cannot be used: %v", err)
		return c.problems
	}
	for _, p := range schema.check("", content) {
		c.add(p.path, "%s", p.message)
	}
	if object.IsSecret() {
		c.conceal()
	}
	slices.SortStableFunc(c.problems, func(a, b Problem) int { return cmp.Compare(a.Path, b.Path) })
	return slices.Compact(c.problems)
}

// conceal takes what a Secret holds out of the messages.
func (c *checker) conceal() {
	for i, p := range c.problems {
		if strings.HasPrefix(p.Path, "data.") {
			c.problems[i].Message = "must be a string in base64; the value is not shown"
		}
	}
}

// withoutNull returns a copy of an object without the fields that are null.
func withoutNull(object map[string]any) map[string]any {
	set := make(map[string]any, len(object))
	for name, v := range object {
		if v = withoutNullIn(v); v != nil {
			set[name] = v
		}
	}
	return set
}

func withoutNullIn(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return withoutNull(v)
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = withoutNullIn(e)
		}
		return list
	}
	return v
}

// schema returns a definition in the words of CRDs; nil when there is none.
func (o *OpenAPI) schema(name string) (map[string]any, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if s, known := o.schemas[name]; known {
		return s, nil
	}
	data := o.definition(name)
	if data == nil {
		return nil, nil
	}
	var s map[string]any
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("the schema %s: %w", name, err)
	}
	if deeper(s, maxDepth) {
		return nil, fmt.Errorf("the schema %s is nested more than %d levels", name, maxDepth)
	}
	if strings.HasSuffix(name, ".api.resource.Quantity") {
		s = map[string]any{"type": []any{"string", "number"}, "format": quantity}
	}
	s = structural(s)
	relax(name, s)
	o.schemas[name] = s
	return s, nil
}

// rulesOf returns the rules of a definition; nil when there is none.
func (o *OpenAPI) rulesOf(name string) (*rules, error) {
	s, err := o.schema(name)
	if s == nil || err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if r, known := o.rules[name]; known {
		return r, nil
	}
	r, err := newRules(constraints(s))
	if err != nil {
		return nil, err
	}
	r.link(o)
	o.rules[name] = r
	return r, nil
}

// reference is the keyword with the name of the schema that another stands for.
const reference = "$ref"

// resolve returns the schema that a schema refers to, or the schema itself.
func (c *checker) resolve(s map[string]any) map[string]any {
	for name := text(s[reference]); name != "" && c.openAPI != nil; name = text(s[reference]) {
		target, err := c.openAPI.schema(name)
		if target == nil || err != nil { // the rules say so
			return map[string]any{"x-kubernetes-preserve-unknown-fields": true}
		}
		s = target
	}
	return s
}

// structural returns a copy of a schema of OpenAPI in the words of CRDs.
func structural(schema map[string]any) map[string]any {
	if name := referenceOf(schema); name != "" {
		return map[string]any{reference: name}
	}
	s := maps.Clone(schema)
	mapSchemas(s, structural)
	if s["format"] == "int-or-string" {
		s["x-kubernetes-int-or-string"] = true
		delete(s, "oneOf")
	}
	if _, is := s["type"].(string); (!is || s["type"] == "object") && s["properties"] == nil && s["additionalProperties"] == nil {
		s["x-kubernetes-preserve-unknown-fields"] = true
	}
	// Of defaults, only keys of lists are compared. An empty one is that of Go.
	if d, is := s["default"].(string); d == "" {
		delete(s, "default")
		s[emptyDefault] = is
	}
	return s
}

// emptyDefault is a keyword of ours, for what has the empty string as default.
const emptyDefault = "x-empty-default"

// quantity is the format of what k8s.io/apimachinery/pkg/api/resource parses.
const quantity = "quantity"
