// SPDX-License-Identifier: Apache-2.0

package values

import (
	"maps"
	"slices"

	"cuelang.org/go/cue/ast"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// Hider returns a function that puts names in the place of their values, also
// where CUE has quoted these.
func Hider(byName map[string]string) func(string) string {
	names := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		if value := byName[name]; value != "" {
			names[value], names[ast.NewString(value).Value] = "<"+name+">", "<"+name+">"
		}
	}
	return mask.Values(names)
}
