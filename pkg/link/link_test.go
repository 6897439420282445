// SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/link"
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
