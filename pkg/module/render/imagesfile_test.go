// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
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
			files := map[string]string{}
			if test.file != "" {
				files["images.cue"] = "package main\n\n" + test.file + "\n"
			}
			got, err := render.ImagesFile(fixture.Module(t, files))
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
