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
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

// TestPages follows every page of documentation line by line, as a reader with
// an empty directory does, and holds that each command prints what the page
// shows. UPDATE=1 copies the output into the page.
//
// In a page,
//
//   - a block of the language console has commands, which begin with "$ ", and
//     what they print; a command ends at the first line without a \ at its end;
//   - a block whose fence says file=NAME is written to that file;
//   - a block of the language sh is not run, and its fence says why not;
//   - directories and variables stay for the next command;
//   - registry.example.com and mirror.example.com are registries, and a clone of
//     the project's repository is one of this checkout's HEAD.
//
// A comment "picture: FILE" before a block of commands says that FILE is a picture
// of it. A comment "needs: PROGRAM…" names programs of other projects: such a page is
// followed by 'make test-interop'. A comment "only: PROGRAM…" names all that the
// reader has in addition to the system's own programs, and not even the plugins.
// docs/gitops.md is followed by TestGitOps.
func TestPages(t *testing.T) {
	root, err := controlplane.Root()
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(pages, filepath.Join(root, "README.md")) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(path)
		if name == "gitops.md" || !bytes.Contains(text, []byte("```console\n")) {
			continue
		}
		t.Run(strings.TrimSuffix(name, ".md"), func(t *testing.T) {
			t.Parallel()
			r := newReader(t, root)
			if m := needs.FindSubmatch(text); m != nil {
				r.addPrograms(t, strings.Fields(string(m[1])))
			}
			if m := only.FindSubmatch(text); m != nil {
				r.leavePrograms(t, strings.Fields(string(m[1])))
			}
			began := time.Now()
			r.follow(t, path)
			t.Logf("%s in %s", name, time.Since(began).Round(time.Second))
		})
	}
}

// repository is where the pages say that the project is.
const repository = "https://github.com/kubectl-timoni/kubectl-timoni"

// reader is a person who follows pages.
type reader struct {
	dir, home string
	env       []string
	// The hosts of pages and what is in their place, and what is written back.
	to, from *strings.Replacer
}

