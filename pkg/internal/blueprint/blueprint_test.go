// SPDX-License-Identifier: Apache-2.0

package blueprint_test

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/blueprint"
)

// TestKubernetes holds the schemas of a new module to those of the sample
// modules, which have the same imports.
func TestKubernetes(t *testing.T) {
	t.Parallel()
	want := map[string][]byte{}
	if err := blueprint.Collect(want, "cue.mod/gen", os.DirFS("../../../test/modules/minimal/cue.mod/gen")); err != nil {
		t.Fatal(err)
	}
	got, err := blueprint.Starter()
	if err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(got, func(name string, _ []byte) bool { return !strings.HasPrefix(name, "cue.mod/gen/") })
	if !maps.EqualFunc(want, got, bytes.Equal) {
		t.Errorf("(-want +got):\n%s", cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))))
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	for name, files := range map[string]func() (map[string][]byte, error){
		"starter": blueprint.Starter, "minimal": blueprint.Minimal,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, err := files()
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{
				"cue.mod/module.cue", "cue.mod/pkg/timoni.sh/core/v1alpha1/timoni.cue",
				"README.md", "timoni.cue", "timoni.ignore", "values.cue",
			} {
				if !fs.ValidPath(name) || len(all[name]) == 0 {
					t.Errorf("no %s", name)
				}
			}
		})
	}
}
