// SPDX-License-Identifier: Apache-2.0

package blueprint_test

import (
	"archive/zip"
	"bytes"
	"io/fs"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/blueprint"
)

// TestKubernetes holds the embedded schemas to those that 'cue get go' made
// for the sample modules.
func TestKubernetes(t *testing.T) {
	t.Parallel()
	want := map[string][]byte{}
	if err := blueprint.Collect(want, "", os.DirFS("../../test/modules/minimal/cue.mod/gen")); err != nil {
		t.Fatal(err)
	}
	if os.Getenv("UPDATE") != "" {
		update(t, want)
	}
	data, err := os.ReadFile("kubernetes.zip")
	if err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]byte{}
	if err := blueprint.Collect(got, "", r); err != nil {
		t.Fatal(err)
	}
	if !maps.EqualFunc(want, got, bytes.Equal) {
		t.Errorf("run UPDATE=1 go test: (-want +got):\n%s",
			cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))))
	}
}

// update writes the archive, if it would hold anything else, so that another
// version of Go's compression changes no file.
func update(t *testing.T, files map[string][]byte) {
	t.Helper()
	if old, err := zip.OpenReader("kubernetes.zip"); err == nil {
		had := map[string][]byte{}
		err = blueprint.Collect(had, "", old)
		old.Close()
		if err == nil && maps.EqualFunc(files, had, bytes.Equal) {
			return
		}
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(files[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("kubernetes.zip", b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
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
