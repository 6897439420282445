// SPDX-License-Identifier: Apache-2.0

package module_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/action/module"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
)

// TestInitRenames makes a module of one whose path has a major version and is
// the beginning of another's.
func TestInitRenames(t *testing.T) {
	t.Parallel()
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "new")
	write(t, from, "cue.mod/module.cue", "// ours\nmodule: \"example.com/old@v1\"\nlanguage: version: \"v0.9.0\"\n")
	write(t, from, "README.md", "# old\n")
	write(t, from, "timoni.cue", `package main

import (
	"strings"
	a "example.com/old/a"
	"example.com/old@v1:main"
	"example.com/older"
	// "example.com/old/a"
	"example.com/old/b:c"
)
`)
	_, err := module.Init(context.Background(), module.InitRequest{
		Name: "example.org/x/new-name", Dir: to, Blueprint: ref.Reference{Dir: from},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"cue.mod/module.cue": "// ours\nmodule: \"example.org/x/new-name@v1\"\nlanguage: version: \"v0.9.0\"\n",
		"README.md":          "# old\n",
		"timoni.cue": `package main

import (
	"strings"
	a "example.org/x/new-name/a"
	"example.org/x/new-name@v1:main"
	"example.com/older"
	// "example.com/old/a"
	"example.org/x/new-name/b:c"
)
`,
	}
	got := map[string]string{}
	for name := range want {
		data, err := os.ReadFile(filepath.Join(to, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		got[name] = string(data)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestInitReadme holds the README of a blueprint to the table that 'mod show
// config --readme' would write; UPDATE=1 writes it.
func TestInitReadme(t *testing.T) {
	t.Parallel()
	for name, minimal := range map[string]bool{"starter": false, "minimal": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			ctx := context.Background()
			if _, err := module.Init(ctx, module.InitRequest{Name: "app", Dir: dir, Minimal: minimal}); err != nil {
				t.Fatal(err)
			}
			config, err := module.ReadConfig(ctx, ref.Reference{Dir: dir}, "", oci.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if os.Getenv("UPDATE") != "" {
				dir = filepath.Join("..", "..", "blueprint", name)
			}
			changed, err := module.WriteReadme(ref.Reference{Dir: dir}, config)
			if err != nil {
				t.Fatal(err)
			}
			if changed && os.Getenv("UPDATE") == "" {
				t.Errorf("the table is not that of the values: run UPDATE=1 go test")
			}
		})
	}
}

func TestInitName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]fail.Code{
		"app": fail.Done, "a": fail.Done, "my-app2": fail.Done, "example.com/app": fail.Done, "sub.example.com/a_b/c": fail.Done,
		"": fail.Usage, "App": fail.Usage, "-a": fail.Usage, "a-": fail.Usage, "a/b": fail.Usage,
		"../a": fail.Usage, "example.com/": fail.Usage, "example.com//a": fail.Usage, "example.com/app@v1": fail.Usage, "a b": fail.Usage,
		"example.com/../a": fail.Usage,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := module.Init(context.Background(), module.InitRequest{Name: name, Dir: t.TempDir(), Minimal: true})
			if got := fail.CodeOf(err); got != want {
				t.Errorf("exit code %d, want %d: %v", got, want, err)
			}
		})
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
