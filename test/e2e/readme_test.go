// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

// TestReadme runs every command of the README, and of the pages that it leads a
// newcomer to, in their order, and holds that each prints what the page shows.
// UPDATE=1 copies the output into the page.
func TestReadme(t *testing.T) {
	root, err := controlplane.Root()
	if err != nil {
		t.Fatal(err)
	}
	env := readmeEnv(t, root)
	for _, page := range []string{"README.md", "docs/tour.md", "docs/install.md", "docs/commands.md"} {
		t.Run(page, func(t *testing.T) { runPage(t, root, filepath.Join(root, page), env) })
	}
}

func runPage(t *testing.T, root, path string, env []string) {
	t.Helper()
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	inBlock, shown, got, last := false, []string(nil), []string(nil), ""
	finish := func() { // ends the output of a command
		update := os.Getenv("UPDATE") != ""
		switch {
		case slices.Equal(normalized(shown), normalized(got)), !update && ofTheMachine.MatchString(last):
			got = shown
		case !update:
			t.Errorf("the page shows other output (-shown +got):\n%s", cmp.Diff(shown, got))
		}
		for _, line := range got {
			text.WriteString(line + "\n")
		}
		shown, got = nil, nil
	}
	for line := range strings.Lines(string(old)) {
		line = strings.TrimSuffix(line, "\n")
		command, isCommand := strings.CutPrefix(line, "$ ")
		switch {
		case !inBlock:
			inBlock = line == "```console"
		case line == "```":
			finish()
			inBlock = false
		case !isCommand:
			shown = append(shown, line)
			continue
		default:
			finish()
			last, got = command, runReadme(t, root, env, command)
		}
		text.WriteString(line + "\n")
	}
	if os.Getenv("UPDATE") != "" && text.String() != string(old) {
		if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func readmeEnv(t *testing.T, root string) []string {
	t.Helper()
	cp := kit.ForTest(t)
	if cp.Shared {
		// 'list -A' would show what others have installed.
		t.Skip("the README's commands need a cluster of their own")
	}
	home := t.TempDir()
	path := strings.Join([]string{
		plugins(t, root), filepath.Dir(cp.Kubectl), filepath.Dir(cp.Kustomize), os.Getenv("PATH"),
	}, string(os.PathListSeparator))
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	modules, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	return append(os.Environ(), "MAKELEVEL=", "MAKEFLAGS=", // not within the make that runs the tests
		"PATH="+path, "HOME="+home, "KUBECONFIG="+cp.Kubeconfig,
		"GOCACHE="+strings.TrimSpace(string(cache)), "GOMODCACHE="+strings.TrimSpace(string(modules)))
}

// longMake are the targets that this test is part of, or that CI runs next to
// it: that they exist is all there is to test here.
var longMake = regexp.MustCompile(`^make (demo|test|unit|verify|e2e .*)$`)

// runReadme returns the lines that a command prints, those of make excepted.
func runReadme(t *testing.T, root string, env []string, command string) []string {
	t.Helper()
	command, _, _ = strings.Cut(command, "   # ")
	quiet := strings.HasPrefix(command, "make ") && command != "make help"
	if longMake.MatchString(command) {
		command = strings.Replace(command, "make ", "make -n ", 1)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
	cmd.Dir, cmd.Env = root, env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("$ %s: %v\n%s", command, err, out)
	}
	if quiet || len(out) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// ofTheMachine are the commands whose output is about the machine they run on.
var ofTheMachine = regexp.MustCompile(`^kubectl timoni (version|doctor)\b`)

var varying = regexp.MustCompile(`\b([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+\b|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]+Z|\b[0-9a-f]{40}(-dirty)?\b|/[^ "']*/`)

// normalized returns the lines without times, revisions and directories, and
// in an order of its own: objects are applied side by side. What a wait sees on
// the way depends on how fast the machine is.
func normalized(lines []string) []string {
	out := []string{}
	for _, line := range lines {
		if strings.Contains(line, " in progress: ") {
			continue
		}
		line = varying.ReplaceAllString(line, "*")
		out = append(out, strings.Join(strings.Fields(line), " "))
	}
	slices.Sort(out)
	return out
}
