// SPDX-License-Identifier: Apache-2.0

// Package delta compares what the cluster has with what is desired: as a list
// of field changes for programs, and as text for people. What it returns never
// holds the data of a Secret.
package delta

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"

	"github.com/rogpeppe/go-internal/diff"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// Change is one field that differs. Old is nil for a field that is added, New
// for one that is removed.
type Change struct {
	Path string `json:"path"` // .spec.template.spec.containers[name=app].image
	Old  any    `json:"old,omitempty"`
	New  any    `json:"new,omitempty"`
}

// Compare returns the fields in which two states of an object differ, sorted
// by path; either may be nil. What the server keeps for itself (managed
// fields, versions, times and the status) does not count.
func Compare(before, after api.Object) []Change {
	before, after = Masked(before, after)
	var changes []Change
	compare("", any(map[string]any(before)), any(map[string]any(after)), &changes)
	return changes
}

// Text returns the difference of two states of an object as a unified diff of
// their YAML, empty when there is none; either may be nil. The names stand in
// its header.
func Text(beforeName string, before api.Object, afterName string, after api.Object) (string, error) {
	before, after = Masked(before, after)
	unified := diff.Diff(beforeName, text(before), afterName, text(after))
	if _, hunks, found := bytes.Cut(unified, []byte("\n")); found { // after the line "diff OLD NEW"
		return string(hunks), nil
	}
	return "", nil
}

func text(o api.Object) []byte {
	if o == nil {
		return nil
	}
	out, err := yaml.Marshal(o)
	if err != nil { // of a character that the library does not write
		return api.ValueYAML(map[string]any(o))
	}
	return out
}

// Masked returns copies of two states of an object without what the server
// keeps for itself, and with the data of a Secret replaced by marks that show
// only whether a value changed. The words are those of kubectl diff.
func Masked(before, after api.Object) (api.Object, api.Object) {
	before, after = stripped(before), stripped(after)
	if !before.IsSecret() && !after.IsSecret() {
		return before, after
	}
	mask.Secret(before, after)
	return before, after
}

// Hidden returns an object to be shown: a Secret as a copy in which the values
// of its data are masked, any other object as it is.
func Hidden(o api.Object) api.Object {
	if !o.IsSecret() {
		return o
	}
	o = o.DeepCopy()
	mask.Secret(nil, o)
	return o
}

// stripped returns a copy of an object without what the server keeps for
// itself.
func stripped(o api.Object) api.Object {
	if o == nil {
		return nil
	}
	c := o.DeepCopy()
	delete(c, "status")
	metadata, _ := c["metadata"].(map[string]any)
	for _, field := range []string{"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink"} {
		delete(metadata, field)
	}
	return c
}

func compare(path string, before, after any, changes *[]Change) {
	if reflect.DeepEqual(before, after) {
		return
	}
	oldMap, isOldMap := before.(map[string]any)
	newMap, isNewMap := after.(map[string]any)
	if isOldMap && isNewMap && (path == "" || oldMap != nil && newMap != nil) {
		for _, key := range union(oldMap, newMap) {
			compare(path+Field(key), oldMap[key], newMap[key], changes)
		}
		return
	}
	oldList, isOldList := before.([]any)
	newList, isNewList := after.([]any)
	if isOldList && isNewList {
		compareLists(path, oldList, newList, changes)
		return
	}
	*changes = append(*changes, Change{Path: path, Old: before, New: after})
}

// compareLists compares the items of lists whose items all have names by name,
// those of others by index.
func compareLists(path string, before, after []any, changes *[]Change) {
	oldByName, isOld := byName(before)
	newByName, isNew := byName(after)
	if isOld && isNew {
		for _, name := range union(oldByName, newByName) {
			compare(path+"[name="+name+"]", oldByName[name], newByName[name], changes)
		}
		return
	}
	for i := range max(len(before), len(after)) {
		compare(path+"["+strconv.Itoa(i)+"]", at(before, i), at(after, i), changes)
	}
}

func at(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}

func byName(list []any) (map[string]any, bool) {
	items := map[string]any{}
	for _, item := range list {
		m, _ := item.(map[string]any)
		name, ok := m["name"].(string)
		if _, twice := items[name]; !ok || twice {
			return nil, false
		}
		items[name] = item
	}
	return items, true
}

// Field returns a key as part of a path, quoted where it has to be.
func Field(key string) string {
	for _, r := range key {
		if r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return fmt.Sprintf("[%q]", key)
		}
	}
	return "." + key
}

func union(a, b map[string]any) []string {
	keys := slices.Collect(maps.Keys(a))
	for k := range b {
		if _, both := a[k]; !both {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}
