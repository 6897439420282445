// SPDX-License-Identifier: Apache-2.0

package ignore_test

import (
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/internal/ignore"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// ignoreTree are the files that the patterns of TestIgnore choose from.
var ignoreTree = []string{
	"README.md", "a b", "build", "docs/README.md", "docs/img/a.png", "docs/img/b.png",
	"src/build/x.o", "src/x.c", "src/x.o", "t/[x]", "t/#x", "t/!x", "t/-", "t/]",
}

// TestIgnore says which files of ignoreTree some patterns leave out. Where git
// is installed it is asked the same.
func TestIgnore(t *testing.T) {
	t.Parallel()
	dir := gitRepository(t)
	for name, test := range map[string]struct {
		patterns string
		want     []string
	}{
		"empty":                    {"\n# nothing\n\n", nil},
		"a name, at any depth":     {"README.md", []string{"README.md", "docs/README.md"}},
		"a name, in the root":      {"/README.md", []string{"README.md"}},
		"a directory only":         {"build/", []string{"src/build/x.o"}},
		"a file or a directory":    {"build", []string{"build", "src/build/x.o"}},
		"a slash anchors":          {"img/a.png\nsrc/x.c", []string{"src/x.c"}},
		"a star stays in a name":   {"docs/*.png\nsrc/*.o", []string{"src/x.o"}},
		"two stars cross names":    {"docs/**/*.png", []string{"docs/img/a.png", "docs/img/b.png"}},
		"two stars in front":       {"**/img", []string{"docs/img/a.png", "docs/img/b.png"}},
		"two stars at the end":     {"src/**", []string{"src/build/x.o", "src/x.c", "src/x.o"}},
		"two stars within a name":  {"src/x**o", []string{"src/x.o"}},
		"the last match wins":      {"*.png\n!b.png\n", []string{"docs/img/a.png"}},
		"an exclusion before":      {"!b.png\n*.png\n", []string{"docs/img/a.png", "docs/img/b.png"}},
		"a parent that is out":     {"docs/\n!docs/README.md", []string{"docs/README.md", "docs/img/a.png", "docs/img/b.png"}},
		"a parent that is back in": {"/*\n!/docs", slices.DeleteFunc(slices.Clone(ignoreTree), func(s string) bool { return strings.HasPrefix(s, "docs/") })},
		"one character":            {"x.?", []string{"src/build/x.o", "src/x.c", "src/x.o"}},
		"a class":                  {"[a-b].png\n[!a-z]", []string{"docs/img/a.png", "docs/img/b.png", "t/-", "t/]"}},
		"a named class":            {"x.[[:lower:]]\n![[:alpha:]].c", []string{"src/build/x.o", "src/x.o"}},
		"a bracket in a class":     {"[]-]", []string{"t/-", "t/]"}},
		"an open class":            {"[a", nil},
		"an unknown class":         {"[[:nope:]x]*", nil},
		"escapes":                  {"\\#x\n\\!x\n\\[x]", []string{"t/!x", "t/#x", "t/[x]"}},
		"a comment":                {"#x", nil},
		"blanks at the end":        {"README.md   \na\\ b\r\n", []string{"README.md", "a b", "docs/README.md"}},
		"a backslash at the end":   {"build\\", nil},
		"a byte order mark":        {"\ufeffbuild/\n", []string{"src/build/x.o"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ignored, err := ignore.Parse(test.patterns)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, file := range ignoreTree {
				if leftOut(ignored.Match, file) {
					got = append(got, file)
				}
			}
			slices.Sort(got)
			slices.Sort(test.want)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("left out (-want +got):\n%s", diff)
			}
			if dir == "" {
				return
			}
			if diff := cmp.Diff(askGit(t, dir, test.patterns), got); diff != "" {
				t.Errorf("git disagrees (-git +got):\n%s", diff)
			}
		})
	}
}

// leftOut asks for each directory above a file before the file, as a walk does.
func leftOut(ignored func(string, bool) bool, file string) bool {
	for i, c := range file {
		if c == '/' && ignored(file[:i], true) {
			return true
		}
	}
	return ignored(file, false)
}

// gitRepository returns a repository with the files of ignoreTree, empty when
// there is no git.
func gitRepository(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		return ""
	}
	dir := t.TempDir()
	for _, file := range ignoreTree {
		fixture.Write(t, filepath.Join(dir, file), "")
	}
	if out, err := exec.Command("git", "init", "-q", dir).CombinedOutput(); err != nil {
		t.Fatalf("git init: %v: %s", err, out)
	}
	return dir
}

func askGit(t *testing.T, dir, patterns string) []string {
	t.Helper()
	excludes := filepath.Join(t.TempDir(), "excludes")
	fixture.Write(t, excludes, patterns)
	cmd := exec.Command("git", "-c", "core.excludesFile="+excludes, "check-ignore", "--no-index", "-z", "--stdin")
	cmd.Dir = dir
	cmd.Stdin = strings.NewReader(strings.Join(ignoreTree, "\x00"))
	out, _ := cmd.Output() // exit code 1: none is left out
	var files []string
	for file := range strings.SplitSeq(string(out), "\x00") {
		if file != "" {
			files = append(files, file)
		}
	}
	slices.Sort(files)
	return files
}

func FuzzIgnore(f *testing.F) {
	f.Add("a/**/[!b-d]*\n!c\\ \n", "a/b/c")
	f.Add("[[:alpha:]", "x")
	f.Fuzz(func(t *testing.T, patterns, file string) {
		for last, want := range map[string]bool{"*": true, "!*": false} {
			ignored, err := ignore.Parse(patterns + "\n" + last)
			if err == nil && path.Base(file) != "/" && ignored.Match(file, false) != want {
				t.Errorf("%q, then %q: %q left out: %v", patterns, last, file, !want)
			}
		}
	})
}
