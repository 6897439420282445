// SPDX-License-Identifier: Apache-2.0

package wellknown_test

import (
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/wellknown"
)

// TestRows holds that the list of cluster-scoped kinds is as large as the
// documentation says, names each kind once, and the project of each.
func TestRows(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, known := range wellknown.Rows() {
		if known.Project == "" || !strings.Contains(known.Group, ".") {
			t.Errorf("%v: a project and a group are required", known)
		}
		for _, kind := range known.Kinds {
			name := kind + "." + known.Group
			if seen[name] {
				t.Errorf("%s is in the list twice", name)
			}
			seen[name] = true
		}
	}
	if len(seen) < 150 {
		t.Errorf("%d kinds, want at least 150", len(seen))
	}
}
