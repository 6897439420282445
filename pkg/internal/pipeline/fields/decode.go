// SPDX-License-Identifier: Apache-2.0

// Package fields fills the structs of function configs, and names the field that is
// wrong.
package fields

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// Decode fills a struct from YAML. It is strict: a field that the
// struct does not have, a field given twice and a value of another type are
// errors, all of which are returned joined, as *Error. A yaml.Node takes
// any value.
func Decode(n *yaml.Node, into any) error {
	var d decoder
	d.value(n, reflect.ValueOf(into).Elem(), "")
	return errors.Join(d.problems...)
}

type decoder struct{ problems []error }

func (d *decoder) problem(path, format string, args ...any) {
	d.problems = append(d.problems, Errorf(path, format, args...))
}

func (d *decoder) value(n *yaml.Node, v reflect.Value, path string) {
	if node, ok := reflect.TypeAssert[**yaml.Node](v.Addr()); ok {
		*node = n
		return
	}
	if IsNull(n) {
		return // a patch leaves null where it took a value away
	}
	switch v.Kind() {
	case reflect.Struct:
		d.fields(n, v, path)
	case reflect.Slice:
		d.list(n, v, path)
	case reflect.Map:
		d.names(n, v, path)
	case reflect.Bool:
		d.boolean(n, v, path)
	default: // a string: the structs have nothing else
		d.text(n, v, path)
	}
}

func (d *decoder) fields(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.MappingNode {
		d.problem(path, "must be a map, not %s", Describe(n))
		return
	}
	known := fieldNames(v.Type())
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		field := Join(path, name)
		index := slices.Index(known, name)
		switch {
		case index < 0:
			d.problem(field, "unknown field%s", fail.Suggest(name, known))
		case seen[name]:
			d.problem(field, "is given twice")
		case v.Type().Field(index).Tag.Get("schema") == "map" && n.Content[i+1].Kind != yaml.MappingNode && !IsNull(n.Content[i+1]):
			d.problem(field, "must be a map, not %s", Describe(n.Content[i+1]))
		default:
			d.value(n.Content[i+1], v.Field(index), field)
		}
		seen[name] = true
	}
}

// names decodes a map whose keys are free.
func (d *decoder) names(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.MappingNode {
		d.problem(path, "must be a map, not %s", Describe(n))
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := reflect.ValueOf(n.Content[i].Value)
		if v.MapIndex(key).IsValid() {
			d.problem(Join(path, n.Content[i].Value), "is given twice")
			continue
		}
		value := reflect.New(v.Type().Elem()).Elem()
		d.value(n.Content[i+1], value, Join(path, n.Content[i].Value))
		v.SetMapIndex(key, value)
	}
}

func (d *decoder) list(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.SequenceNode {
		d.problem(path, "must be a list, not %s", Describe(n))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		d.value(item, v.Index(i), fmt.Sprintf("%s[%d]", path, i))
	}
}

func (d *decoder) text(n *yaml.Node, v reflect.Value, path string) {
	switch {
	case n.ShortTag() == yaml.NodeTagString:
		v.SetString(n.Value)
	case n.Kind == yaml.ScalarNode:
		// A number may have lost digits on its way: 1.30 arrives as 1.3.
		d.problem(path, "must be a string, not %s: put it in quotes", Describe(n))
	default:
		d.problem(path, "must be a string, not %s", Describe(n))
	}
}

func (d *decoder) boolean(n *yaml.Node, v reflect.Value, path string) {
	if n.ShortTag() != yaml.NodeTagBool {
		d.problem(path, "must be true or false, not %s", Describe(n))
		return
	}
	v.SetBool(strings.EqualFold(n.Value, "true"))
}

// IsNull says whether a node is null.
func IsNull(n *yaml.Node) bool { return n.ShortTag() == yaml.NodeTagNull }

// fieldNames returns the names of a struct's fields in YAML.
func fieldNames(t reflect.Type) []string {
	names := make([]string, t.NumField())
	for i := range names {
		names[i] = t.Field(i).Tag.Get("json")
	}
	return names
}

// Join returns the path of a field below another one, which may be none.
func Join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// Describe returns the type of a node in the words of an error.
func Describe(n *yaml.Node) string {
	switch n.ShortTag() {
	case yaml.NodeTagMap:
		return "a map"
	case yaml.NodeTagSeq:
		return "a list"
	case yaml.NodeTagInt, yaml.NodeTagFloat:
		return "a number"
	case yaml.NodeTagBool:
		return "a boolean"
	case yaml.NodeTagString:
		return "a string"
	case yaml.NodeTagNull:
		return "null"
	}
	return "of type " + n.ShortTag()
}
