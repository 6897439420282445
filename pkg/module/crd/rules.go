// SPDX-License-Identifier: Apache-2.0

package crd

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"k8s.io/kube-openapi/pkg/validation/strfmt"
)

// rules are what a schema says of a value, by the keywords by which the API
// server validates. That uses k8s.io/kube-openapi, whose package for schemas
// adds 2.2 MB to a binary; TestRulesAgree holds these to it.
type rules struct {
	Type     types  `json:"type"`
	Nullable bool   `json:"nullable"`
	Format   string `json:"format"`
	Enum     []any  `json:"enum"`

	Maximum          *float64 `json:"maximum"`
	ExclusiveMaximum bool     `json:"exclusiveMaximum"`
	Minimum          *float64 `json:"minimum"`
	ExclusiveMinimum bool     `json:"exclusiveMinimum"`
	MultipleOf       *float64 `json:"multipleOf"`

	MaxLength *int64 `json:"maxLength"`
	MinLength *int64 `json:"minLength"`
	Pattern   string `json:"pattern"`

	MaxItems *int64 `json:"maxItems"`
	MinItems *int64 `json:"minItems"`
	Items    *rules `json:"items"`

	MaxProperties        *int64            `json:"maxProperties"`
	MinProperties        *int64            `json:"minProperties"`
	Required             []string          `json:"required"`
	Properties           map[string]*rules `json:"properties"`
	AdditionalProperties *rulesOrBool      `json:"additionalProperties"`

	AllOf []*rules `json:"allOf"`
	AnyOf []*rules `json:"anyOf"`
	OneOf []*rules `json:"oneOf"`
	Not   *rules   `json:"not"`

	Ref     string   `json:"$ref"`
	openAPI *OpenAPI // that has what Ref names; nil for a CRD
}

// newRules reads a schema, as constraints leaves it.
func newRules(schema map[string]any) (*rules, error) {
	data, err := json.Marshal(schema)
	if err != nil {
		return nil, err
	}
	r := new(rules)
	err = json.Unmarshal(data, r)
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		err = fmt.Errorf("%s must not be a %s", cmp.Or(e.Field, "a part of it"), e.Value)
	}
	return r, err
}

// types are the types that a value may be of; none stands for any.
type types []string

// UnmarshalJSON takes one type or a list of them.
func (t *types) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*t = types{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(t))
}

// rulesOrBool are rules for additional properties, or whether there may be any.
type rulesOrBool struct {
	rules *rules
	allow bool
}

// UnmarshalJSON takes a schema or a bool.
func (r *rulesOrBool) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &r.allow) == nil {
		return nil
	}
	r.allow = true
	return json.Unmarshal(data, &r.rules)
}

// problem is what is wrong with the value at a path.
type problem struct{ path, message string }

func wrong(path, format string, args ...any) []problem {
	return []problem{{path, fmt.Sprintf(format, args...)}}
}

// check returns what is wrong with a value, in the order of the fields.
func (r *rules) check(path string, v any) []problem {
	for r != nil && r.Ref != "" && r.openAPI != nil {
		target, err := r.openAPI.rulesOf(r.Ref)
		if err != nil {
			return wrong(path, "the schema cannot be used: %v", err)
		}
		r = target
	}
	if r == nil {
		return nil
	}
	if r.openAPI != nil && (v == nil || v == "" && slices.Contains(r.Type, "string") && r.Format != quantity) {
		return nil // the API server has it where a field is not set
	}
	if kind := kindOf(v); !r.accepts(kind, v) {
		return wrong(path, "must be of type %s: %q", strings.Join(r.Type, ","), kind)
	}
	var found []problem
	if v != nil { // of null, the library looks at the type and the enum only
		found = r.checkChoices(path, v)
	}
	switch v := v.(type) {
	case string:
		found = append(found, r.checkString(path, v)...)
	case int64:
		found = append(found, r.checkNumber(path, float64(v))...)
	case float64:
		found = append(found, r.checkNumber(path, v)...)
	case []any:
		found = append(found, r.checkList(path, v)...)
	case map[string]any:
		found = append(found, r.checkMap(path, v)...)
	}
	if len(r.Enum) > 0 && !slices.ContainsFunc(r.Enum, func(e any) bool { return reflect.DeepEqual(plain(e), plain(v)) }) {
		found = append(found, wrong(path, "unsupported value %s: expected %s", shown(v), listed(r.Enum))...)
	}
	return found
}

