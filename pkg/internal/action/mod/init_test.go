// SPDX-License-Identifier: Apache-2.0

package mod_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cuelang.org/go/cue/parser"
	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/mod"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// TestInitRenames makes a module of one whose path has a major version and is
// the beginning of another's.
func TestInitRenames(t *testing.T) {
	t.Parallel()
	to := filepath.Join(t.TempDir(), "new")
	from := fixture.Dir(t, map[string]string{
		"cue.mod/module.cue": "// ours\nmodule: \"example.com/old@v1\"\nlanguage: version: \"v0.9.0\"\n",
		"README.md":          "# old\n",
		"timoni.cue": `package main

import (
	"strings"
	a "example.com/old/a"
	"example.com/old@v1:main"
	"example.com/older"
	// "example.com/old/a"
	"example.com/old/b:c"
)
`,
	})
	_, err := mod.Init(context.Background(), mod.InitRequest{
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
			dir := initiated(t, minimal)
			config, err := mod.ReadConfig(t.Context(), ref.Reference{Dir: dir}, "", oci.Options{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if os.Getenv("UPDATE") != "" {
				dir = filepath.Join("..", "..", "blueprint", name)
			}
			changed, err := mod.WriteReadme(ref.Reference{Dir: dir}, "", config)
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
			_, err := mod.Init(context.Background(), mod.InitRequest{Name: name, Dir: t.TempDir(), Minimal: true})
			if got := fail.CodeOf(err); got != want {
				t.Errorf("exit code %d, want %d: %v", got, want, err)
			}
		})
	}
}

// FuzzBlueprint holds of any cue.mod/module.cue and any file in CUE of a
// blueprint that a module made from it has its own path, and that what
// was CUE still is.
func FuzzBlueprint(f *testing.F) {
	f.Add("module: \"timoni.sh/old@v1\"\nlanguage: version: \"v0.9.0\"\n", "package main\n\nimport (\n\ta \"timoni.sh/old/templates\"\n\t\"timoni.sh/old@v1:x\"\n)\n")
	f.Add("module: #\"a\"#", "import \"a\"; import b \"a/b\"; x: b.#C")
	f.Add("module: \"timoni.sh/old@v\x19\"", "import \"timoni.sh/old/\u009b\"")
	f.Add("\"module\": '''\n\ta\n\t'''\n", "\ufeffpackage x")
	f.Fuzz(func(t *testing.T, moduleFile, file string) {
		to := filepath.Join(t.TempDir(), "new")
		from := fixture.Dir(t, map[string]string{"cue.mod/module.cue": moduleFile, "file.cue": file})
		_, err := mod.Init(context.Background(), mod.InitRequest{Name: "example.com/new", Dir: to, Blueprint: ref.Reference{Dir: from}})
		if err != nil {
			return
		}
		for name, before := range map[string]string{"cue.mod/module.cue": moduleFile, "file.cue": file} {
			after, err := os.ReadFile(filepath.Join(to, filepath.FromSlash(name)))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := parser.ParseFile(name, before); err != nil {
				continue
			}
			if _, err := parser.ParseFile(name, after); err != nil {
				t.Errorf("%s was CUE and is none: %v\n%s", name, err, after)
			}
			if name != "file.cue" && !strings.Contains(string(after), "\"example.com/new") {
				t.Errorf("the module has no path of its own:\n%s", after)
			}
		}
	})
}

// TestInitLinks holds that a module is not written through a link in the
// directory that it is made in.
func TestInitLinks(t *testing.T) {
	t.Parallel()
	for _, at := range []string{".", "templates", "cue.mod"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			elsewhere, top := t.TempDir(), t.TempDir()
			dir := filepath.Join(top, "new")
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, at)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(elsewhere, filepath.Join(dir, at)); err != nil {
				t.Skip(err)
			}
			_, err := mod.Init(t.Context(), mod.InitRequest{Name: "app", Dir: dir})
			if fail.CodeOf(err) != fail.Refused {
				t.Errorf("error %v", err)
			}
			if entries, err := os.ReadDir(elsewhere); err != nil || len(entries) > 0 {
				t.Errorf("there is %v, %v", entries, err)
			}
			fixture.NoFilesBelow(t, dir)
		})
	}
}
