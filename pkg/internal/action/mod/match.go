// SPDX-License-Identifier: Apache-2.0

package mod

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// find returns the object of which want is a part: the one of its kind, name
// and, where want has them, API version and namespace. Without a name it is the
// only one.
func find(objects []api.Object, want api.Object) (api.Object, error) {
	var found []api.Object
	for _, o := range objects {
		if o.Kind() == want.Kind() && isOrEmpty(want.Name(), o.Name()) &&
			isOrEmpty(want.APIVersion(), o.APIVersion()) && isOrEmpty(want.Namespace(), o.Namespace()) {
			found = append(found, o)
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("%s is not rendered: %s", title(want), rendered(objects))
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("%s is rendered %d times: select one by name, namespace and apiVersion", title(want), len(found))
}

func isOrEmpty(want, got string) bool { return want == "" || want == got }

// rendered says what there is.
func rendered(objects []api.Object) string {
	if len(objects) == 0 {
		return "there are no objects"
	}
	titles := make([]string, len(objects))
	for i, o := range objects {
		titles[i] = title(o)
	}
	return "there are " + strings.Join(titles, ", ")
}

// part returns of got what want speaks of, in its form: the fields of maps, the
// elements of lists that have the names of those in want, and else the elements
// one by one. A null in want stands for what does not exist.
func part(want, got any) any {
	switch want := want.(type) {
	case *constraint:
		if want.allows(got) {
			return want
		}
	case map[string]any:
		fields, ok := got.(map[string]any)
		if !ok {
			return got
		}
		of := map[string]any{}
		for key, value := range want {
			if field, ok := fields[key]; ok {
				of[key] = part(value, field)
			} else if value == nil {
				of[key] = nil
			}
		}
		return of
	case []any:
		if list, ok := got.([]any); ok {
			return partOfList(want, list)
		}
	}
	return got
}

func partOfList(want, got []any) any {
	of := []any{}
	if byName := named(got); byName != nil && named(want) != nil {
		for _, value := range want {
			if element, ok := byName[nameOf(value)]; ok {
				of = append(of, part(value, element))
			}
		}
		return of
	}
	if len(want) != len(got) {
		return got
	}
	for i, value := range want {
		of = append(of, part(value, got[i]))
	}
	return of
}

// named returns the elements of a list by name, or nil if not each has one of
// its own.
func named(list []any) map[string]any {
	byName := map[string]any{}
	for _, element := range list {
		byName[nameOf(element)] = element
	}
	if _, nameless := byName[""]; nameless || len(byName) < len(list) {
		return nil
	}
	return byName
}

func nameOf(element any) string {
	m, _ := element.(map[string]any)
	name, _ := m["name"].(string)
	return name
}

// compare returns what got has otherwise than want, which is a part of it, as a
// unified diff; empty when there is nothing.
func compare(want, got api.Object) string {
	of, _ := part(map[string]any(want), map[string]any(got)).(map[string]any)
	if reflect.DeepEqual(map[string]any(want), of) {
		return ""
	}
	return difference(partYAML(want), partYAML(of))
}

// partYAML returns the text of a part of an object, in which constraints stand
// as they are in CUE.
func partYAML(of map[string]any) string {
	var replace []string
	object, _ := readable(of, &replace).(map[string]any)
	return strings.NewReplacer(replace...).Replace(string(api.YAML([]api.Object{object})))
}

// difference returns a unified diff without a heading of its own.
func difference(want, got string) string {
	text := string(diff.Diff("want", []byte(want), "got", []byte(got)))
	_, text, _ = strings.Cut(text, "\n")
	return strings.TrimSuffix(text, "\n")
}
