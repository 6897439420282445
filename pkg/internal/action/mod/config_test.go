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
				{Name: "values.yaml", Data: config.YAML()},
				{Name: "values.schema.json", Data: schema},
			}})
			golden.File(t, filepath.Join("testdata", "config", name+".txtar"), got)
		})
	}
}

// TestConfigForms compares what is said of maps, of bounds that name other
// fields, of optional structs, of choices, and of the comment of a struct.
func TestConfigForms(t *testing.T) {
	t.Parallel()
	dir := fixture.Module(t, map[string]string{"timoni.cue": formsModule, "values.cue": "package main\n\nvalues: {}\n"})
	config, err := mod.ReadConfig(t.Context(), ref.Reference{Dir: dir}, "", oci.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := config.JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	golden.File(t, "testdata/config/forms.txtar", txtar.Format(&txtar.Archive{Files: []txtar.File{
		{Name: "values.cue", Data: config.CUE()},
		{Name: "values.md", Data: config.Markdown()},
		{Name: "values.yaml", Data: config.YAML()},
		{Name: "values.schema.json", Data: schema},
	}}))
}

const formsModule = `package main

#Limit: 100

#Node: {
	v: *1 | int
	next?: #Node
	all?: [...#Node]
}

#Config: {
	// The autoscaler.
	hpa: {
		enabled: *false | bool
		// The bound of max is another value, not the default of it.
		min: *2 | int & >=1
		max: *6 | int & >=min & <=#Limit
	}

	// Queues by name.
	queues: [string]: {
		// How many.
		partitions: *3 | int & <=64
		retention?: =~"^[0-9]+h$"
	}

	labels: [=~"^[a-z]+$"]: string
	limits: {
		cpu?: string
		[=~"/"]: string | int
	}
	tls?: {
		// The Secret with the certificate.
		secret!: string
		// A default within what is optional.
		port: *443 | int & <=65535
	}
	// One of two structs, with a default or without.
	either: {a!: int} | {b!: string} | *{a: 1}
	one: {c!: int} | {d!: string}
	maybe?: {e!: int} | {f!: string}
	// Neither YAML nor JSON can give bytes.
	raw: *'x' | bytes
	// Structs in a list have defaults, and no other fields.
	items: [...{v: *1 | int, w!: string, x?: bool}]
	open: [...{v: *1 | int, ...}]
	fixed: [...{kind: "A", v: *1 | int}]
	nodes: [...#Node]
	tree?: #Node
	// null unsets a field.
	named:   null | string
	unnamed: *null | string
	text: *"a\nb" | string
	on!:  bool
}

values: #Config

timoni: {
	apiVersion: "v1alpha1"
	instance: config: values
	apply: app: []
}
`

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
