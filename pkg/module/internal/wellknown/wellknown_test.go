// SPDX-License-Identifier: Apache-2.0

package wellknown_test

import (
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/wellknown"
)

// TestRows holds that the list of cluster-scoped kinds is as large as the
// documentation says, names each kind once, and the project of each.
func TestRows(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for project, names := range wellknown.KindNames() {
		for _, name := range names {
			if project == "" || strings.Count(name, ".") < 2 {
				t.Errorf("%s of project %q: a project and a group are required", name, project)
			}
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