// link lets the rules refer to those of other definitions.
func (r *rules) link(o *OpenAPI) {
	if r == nil {
		return
	}
	r.openAPI = o
	below := slices.Concat(r.AllOf, r.AnyOf, r.OneOf, []*rules{r.Items, r.Not}, slices.Collect(maps.Values(r.Properties)))
	if r.AdditionalProperties != nil {
		below = append(below, r.AdditionalProperties.rules)
	}
	for _, child := range below {
		child.link(o)
	}
}

// shown returns a value as a message shows it.
func shown(v any) string {
	if s, ok := v.(string); ok {
		return strconv.Quote(s)
	}
	return fmt.Sprint(v)
}

// listed returns the values of an enumeration.
func listed(enum []any) string {
	texts := make([]string, len(enum))
	for i, v := range enum {
		texts[i] = fmt.Sprint(v)
	}
	return strings.Join(texts, ", ")
}

// kindOf returns the type of a value in the words of schemas.
func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "string"
	case bool:
		return "boolean"
	case int64, int:
		return "integer"
	case float64:
		return "number"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return "null"
}

func (r *rules) accepts(kind string, v any) bool {
	if len(r.Type) == 0 || slices.Contains(r.Type, kind) {
		return true
	}
	switch kind {
	case "null":
		return r.Nullable
	case "array": // the library lets a list pass for a string with a format
		return r.Format != "" && r.openAPI == nil && slices.Contains(r.Type, "string")
	case "integer":
		return slices.Contains(r.Type, "number")
	case "number":
		f, _ := v.(float64)
		return isWhole(f) && slices.Contains(r.Type, "integer")
	}
	return false
}

// isWhole says whether a number is one that JSON has as an integer.
func isWhole(f float64) bool { return f == math.Trunc(f) && math.Abs(f) < 1<<53 }

// plain returns a value with its numbers in one form.
func plain(v any) any {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case int:
		return float64(v)
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = plain(e)
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(v))
		for key, e := range v {
			m[key] = plain(e)
		}
		return m
	}
	return v
}

func (r *rules) checkString(path, s string) []problem {
	length := int64(utf8.RuneCountInString(s))
	switch {
	case r.MaxLength != nil && length > *r.MaxLength:
		return wrong(path, "must be at most %d chars long", *r.MaxLength)
	case r.MinLength != nil && length < *r.MinLength:
		return wrong(path, "must be at least %d chars long", *r.MinLength)
	}
	if r.Pattern != "" {
		re, err := regexp.Compile(r.Pattern)
		if err != nil {
			return wrong(path, "must match '%s', but that is no pattern: %v", r.Pattern, err)
		}
		if !re.MatchString(s) {
			return wrong(path, "must match '%s'", r.Pattern)
		}
	}
	if r.Format == quantity && !quantityRE.MatchString(s) {
		return wrong(path, "must be a quantity such as 500m or 1Gi: %q", s)
	}
	if r.Format == "byte" && r.openAPI != nil {
		if _, err := base64.StdEncoding.DecodeString(s); err != nil { // that takes line ends, as the API server does
			return wrong(path, "must be of type byte: %q", s)
		}
		return nil
	}
	if strfmt.Default.ContainsName(r.Format) && !strfmt.Default.Validates(r.Format, s) {
		return wrong(path, "must be of type %s: %q", r.Format, s)
	}
	return nil
}

