// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/render"
)

func TestImagesFile(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		file string // none when empty
		want []string
		text string
	}{
		"none": {},
		"defaults, sorted": {file: "values: {b: image: {repository: *\"r/b\" | string, tag: *\"1\" | string, digest: *\"\" | string}\na: {repository: \"r/a\", tag: \"\", digest: \"sha256:00\"}}",
			want: []string{"r/a@sha256:00", "r/b:1"}},
		"no image": {file: "values: {a: repository: \"r/a\"}"},
		"broken":   {file: "values: {a: b}", text: "images.cue of "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, "cue.mod"), 0o755); err != nil {
				t.Fatal(err)
			}
			files := map[string]string{"cue.mod/module.cue": "module: \"timoni.sh/a\"\nlanguage: version: \"v0.9.0\"\n"}
			if test.file != "" {
				files["images.cue"] = "package main\n\n" + test.file + "\n"
			}
			for name, data := range files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			got, err := render.ImagesFile(dir)
			if test.text != "" {
				if err == nil || !strings.Contains(err.Error(), test.text) {
					t.Errorf("error %v, want one with %q", err, test.text)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
