// SPDX-License-Identifier: Apache-2.0

package plugins_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/plugins"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
	"github.com/kubectl-timoni/kubectl-timoni/test/golden"
)

// TestMain lets a link to the test binary stand in for any other program.
func TestMain(m *testing.M) {
	executable, err := os.Executable()
	if err != nil {
		panic(err)
	}
	if strings.Contains(filepath.Base(executable), "plugins.test") {
		os.Exit(m.Run())
	}
	os.Exit(fake(strings.TrimSuffix(executable, ".exe")))
}

// fake prints the file that is named like the program and its first argument
// (a sibling is asked for its version without one, by the words of argv[0]).
func fake(program string) int {
	words := append(strings.Fields(os.Args[0]), os.Args[1:]...)
	question := words[min(len(words)-1, len(strings.Fields(os.Args[0])))]
	answer, err := os.ReadFile(program + "." + question)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: no answer\n", filepath.Base(program))
		return 1
	}
	if string(answer) == "hang\n" {
		<-time.After(time.Minute) // to be killed long before
	}
	fmt.Printf("%s", answer)
	return 0
}

// program makes path a fake program.
func program(t *testing.T, path string) {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(executable, path); err != nil {
		t.Fatal(err)
	}
}

// machine lays out the directories that an archive describes: its files, and
// programs and links after the lines of its file "layout".
func machine(t *testing.T, root string, archive *txtar.Archive) {
	t.Helper()
	for _, f := range archive.Files {
		switch f.Name {
		case "layout", "want":
		default:
			fixture.Write(t, filepath.Join(root, f.Name), f.Data)
		}
	}
	for line := range strings.Lines(file(archive, "layout")) {
		words := strings.Fields(line)
		switch {
		case len(words) == 3 && words[0] == "set": // set DIR VERSION: all siblings
			for _, name := range plugins.Siblings() {
				path := filepath.Join(root, words[1], name)
				program(t, path)
				fixture.Write(t, path+".version", fmt.Sprintf(`{"version": %q, "cue": "v0.17.1"}`, words[2]))
			}
		case len(words) == 2 && words[0] == "program":
			program(t, filepath.Join(root, words[1]))
		case len(words) == 3 && words[0] == "link":
			if err := os.Symlink(filepath.Join(root, words[2]), filepath.Join(root, words[1])); err != nil {
				t.Fatal(err)
			}
		case len(words) == 2 && words[0] == "remove":
			if err := os.Remove(filepath.Join(root, words[1])); err != nil {
				t.Fatal(err)
			}
		case len(words) == 2 && words[0] == "shims":
			if _, err := plugins.InstallShims(filepath.Join(root, words[1])); err != nil {
				t.Fatal(err)
			}
		default:
			t.Fatalf("layout: %q", line)
		}
	}
}

func file(archive *txtar.Archive, name string) string {
	for _, f := range archive.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

// examination looks at a machine whose PATH is bin and other.
func examination(root string, timeout time.Duration) plugins.Examination {
	env := map[string]string{"HOME": filepath.Join(root, "home"), "USERPROFILE": filepath.Join(root, "home")}
	path := filepath.Join(root, "bin") + string(filepath.ListSeparator) + filepath.Join(root, "other")
	return plugins.Examination{
		Inquiry: plugins.Inquiry{
			Places: plugins.NewPlaces(filepath.Join(root, "bin", "kubectl-timoni"), path),
			Own:    plugins.Build{Version: "0.1.0"},
			Argv0:  "kubectl timoni version", Timeout: timeout,
		},
		Getenv: func(key string) string { return env[key] },
	}
}

func TestDoctor(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the layouts have the names and links of Unix")
	}
	golden.Text(t, "testdata/doctor/*.txtar", diagnose)
}

// diagnose returns what doctor says of the machine of a script.
func diagnose(t *testing.T, archive *txtar.Archive) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	machine(t, root, archive)
	var b strings.Builder
	for _, c := range examination(root, 30*time.Second).Checks(context.Background()) {
		fmt.Fprintf(&b, "%s %s: %s\n", c.Status, c.Name, c.Message)
		if c.Hint != "" {
			fmt.Fprintf(&b, "     %s\n", c.Hint)
		}
	}
	return strings.ReplaceAll(b.String(), root, "$ROOT")
}