var quantityRE = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$`)

func (r *rules) checkNumber(path string, f float64) []problem {
	var found []problem
	add := func(format string, args ...any) { found = append(found, wrong(path, format, args...)...) }
	switch {
	case r.Format == "int32" && (f < math.MinInt32 || f > math.MaxInt32), r.Format == "float" && math.Abs(f) > math.MaxFloat32:
		add("must fit into the format %s", r.Format)
	}
	if m := r.MultipleOf; m != nil {
		if *m <= 0 || !isWhole(f / *m) {
			add("must be a multiple of %v", *m)
		}
	}
	if m := r.Maximum; m != nil {
		if r.ExclusiveMaximum && f >= *m {
			add("must be less than %v", *m)
		} else if f > *m {
			add("must be less than or equal to %v", *m)
		}
	}
	if m := r.Minimum; m != nil {
		if r.ExclusiveMinimum && f <= *m {
			add("must be greater than %v", *m)
		} else if f < *m {
			add("must be greater than or equal to %v", *m)
		}
	}
	return found
}

func (r *rules) checkList(path string, list []any) []problem {
	var found []problem
	for i, item := range list {
		found = append(found, r.Items.check(fmt.Sprintf("%s[%d]", path, i), item)...)
	}
	if r.MinItems != nil && int64(len(list)) < *r.MinItems {
		found = append(found, wrong(path, "must have at least %d items", *r.MinItems)...)
	}
	if r.MaxItems != nil && int64(len(list)) > *r.MaxItems {
		found = append(found, wrong(path, "must have at most %d items", *r.MaxItems)...)
	}
	return found
}

func (r *rules) checkMap(path string, m map[string]any) []problem {
	var found []problem
	if r.MinProperties != nil && int64(len(m)) < *r.MinProperties {
		found = append(found, wrong(path, "must have at least %d properties", *r.MinProperties)...)
	}
	if r.MaxProperties != nil && int64(len(m)) > *r.MaxProperties {
		found = append(found, wrong(path, "must have at most %d properties", *r.MaxProperties)...)
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		property, known := r.Properties[name]
		switch additional := r.AdditionalProperties; {
		case known:
			found = append(found, property.check(join(path, name), m[name])...)
		case additional == nil:
		case !additional.allow:
			found = append(found, wrong(join(path, name), "is a forbidden property")...)
		default:
			found = append(found, additional.rules.check(join(path, name), m[name])...)
		}
	}
	for _, name := range r.Required {
		if _, has := m[name]; !has {
			found = append(found, wrong(join(path, name), "is required")...)
		}
	}
	return found
}

// checkChoices holds a value to allOf, anyOf, oneOf and not.
func (r *rules) checkChoices(path string, v any) []problem {
	var found []problem
	if len(r.AnyOf) > 0 {
		if valid, best := choose(r.AnyOf, path, v); valid == 0 {
			found = append(append(found, problem{path, "must validate at least one schema (anyOf)"}), best...)
		}
	}
	if len(r.OneOf) > 0 {
		const message = "must validate one and only one schema (oneOf). Found "
		switch valid, best := choose(r.OneOf, path, v); valid {
		case 1:
		case 0:
			found = append(append(found, problem{path, message + "none valid"}), best...)
		default:
			found = append(found, wrong(path, message+"%d valid alternatives", valid)...)
		}
	}
	for _, one := range r.AllOf {
		found = append(found, one.check(path, v)...)
	}
	if r.Not != nil && len(r.Not.check(path, v)) == 0 {
		found = append(found, problem{path, "must not validate the schema (not)"})
	}
	return found
}

// choose returns how many of the alternatives a value is valid for, and what is
// wrong with it for the one that it is closest to.
func choose(alternatives []*rules, path string, v any) (valid int, best []problem) {
	for _, r := range alternatives {
		problems := r.check(path, v)
		if len(problems) == 0 {
			valid++
		} else if best == nil || len(problems) < len(best) {
			best = problems
		}
	}
	return valid, best
}
