// SPDX-License-Identifier: Apache-2.0

package arch_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/test/arch"
)

// TestAPI holds that the rule finds what can be imported and is not named.
func TestAPI(t *testing.T) {
	t.Parallel()
	files := []arch.File{
		{Path: "docs/library.md", Source: "| `pkg/fail` | errors |\n"},
		{Path: "pkg/fail/a.go", Source: head}, {Path: "pkg/mask/a.go", Source: head}, {Path: "pkg/module/doc.go", Source: head},
		{Path: "pkg/internal/link/a.go", Source: head}, {Path: "pkg/module/internal/order/a.go", Source: head},
		{Path: "pkg/cli/ui/a.go", Source: head}, {Path: "pkg/ref/a_test.go", Source: head},
	}
	var found []string
	for _, f := range arch.Check(files) {
		if f.Rule == "api" {
			found = append(found, f.Path)
		}
	}
	if !slices.Equal(found, []string{"pkg/mask/a.go"}) {
		t.Errorf("found %s", strings.Join(found, ", "))
	}
}
