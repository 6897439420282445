// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
)

// TestWellKnown holds that the list of cluster-scoped kinds is as large as the
// documentation says, names each kind once, and the project of each.
func TestWellKnown(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, known := range render.WellKnown() {
		if known[0] == "" || !strings.Contains(known[1], ".") {
			t.Errorf("%q: a project and a group are required", known)
		}
		for kind := range strings.FieldsSeq(known[2]) {
			name := kind + "." + known[1]
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