func newReader(t *testing.T, root string) *reader {
	t.Helper()
	cp := kit.ForTest(t)
	if cp.Shared {
		t.Skip("the commands of the pages need a cluster of their own")
	}
	r := &reader{home: t.TempDir()}
	r.dir = filepath.Join(r.home, "work")
	config, err := os.ReadFile(cp.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{r.dir, filepath.Join(r.home, ".kube"), filepath.Join(r.home, ".local", "bin")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(r.home, ".kube", "config"), config, 0o600); err != nil {
		t.Fatal(err)
	}
	r.env = append(os.Environ(), "MAKELEVEL=", "MAKEFLAGS=", // not within the make that runs the tests
		"PATH="+strings.Join([]string{
			filepath.Join(r.home, ".local", "bin"), plugins(t, root),
			filepath.Dir(cp.Kubectl), filepath.Dir(cp.Kustomize), os.Getenv("PATH"),
		}, string(os.PathListSeparator)),
		"HOME="+r.home, "KUBECONFIG=", "XDG_CONFIG_HOME=", "XDG_CACHE_HOME=", "COSIGN_PASSWORD=",
		"GOCACHE="+goEnv(t, "GOCACHE"), "GOMODCACHE="+goEnv(t, "GOMODCACHE"), "GOPATH="+goEnv(t, "GOPATH"),
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url.file://"+filepath.ToSlash(root)+".insteadOf", "GIT_CONFIG_VALUE_0="+repository)
	host := strings.TrimPrefix(registry(t, &front{}), "oci://")
	r.to = strings.NewReplacer("registry.example.com", host, "mirror.example.com", host+"-mirror")
	r.from = strings.NewReplacer(host+"-mirror", "mirror.example.com", host, "registry.example.com",
		strings.Split(host, "/")[0], "registry.example.com", r.home, "/home/you")
	return r
}

// addPrograms puts programs of other projects on the reader's PATH, or skips the
// test.
func (r *reader) addPrograms(t *testing.T, names []string) {
	t.Helper()
	for _, name := range names {
		r.env = append(r.env, "PATH="+filepath.Dir(extra(t, name))+string(os.PathListSeparator)+r.getenv("PATH"))
	}
}

// leavePrograms leaves nothing on the reader's PATH but ~/.local/bin, these programs
// and those of the system that pages type.
func (r *reader) leavePrograms(t *testing.T, names []string) {
	t.Helper()
	dir := filepath.Join(r.home, "bin")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, "sh", "cat", "dirname", "grep", "head", "mkdir") {
		path, err := lookPath(name, r.getenv("PATH"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	r.env = append(r.env, "PATH="+filepath.Join(r.home, ".local", "bin")+string(os.PathListSeparator)+dir)
}

// getenv returns a variable of the reader's.
func (r *reader) getenv(name string) string {
	value := ""
	for _, v := range r.env {
		if after, ok := strings.CutPrefix(v, name+"="); ok {
			value = after
		}
	}
	return value
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	value, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(value))
}

var (
	// fence begins a block.
	fence = regexp.MustCompile("^```(?:sh not-run: .+|([a-z]+)(?: file=(\\S+))?)$")
	// pictured names the picture of the block that follows.
	pictured = regexp.MustCompile(`^<!-- picture: (\S+) -->$`)
	// needs names the programs of other projects that a page runs.
	needs = regexp.MustCompile(`(?m)^<!-- needs: (.*) -->$`)
	// only names all the programs that the reader of a page has.
	only = regexp.MustCompile(`(?m)^<!-- only: (.*) -->$`)
	// longMake are the targets that this test is part of, or that CI runs next to
	// it: that they exist is all there is to test here.
	longMake = regexp.MustCompile(`^make (-C \S+ )?(demo|test|unit|verify|e2e .*)\b`)
	// ofTheMachine are the commands whose output is about the machine they run on.
	ofTheMachine = regexp.MustCompile(`^kubectl timoni (version|doctor)\b`)
)

// follow writes the files of a page and runs its commands.
func (r *reader) follow(t *testing.T, path string) {
	t.Helper()
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	lines := strings.Split(string(page), "\n")
	for i := 0; i < len(lines); i++ {
		text.WriteString(lines[i] + "\n")
		m := fence.FindStringSubmatch(lines[i])
		switch {
		case m == nil && strings.HasPrefix(strings.TrimSpace(lines[i]), "```sh"):
			t.Errorf("%s:%d: the block is not run, and does not say why: ```sh not-run: REASON", path, i+1)
			continue
		case m == nil:
			continue
		}
		length := slices.Index(lines[i:], "```")
		if length < 0 {
			t.Fatalf("%s:%d: the block has no end", path, i+1)
		}
		block := lines[i+1 : i+length]
		switch {
		case m[2] != "":
			if said := strings.Join(lines[max(0, i-2):i], " "); !strings.Contains(said, m[2]) {
				t.Errorf("%s:%d: the text before the block does not name the file %s", path, i+1, m[2])
			}
			r.write(t, m[2], strings.Join(block, "\n")+"\n")
		case m[1] == "console":
			block = r.console(t, block)
			if p := pictured.FindStringSubmatch(lines[max(0, i-1)]); p != nil {
				checkPicture(t, filepath.Join(filepath.Dir(path), p[1]), block)
			}
		}
		for _, line := range block {
			text.WriteString(line + "\n")
		}
		i += length - 1
	}
	if updated := strings.TrimSuffix(text.String(), "\n"); os.Getenv("UPDATE") != "" && updated != string(page) {
		if err := os.WriteFile(path, []byte(updated), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// console runs the commands of a block and returns the block as it should be.
func (r *reader) console(t *testing.T, block []string) []string {
	t.Helper()
	var out []string
	for len(block) > 0 {
		if !strings.HasPrefix(block[0], "$ ") {
			t.Errorf("the page shows output of no command: %s", block[0])
		}
		n := 1
		for n < len(block) && strings.HasSuffix(block[n-1], `\`) {
			n++
		}
		command := block[:n]
		block = block[n:]
		end := slices.IndexFunc(block, func(line string) bool { return strings.HasPrefix(line, "$ ") })
		if end < 0 {
			end = len(block)
		}
		out = append(out, command...)
		out = append(out, r.compare(t, strings.TrimPrefix(strings.Join(command, "\n"), "$ "), block[:end])...)
		block = block[end:]
	}
	return out
}

// compare runs a command and returns what the page should show of it.
func (r *reader) compare(t *testing.T, command string, shown []string) []string {
	t.Helper()
	got := r.run(t, command)
	update := os.Getenv("UPDATE") != ""
	switch {
	case slices.Equal(normalized(shown), normalized(got)), !update && ofTheMachine.MatchString(command):
		return shown
	case !update:
		t.Errorf("$ %s\nthe page shows other output (-shown +got):\n%s", command, cmp.Diff(normalized(shown), normalized(got)))
	}
	return got
}

// run returns the lines that a command prints, those of programs that build
// excepted. The directory and the variables are kept for the next.
func (r *reader) run(t *testing.T, command string) []string {
	t.Helper()
	quiet := strings.HasPrefix(command, "make ") && command != "make help" || strings.HasPrefix(command, "git clone ") || strings.HasPrefix(command, "go ")
	if longMake.MatchString(command) {
		command = strings.Replace(command, "make ", "make -n ", 1)
	}
	began := time.Now()
	out := r.shell(t, r.to.Replace(command), "")
	if took := time.Since(began); took > 5*time.Second {
		t.Logf("$ %s: %s", command, took.Round(time.Second))
	}
	if quiet || len(out) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(r.from.Replace(string(out)), "\n"), "\n")
}

// write writes a file of a page.
func (r *reader) write(t *testing.T, name, text string) {
	t.Helper()
	r.shell(t, `mkdir -p "$(dirname '`+name+`')" && cat >'`+name+`'`, r.to.Replace(text))
}

// shell runs a command where the one before it has left the shell.
func (r *reader) shell(t *testing.T, command, stdin string) []byte {
	t.Helper()
	state := filepath.Join(r.home, ".state")
	const keep = `trap 'status=$?; { export -p; printf "cd \"%s\"\n" "$PWD"; } >"$HOME/.state"; exit $status' EXIT`
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "test ! -e "+state+" || . "+state+"\n"+keep+"\n"+command)
	cmd.Dir, cmd.Env, cmd.Stdin = r.dir, r.env, strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("$ %s: %v\n%s", command, err, out)
	}
	return out
}

var varying = regexp.MustCompile(`\b([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+\b|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]+Z|\b([0-9a-f]{40}|[0-9a-f]{64})(-dirty)?\b|/[^ "']*/|\b[0-9.]+ ?([KM]i)?B\b|-[0-9a-f]{8,10}-[a-z0-9]{5}\b`)

// normalized returns the lines without times, revisions, digests, directories and
// names of pods, and in an order of its own: objects are applied side by side. What a wait sees
// on the way depends on how fast the machine is.
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
