// SPDX-License-Identifier: Apache-2.0

// Package golden compares with files that hold what must come out, among them
// scripts: txtar archives that hold the input as well. UPDATE=1 writes what
// comes out into them.
package golden

import (
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// wantFile is the file of a script that holds what must come out.
const wantFile = "want"

// Scripts returns the scripts that match a pattern, each with its path, sorted.
func Scripts(t testing.TB, pattern string) iter.Seq2[string, *txtar.Archive] {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scripts match %s: %v", pattern, err)
	}
	return func(yield func(string, *txtar.Archive) bool) {
		for _, path := range paths {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !yield(path, archive) {
				return
			}
		}
	}
}

// Run runs a subtest for each script that matches a pattern. got returns the
// archive as it must be: that of the script, with what comes out.
func Run(t *testing.T, pattern string, got func(*testing.T, *txtar.Archive) *txtar.Archive) {
	t.Helper()
	for path, archive := range Scripts(t, pattern) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			File(t, path, txtar.Format(got(t, archive)))
		})
	}
}

// File compares a file with what it must hold.
func File(t *testing.T, path string, got []byte) {
	t.Helper()
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got, UPDATE=1 rewrites):\n%s", path, diff)
	}
}

// Text is Run for scripts of which the file "want" alone holds what must come
// out.
func Text(t *testing.T, pattern string, got func(*testing.T, *txtar.Archive) string) {
	t.Helper()
	Run(t, pattern, func(t *testing.T, archive *txtar.Archive) *txtar.Archive {
		t.Helper()
		text := []byte(got(t, archive))
		i := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == wantFile })
		if i < 0 {
			i = len(archive.Files)
			archive.Files = append(archive.Files, txtar.File{Name: wantFile})
		}
		archive.Files[i].Data = text
		return archive
	})
}
