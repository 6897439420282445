// SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/link"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	fixture.Files(t, top, map[string]string{"real/sub/file": "", "elsewhere/file": ""})
	for name, to := range map[string]string{
		"linked": "real", "real/dir": "../elsewhere", "real/leaf": "sub/file", "real/dangling": "nowhere",
	} {
		if err := os.Symlink(filepath.FromSlash(to), filepath.Join(top, filepath.FromSlash(name))); err != nil {
			t.Skip(err)
		}
	}
	for name, test := range map[string]struct {
		dir, name string
		refused   bool
	}{
		"a directory":                     {"real", ".", false},
		"a file":                          {"real", "sub/file", false},
		"a new file":                      {"real", "sub/new", false},
		"a new directory":                 {"new", "a/b", false},
		"a linked directory":              {"linked", ".", true},
		"a linked one with a slash":       {"linked/", "sub/file", true},
		"a link below it":                 {"real", "dir/file", true},
		"a new file below a link":         {"real", "dir/new/file", true},
		"a linked file, within":           {"real", "leaf", true},
		"a link to what does not exist":   {"real", "dangling", true},
		"a way to the directory may lead": {"linked/sub", "file", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := link.Check(top+string(filepath.Separator)+test.dir, filepath.FromSlash(test.name))
			if test.refused != (fail.CodeOf(err) == fail.Refused) || !test.refused && err != nil {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestWrite holds that none of what writes a file leaves the directory, and
// that a file that is replaced keeps its mode.
func TestWrite(t *testing.T) {
	t.Parallel()
	writers := map[string]func(dir, name string, data []byte, mode os.FileMode) error{
		"WriteFile": link.WriteFile, "Replace": link.Replace, "Create": link.Create,
	}
	for writer, write := range writers {
		for name, test := range map[string]struct{ dir, name, refusedBy string }{
			"a new file":          {"real", "a/b/new", ""},
			"a file":              {"real", "sub/file", "Create"},
			"a linked directory":  {"linked", "new", "all"},
			"a file below a link": {"real", "dir/file", "all"},
			"a linked file":       {"real", "leaf", "WriteFile Create"},
			"a link to nothing":   {"real", "dangling", "WriteFile Create"},
			"a new directory":     {"new/one", "file", ""},
		} {
			t.Run(writer+"/"+name, func(t *testing.T) {
				t.Parallel()
				top := t.TempDir()
				fixture.Files(t, top, map[string]string{"real/sub/file": "old", "elsewhere/file": "mine"})
				if err := os.Chmod(filepath.Join(top, "real", "sub", "file"), 0o646); err != nil {
					t.Fatal(err)
				}
				for name, to := range map[string]string{
					"linked": "elsewhere", "real/dir": "../elsewhere", "real/leaf": "../elsewhere/file", "real/dangling": "../elsewhere/new",
				} {
					if err := os.Symlink(filepath.FromSlash(to), filepath.Join(top, filepath.FromSlash(name))); err != nil {
						t.Skip(err)
					}
				}
				dir, file := filepath.Join(top, filepath.FromSlash(test.dir)), filepath.FromSlash(test.name)
				err := write(dir, file, []byte("new"), 0o644)
				if refused := test.refusedBy == "all" || strings.Contains(test.refusedBy, writer); refused != (err != nil) {
					t.Fatalf("error %v", err)
				}
				if data, readErr := os.ReadFile(filepath.Join(dir, file)); err == nil && (readErr != nil || string(data) != "new") {
					t.Errorf("there is %q, %v", data, readErr)
				}
				info, statErr := os.Stat(filepath.Join(top, "real", "sub", "file"))
				if statErr != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o646 && writer == "WriteFile" {
					t.Errorf("mode %v, %v", info.Mode(), statErr)
				}
				entries, readErr := os.ReadDir(filepath.Join(top, "elsewhere"))
				if data, _ := os.ReadFile(filepath.Join(top, "elsewhere", "file")); readErr != nil || len(entries) != 1 || string(data) != "mine" {
					t.Errorf("elsewhere there is %v with %q, %v", entries, data, readErr)
				}
			})
		}
	}
}

// What cannot be replaced is named as the user knows it, and nothing is left.
func TestReplaceFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "values.cue", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	err := link.Replace(dir, "values.cue", nil, 0o600)
	if err == nil || !strings.HasPrefix(err.Error(), "replace "+filepath.Join(dir, "values.cue")+": ") {
		t.Errorf("error %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v", left, err)
	}
}
