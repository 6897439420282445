// SPDX-License-Identifier: Apache-2.0

package mod_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/mod"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
	"github.com/kubectl-timoni/kubectl-timoni/test/golden"
)

// TestConfig compares what is said of the values of the sample modules.
func TestConfig(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"minimal", "stages", "embed"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config, err := mod.ReadConfig(context.Background(), ref.Reference{Dir: "../../../../test/modules/" + name}, "", oci.Options{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			schema, err := config.JSONSchema()
			if err != nil {
				t.Fatal(err)
			}
			got := txtar.Format(&txtar.Archive{Files: []txtar.File{
				{Name: "values.cue", Data: config.CUE()},
				{Name: "values.md", Data: config.Markdown()},
				{Name: "values.schema.json", Data: schema},
			}})
			golden.File(t, filepath.Join("testdata", "config", name+".txtar"), got)
		})
	}
}

func TestWriteReadme(t *testing.T) {
	t.Parallel()
	const table = "\n| Value | Type | Default | Description |\n|---|---|---|---|\n\n"
	const marked = "<!-- timoni:config:begin -->\n" + table + "<!-- timoni:config:end -->\n"
	for name, tc := range map[string]struct{ before, after, err string }{
		"no file":        {"", "## Configuration\n\n" + marked, ""},
		"no marks":       {"# app\n\n", "# app\n\n## Configuration\n\n" + marked, ""},
		"replaced":       {"a\n<!-- timoni:config:begin -->\nold\n<!-- timoni:config:end -->\nb\n", "a\n" + marked + "b\n", ""},
		"as it is":       {"a\n" + marked, "a\n" + marked, ""},
		"a table":        {"## Other\n| x |\n\n## Configuration\n\ntext\n\n| old |\n|---|\n| a |\n\nb\n| c |\n", "## Other\n| x |\n\n## Configuration\n\ntext\n\n" + marked + "\nb\n| c |\n", ""},
		"a table at end": {"# Configuration\n| old |", "# Configuration\n" + marked, ""},
		"only one mark":  {"<!-- timoni:config:begin -->\nold\n", "", "has no line"},
		"wrong way over": {"<!-- timoni:config:end -->\n<!-- timoni:config:begin -->\n", "", "has no line"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if tc.before != "" {
				fixture.Write(t, filepath.Join(dir, "README.md"), tc.before)
			}
			changed, err := mod.WriteReadme(ref.Reference{Dir: dir}, "", &mod.Config{})
			if tc.err != "" {
				if err == nil || changed {
					t.Errorf("no error: %v", changed)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(filepath.Join(dir, "README.md"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.after, string(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if changed != (tc.before != tc.after) {
				t.Errorf("changed: %v", changed)
			}
		})
	}
}
