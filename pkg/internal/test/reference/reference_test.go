// SPDX-License-Identifier: Apache-2.0

package reference_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/plugins"
)

// TestPages holds docs/reference and docs/man to the commands. UPDATE=1 writes
// them.
//
//nolint:paralleltest // making a command sets how the libraries of the process log
func TestPages(t *testing.T) {
	list, err := index()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"reference/README.md":  list,
		"man/kubectl-timoni.1": manIndex(),
	}
	for _, verb := range verbs() {
		cmd, err := command(verb.Name)
		if err != nil {
			t.Fatal(err)
		}
		want["reference/"+verb.Name+".md"] = markdown(cmd)
		want["man/kubectl-timoni-"+verb.Name+".1"] = man(cmd)
	}
	docs := filepath.Join("..", "..", "..", "..", "docs")
	if os.Getenv("UPDATE") != "" {
		write(t, docs, want)
	}
	got := map[string]string{}
	for _, dir := range []string{"reference", "man"} {
		entries, err := os.ReadDir(filepath.Join(docs, dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			data, err := os.ReadFile(filepath.Join(docs, dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			got[dir+"/"+e.Name()] = string(data)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("run UPDATE=1 go test ./pkg/internal/test/reference (-want +got):\n%s", diff)
	}
}

func write(t *testing.T, docs string, pages map[string]string) {
	t.Helper()
	for _, dir := range []string{"reference", "man"} {
		if err := os.RemoveAll(filepath.Join(docs, dir)); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(docs, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(docs, filepath.FromSlash(name)), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestInstall holds the table of the binaries in docs/install.md to the verbs
// that each has.
func TestInstall(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "install.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for line := range strings.Lines(string(page)) {
		if cells := strings.Split(line, "|"); len(cells) == 4 {
			rows[strings.Trim(cells[1], " `")] = cells[2]
		}
	}
	for _, verb := range verbs() {
		if binary := binaryOf(verb); !strings.Contains(rows[binary], "`"+verb.Name+"`") {
			t.Errorf("docs/install.md: the row of %s lacks %s: %s", binary, verb.Name, rows[binary])
		}
	}
}

func binaryOf(verb plugins.Verb) string {
	if verb.Binary == "" {
		return plugins.FrontDoor
	}
	return verb.Binary
}

// Every verb has a page and what it says: an example, or commands that do.
//
//nolint:paralleltest // making a command sets how the libraries of the process log
func TestExamples(t *testing.T) {
	without := []string{"version", "doctor", "fmt"}
	for _, verb := range verbs() {
		cmd, err := command(verb.Name)
		if err != nil {
			t.Fatal(err)
		}
		if cmd.Name() == "" || cmd.Example == "" && !cmd.HasAvailableSubCommands() && !slices.Contains(without, verb.Name) {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
	}
}
