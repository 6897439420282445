// SPDX-License-Identifier: Apache-2.0

package kinds

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// versionsOf returns the versions that a definition has, by name.
func versionsOf(crd api.Object) map[string]map[string]any {
	spec, _ := crd["spec"].(map[string]any)
	list, _ := spec["versions"].([]any)
	versions := map[string]map[string]any{}
	for _, v := range list {
		if version, ok := v.(map[string]any); ok {
			versions[fmt.Sprint(version["name"])] = version
		}
	}
	return versions
}

// Unserved returns the versions that a rendered definition serves and the live
// one does not.
func Unserved(rendered, live api.Object) []string {
	var missing []string
	there := versionsOf(live)
	for name, v := range versionsOf(rendered) {
		if v["served"] == true && there[name]["served"] != true {
			missing = append(missing, name)
		}
	}
	return missing
}

// Differences says how two definitions differ: in their versions and, apart from
// these, in the other fields of their specs.
func Differences(rendered, live api.Object) []string {
	var texts []string
	ours, theirs := versionsOf(rendered), versionsOf(live)
	all := maps.Clone(ours)
	maps.Copy(all, theirs)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		switch {
		case ours[name] == nil:
			texts = append(texts, "version "+name+" is only in the cluster")
		case theirs[name] == nil:
			texts = append(texts, "version "+name+" is only in the module")
		case !reflect.DeepEqual(ours[name], theirs[name]):
			texts = append(texts, "version "+name+" differs")
		}
	}
	spec, _ := rendered["spec"].(map[string]any)
	there, _ := live["spec"].(map[string]any)
	for _, field := range slices.Sorted(maps.Keys(spec)) {
		if field != "versions" && !reflect.DeepEqual(spec[field], there[field]) {
			texts = append(texts, "spec."+field+" differs")
		}
	}
	return texts
}
