// SPDX-License-Identifier: Apache-2.0

package mod_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/mod"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// TestWriteLinks holds that nothing of a module is written through a link that
// its author put there: not by fmt, by the table of values in a README, or by
// tests that are updated.
func TestWriteLinks(t *testing.T) {
	t.Parallel()
	const unformatted, test = "package main\na:   1\n", "-- objects.yaml --\nkind: Job\n"
	const cases = "cases: x: objects: []\n"
	format := func(path string) func(dir string) error {
		return func(dir string) error {
			changed, err := mod.Format([]string{filepath.Join(dir, path)})
			if err == nil && len(changed) == 0 {
				t.Errorf("%s: nothing is to be formatted", path)
			}
			for _, f := range changed {
				if err := f.Write(); err != nil {
					return err
				}
			}
			return err
		}
	}
	update := func(dir string) error {
		_, err := mod.Test(t.Context(), mod.TestRequest{Dir: dir, Update: true})
		return err
	}
	inside := func(dir string) error {
		tests, err := mod.Test(t.Context(), mod.TestRequest{Dir: dir, Update: true})
		if err == nil && strings.Contains(strings.Join(tests[0].Failures, ""), "symbolic link") {
			err = fail.With(fail.Refused, os.ErrPermission)
		}
		return err
	}
	readme := func(dir string) error {
		_, err := mod.WriteReadme(ref.Reference{Dir: dir}, "", &mod.Config{})
		return err
	}
	for name, tc := range map[string]struct {
		at, to, content string
		do              func(dir string) error
		isRead          bool // the link may be followed to read
	}{
		"fmt of a linked file":              {"a.cue", "file", unformatted, format("a.cue"), true},
		"fmt of a linked directory":         {"linked", ".", unformatted, format("linked"), true},
		"fmt of a file in it":               {"linked", ".", unformatted, format("linked/a.cue"), true},
		"a table in a README":               {"README.md", "file", "# mine\n", readme, true},
		"a test":                            {"tests/a.txtar", "file", test, update, false},
		"a test that is a link in it":       {"tests/a.txtar", "../more/a", test, inside, true},
		"cases":                             {"tests/a.cue", "file", cases, update, false},
		"cases that are a link in it":       {"tests/a.cue", "../more/a", cases, update, true},
		"a directory of tests":              {"tests", ".", test, update, false},
		"the directory of the module fmt":   {"", ".", unformatted, format("a.cue"), true},
		"the directory of the module table": {"", ".", "# mine\n", readme, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			top := t.TempDir()
			elsewhere := fixture.Dir(t, map[string]string{"file": tc.content, "a.cue": tc.content, "a.txtar": tc.content, "README.md": tc.content})
			dir := filepath.Join(top, "mod")
			if tc.at != "" {
				fixture.Files(t, dir, map[string]string{
					"cue.mod/module.cue": "module: \"timoni.sh/test\"\nlanguage: version: \"v0.9.0\"\n",
					"values.cue":         "package main\n\nvalues: {}\n",
					"timoni.cue":         "package main\n\ntimoni: {\n\tapiVersion: \"v1alpha1\"\n\tapply: app: [{apiVersion: \"v1\", kind: \"ConfigMap\", metadata: name: \"x\"}]\n}\n",
					"more/a":             tc.content,
				})
			}
			to := tc.to
			if !strings.HasPrefix(to, "..") {
				to = filepath.Join(elsewhere, to)
			}
			name := filepath.Join(dir, filepath.FromSlash(tc.at))
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(to, name); err != nil {
				t.Skip(err)
			}
			if err := tc.do(dir); tc.isRead && fail.CodeOf(err) != fail.Refused {
				t.Errorf("error %v", err)
			}
			for _, file := range []string{filepath.Join(elsewhere, "file"), filepath.Join(elsewhere, "a.cue"), filepath.Join(elsewhere, "README.md"), filepath.Join(dir, "more", "a")} {
				if data, err := os.ReadFile(file); err == nil && string(data) != tc.content {
					t.Errorf("%s was written to: %q", file, data)
				}
			}
			if entries, err := os.ReadDir(elsewhere); err != nil || len(entries) != 4 {
				t.Errorf("elsewhere there is %v, %v", entries, err)
			}
		})
	}
}

// TestTestLinks holds that a test that fails shows no file from outside.
func TestTestLinks(t *testing.T) {
	t.Parallel()
	dir := fixture.Module(t, nil)
	fixture.Files(t, dir, map[string]string{"tests/b": ""})
	outside := fixture.Write(t, filepath.Join(t.TempDir(), "private"), "hunter2: hunter2\n")
	if err := os.Symlink(outside, filepath.Join(dir, "tests", "a.txtar")); err != nil {
		t.Skip(err)
	}
	tests, err := mod.Test(t.Context(), mod.TestRequest{Dir: dir})
	if err != nil || len(tests) != 1 || tests[0].Status != mod.Failed {
		t.Fatalf("%v, %v", tests, err)
	}
	if failure := strings.Join(tests[0].Failures, "\n"); !strings.Contains(failure, "leads out of the module") || strings.Contains(failure, "hunter2") {
		t.Error(failure)
	}
}