func TestBinaries(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	bin := filepath.Join(root, "bin")
	for name, answer := range map[string]string{
		"kubectl-timoni-build": `{"version": "0.1.0", "cue": "v0.17.1", "revision": "abc"}`,
		"kubectl-timoni-apply": `{"version": "0.0.9"}`,
		"kubectl-timoni-mod":   "unknown command\n",
	} {
		program(t, filepath.Join(bin, name))
		fixture.Write(t, filepath.Join(bin, name+".version"), answer)
	}
	program(t, filepath.Join(bin, "timoni-krm")) // has no answer
	got := map[string]plugins.Binary{}
	for _, b := range examination(root, 5*time.Minute).Binaries(context.Background()) {
		b.Path = ""
		got[b.Name] = b
	}
	for name, want := range map[string]plugins.Binary{
		"kubectl-timoni-build":  {Build: plugins.Build{Version: "0.1.0", CUE: "v0.17.1", Revision: "abc"}},
		"kubectl-timoni-apply":  {Build: plugins.Build{Version: "0.0.9"}, Problem: "is version 0.0.9, not 0.1.0"},
		"kubectl-timoni-mod":    {Problem: "does not tell its version: invalid character 'u' looking for beginning of value"},
		"kubectl-timoni-bundle": {Problem: "not installed"},
		"timoni-krm":            {Problem: "does not tell its version: exit status 1: timoni-krm: no answer"},
	} {
		g := got[name]
		if g.Problem != want.Problem || g.Build != want.Build {
			t.Errorf("%s: got %+v, want %+v", name, g, want)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"store/kubectl-timoni", "store/kubectl-timoni-apply",
		"bin/kubectl-timoni-apply", "bin/kubectl-timoni-build",
	} {
		program(t, filepath.Join(root, name))
	}
	link := filepath.Join(root, "bin", "kubectl-timoni")
	if err := os.Symlink(filepath.Join(root, "store", "kubectl-timoni"), link); err != nil {
		t.Skip("no links here: ", err)
	}
	places := plugins.NewPlaces(link, filepath.Join(root, "bin"))
	for name, want := range map[string]string{
		"kubectl-timoni-apply": "store/kubectl-timoni-apply", // next to the target of the link
		"kubectl-timoni-build": "bin/kubectl-timoni-build",   // on PATH only
	} {
		got, err := places.Find(name)
		if err != nil || strings.TrimSuffix(got, ".exe") != filepath.Join(root, want) {
			t.Errorf("Find(%q) = %q, %v, want %q", name, got, err, want)
		}
	}
	_, err = places.Find("timoni-krm")
	if !errors.Is(err, plugins.ErrNotInstalled) || fail.CodeOf(err) != fail.Failed || len(fail.HintsOf(err)) != 1 {
		t.Errorf("a missing sibling gives %v, code %d, hints %q", err, fail.CodeOf(err), fail.HintsOf(err))
	}
}

func TestInstallShims(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := plugins.InstallShims(dir)
	if err != nil {
		t.Fatal(err)
	}
	second, err := plugins.InstallShims(dir)
	if err != nil {
		t.Fatalf("the second time: %v", err)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("the second time (-first +second):\n%s", diff)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(first) {
		t.Errorf("%d files, %v, want %d", len(entries), err, len(first))
	}

	foreign, other := t.TempDir(), filepath.Base(first[len(first)-1])
	fixture.Write(t, filepath.Join(foreign, other), "#!/bin/sh\n")
	_, err = plugins.InstallShims(foreign)
	if fail.CodeOf(err) != fail.Refused || !strings.Contains(err.Error(), other) {
		t.Errorf("a file of another program gives %v", err)
	}
	if entries, err := os.ReadDir(foreign); err != nil || len(entries) != 1 {
		t.Errorf("after the refusal there are %d files, %v", len(entries), err)
	}
}
