// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// maxAnnotations is the API server's limit for all annotations of an object.
const maxAnnotations = 256 * 1024

// validate holds the objects to the API server's rules for metadata, and finds
// those that are rendered twice. An object that is equal to an earlier one is
// left out, with a warning.
func (r *reader) validate() {
	first := map[api.ID]*found{}
	repeated := map[api.ID]bool{}
	var kept []*found
	for _, f := range r.found {
		faults := check(f.object)
		for _, fault := range faults {
			r.fault(f.value, fault)
		}
		if len(faults) > 0 {
			continue
		}
		id := f.object.ID()
		switch other := first[id]; {
		case other == nil:
			first[id] = f
			kept = append(kept, f)
		case !reflect.DeepEqual(f.object, other.object):
			r.problem(f.value, "%s is rendered twice, and differs: it is also %s", id, other.value.Path())
			p := &r.problems[len(r.problems)-1]
			p.Positions = append(p.Positions, positions(other.value)...)
		case !repeated[id]:
			repeated[id] = true
			r.warnings = append(r.warnings, fmt.Sprintf("%s is rendered more than once, always the same: the first is kept", id))
		}
	}
	r.found = kept
}

// fault is something wrong with one field of an object.
type fault struct {
	path    []string
	message string
}

// fault reports a fault where the field was written or, if it is not written anywhere, at
// the object.
func (r *reader) fault(object cue.Value, f fault) {
	f.message = regexRE.ReplaceAllString(f.message, ")")
	selectors := make([]cue.Selector, len(f.path))
	for i, name := range f.path {
		selectors[i] = cue.Str(name)
	}
	if field := object.LookupPath(cue.MakePath(selectors...)); field.Exists() {
		r.problem(field, "%s", f.message)
		return
	}
	r.problem(object, "%s", f.message)
}

// regexRE matches what Kubernetes appends to a rule that it has put into words
// and given an example of.
var regexRE = regexp.MustCompile(`, regex used for validation is '[^']*'\)`)

// check returns what the API server would not accept in any object.
func check(o api.Object) []fault {
	var faults []fault
	add := func(message string, path ...string) { faults = append(faults, fault{path, message}) }
	if version, ok := o["apiVersion"].(string); !ok {
		add("the object has no apiVersion", "apiVersion")
	} else if !isAPIVersion(version) {
		add(fmt.Sprintf("%q is not an API version such as v1 or apps/v1", version), "apiVersion")
	}
	if o.Kind() == "" {
		add("the object has no kind", "kind")
	}
	metadata, ok := o["metadata"].(map[string]any)
	if !ok {
		add("the object has no metadata", "metadata")
		return faults
	}
	for _, message := range checkName(o, metadata["name"]) {
		add(message, "metadata", "name")
	}
	if message := checkNamespace(metadata["namespace"]); message != "" {
		add(message, "metadata", "namespace")
	}
	faults = append(faults, checkLabels(metadata["labels"])...)
	return append(faults, checkAnnotations(metadata["annotations"])...)
}

func isAPIVersion(s string) bool {
	group, version, hasGroup := strings.Cut(s, "/")
	if !hasGroup {
		return len(validation.IsDNS1035Label(s)) == 0
	}
	return len(validation.IsDNS1035Label(version)) == 0 && len(validation.IsDNS1123Subdomain(group)) == 0
}

func checkName(o api.Object, name any) []string {
	s, _ := name.(string)
	if s == "" {
		return []string{"the object has no name"}
	}
	messages := nameRule(o)(s)
	for i, message := range messages {
		messages[i] = fmt.Sprintf("%q: %s", s, message)
	}
	return messages
}

// nameRule returns the API server's rule for the names of a kind.
func nameRule(o api.Object) func(string) []string {
	switch gk := o.GroupKind(); {
	case gk == api.GroupKind{Kind: "Namespace"}, gk == api.GroupKind{Kind: "Service"}:
		return validation.IsDNS1123Label
	case gk.Group == "rbac.authorization.k8s.io", gk.Kind == "ClusterTrustBundle", gk.Kind == "IPAddress":
		return content.IsPathSegmentName
	}
	return validation.IsDNS1123Subdomain
}

func checkNamespace(namespace any) string {
	if namespace == nil {
		return ""
	}
	s, ok := namespace.(string)
	if !ok {
		return fmt.Sprintf("the namespace is not a string: %v", namespace)
	}
	if messages := validation.IsDNS1123Label(s); len(messages) > 0 {
		return fmt.Sprintf("%q: %s", s, messages[0])
	}
	return ""
}

func checkLabels(labels any) []fault {
	entries, faults := stringMap(labels, "labels")
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		for _, message := range validation.IsQualifiedName(key) {
			faults = append(faults, fault{[]string{"metadata", "labels", key}, fmt.Sprintf("label key %q: %s", key, message)})
		}
		for _, message := range validation.IsValidLabelValue(entries[key]) {
			faults = append(faults, fault{[]string{"metadata", "labels", key}, fmt.Sprintf("label value %q: %s", entries[key], message)})
		}
	}
	return faults
}

func checkAnnotations(annotations any) []fault {
	entries, faults := stringMap(annotations, "annotations")
	size := 0
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		size += len(key) + len(entries[key])
		for _, message := range validation.IsQualifiedName(strings.ToLower(key)) {
			faults = append(faults, fault{[]string{"metadata", "annotations", key}, fmt.Sprintf("annotation key %q: %s", key, message)})
		}
	}
	if size > maxAnnotations {
		faults = append(faults, fault{[]string{"metadata", "annotations"},
			fmt.Sprintf("the annotations have %d bytes together, %d are allowed", size, maxAnnotations)})
	}
	return faults
}

// stringMap returns the entries of labels or annotations, and what is no string
// among them.
func stringMap(v any, name string) (map[string]string, []fault) {
	if v == nil {
		return nil, nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, []fault{{[]string{"metadata", name}, fmt.Sprintf("the %s are not a map", name)}}
	}
	entries := make(map[string]string, len(m))
	var faults []fault
	for _, key := range slices.Sorted(maps.Keys(m)) {
		s, ok := m[key].(string)
		if !ok {
			faults = append(faults, fault{[]string{"metadata", name, key}, fmt.Sprintf("%v is not a string", m[key])})
			continue
		}
		entries[key] = s
	}
	return entries, faults
}
