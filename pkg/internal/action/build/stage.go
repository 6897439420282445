// SPDX-License-Identifier: Apache-2.0

package build

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
)

// KeepStage leaves in the result only the stage with a name.
func (r *Result) KeepStage(name string) error {
	i := slices.IndexFunc(r.Sets, func(s render.Set) bool { return s.Name == name })
	if i >= 0 {
		r.Sets = r.Sets[i : i+1]
		return nil
	}
	names := make([]string, len(r.Sets))
	for i, s := range r.Sets {
		names[i] = s.Name
	}
	err := fmt.Errorf("the module has no stage %q", name)
	if nearest, ok := fail.Nearest(name, names); ok {
		return fail.Hint(err, "did you mean %q?", nearest)
	}
	return fail.Hint(err, "its stages are: %s", strings.Join(names, ", "))
}
