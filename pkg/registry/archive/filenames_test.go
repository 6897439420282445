// SPDX-License-Identifier: Apache-2.0

package archive_test

import (
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
)

func TestNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		".git", ".GIT", ".Git", ".git.", ".git ", ".git. .", "git~1", "GIT~1", "git~1.", ".git::$INDEX_ALLOCATION", ".git:x",
		".g\u200cit", "\ufeff.git", ".git\u200d", ".gi\u202et", ".g\u00adit", ".git\ufe0f",
	} {
		if !archive.IsGit(name) {
			t.Errorf("%+q is not taken for .git", name)
		}
	}
	for _, name := range []string{".gitignore", ".gitattributes", ".github", "git", "x.git", ".git2", "git~2", "..git"} {
		if archive.IsGit(name) {
			t.Errorf("%q is taken for .git", name)
		}
	}
	for _, name := range []string{"con", "CON", "nul.txt", "aux .x", "com1", "LPT9.cue", "com¹", "conin$", "a:b", "a.", "a ", "a?", "a\x01"} {
		if !archive.IsReserved(name) {
			t.Errorf("%q is taken for a file name on Windows", name)
		}
	}
	for _, name := range []string{"console", "com", "com10", "a.con", "lpt", ".a", "a b", "ü"} {
		if archive.IsReserved(name) {
			t.Errorf("%q is not taken for a file name on Windows", name)
		}
	}
}
