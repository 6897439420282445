// SPDX-License-Identifier: Apache-2.0

package wellknown

import (
	"regexp"
	"strings"
)

// resourceRE matches the package of a custom resource: GROUP/KIND/VERSION.
var resourceRE = regexp.MustCompile(`^[^/]*\.[^/]*/[^/]*/v[0-9][^/]*$`)

// Vendor returns which command writes a CUE package into cue.mod, as a sentence,
// empty when none does.
func Vendor(importPath string) string {
	switch {
	case strings.HasPrefix(importPath, "k8s.io/"):
		return "write it into cue.mod with 'kubectl timoni mod vendor k8s'"
	case resourceRE.MatchString(importPath):
		return "if it is of a custom resource, write it into cue.mod with 'kubectl timoni mod vendor crd -f FILE'"
	}
	return ""
}
