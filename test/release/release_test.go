// SPDX-License-Identifier: Apache-2.0

package release_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
	"github.com/kubectl-timoni/kubectl-timoni/test/golden"
	"github.com/kubectl-timoni/kubectl-timoni/test/release"
)

const root = "../.."

// TestFiles compares what the repository tells package managers with the record of
// the last release. UPDATE=1 writes it.
func TestFiles(t *testing.T) {
	t.Parallel()
	record := filepath.Join(root, release.RecordFile)
	r, err := release.ReadRecord(record)
	if err != nil {
		t.Fatal(err)
	}
	if unreleased := release.Unreleased(); r.Version == unreleased.Version {
		text, err := unreleased.Text()
		if err != nil {
			t.Fatal(err)
		}
		golden.File(t, record, text)
		r = unreleased
	}
	all := programs(t)
	for _, p := range release.Packages() {
		text, err := p.Manifest(r, all)
		if err != nil {
			t.Fatal(err)
		}
		golden.File(t, filepath.Join(root, "krew-manifests", p.Name+".yaml"), text)
	}
	golden.File(t, filepath.Join(root, filepath.FromSlash(release.FormulaFile)), release.Formula(r))
}

// TestTable holds the rules of krew's index that krew itself does not check.
func TestTable(t *testing.T) {
	t.Parallel()
	all := programs(t)
	for _, p := range release.Packages() {
		if len(p.Short) > 50 {
			t.Errorf("%s: the short description has %d characters, at most 50", p.Name, len(p.Short))
		}
		for line := range strings.Lines(p.Description + p.Caveats) {
			if len(line) > 81 {
				t.Errorf("%s: line of more than 80 characters: %q", p.Name, line)
			}
		}
		if !strings.Contains(strings.Join(all, " "), p.Program) {
			t.Errorf("%s: no program is called %s", p.Name, p.Program)
		}
	}
}

// TestPack holds that an archive has plain files alone, which is all that krew
// unpacks, and nothing of this machine.
func TestPack(t *testing.T) {
	t.Parallel()
	for _, p := range release.Packages() {
		for _, target := range []release.Target{{OS: "linux", Arch: "amd64"}, {OS: "windows", Arch: "arm64"}} {
			var first []byte
			for range 2 {
				data, err := os.ReadFile(pack(t, p, target, t.TempDir()))
				if err != nil {
					t.Fatal(err)
				}
				if first != nil && !bytes.Equal(first, data) {
					t.Errorf("%s for %s: two archives of the same files differ", p.Name, target)
				}
				first = data
			}
			want := map[string]int64{"LICENSE": 0o644, "THIRD-PARTY-LICENSES": 0o644}
			for _, name := range p.Programs(programs(t)) {
				want[target.Program(name)] = 0o755
			}
			if diff := cmp.Diff(want, entries(t, first)); diff != "" {
				t.Errorf("%s for %s (-want +got):\n%s", p.Name, target, diff)
			}
		}
	}
}

// TestFormula compares each URL and checksum of the formula with the archives.
func TestFormula(t *testing.T) {
	t.Parallel()
	dist := t.TempDir()
	p := release.Packages()[0]
	want := map[string]string{}
	for _, target := range release.Targets() {
		path := pack(t, p, target, dist)
		sum, err := release.Sum(path)
		if err != nil {
			t.Fatal(err)
		}
		if target.OS != "windows" {
			want["https://github.com/kubectl-timoni/kubectl-timoni/releases/download/v1.2.3/"+filepath.Base(path)] = sum
		}
	}
	r, err := release.Collect(dist, "v1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	text := release.Formula(r)
	for _, m := range regexp.MustCompile(`url "([^"]+)"\n +sha256 "([^"]+)"`).FindAllSubmatch(text, -1) {
		got[string(m[1])] = string(m[2])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("URLs (-want +got):\n%s", diff)
	}
	if !strings.Contains(string(text), "version \"1.2.3\"\n") || strings.Contains(string(text), "template") {
		t.Errorf("the formula is not that of a release:\n%s", text)
	}
}

// TestIndexOfHook holds that the index is a repository of its own also where a
// hook of git names another.
func TestIndexOfHook(t *testing.T) {
	other := filepath.Join(t.TempDir(), "other")
	t.Setenv("GIT_DIR", other)
	t.Setenv("GIT_INDEX_FILE", filepath.Join(other, "index"))
	dir := t.TempDir()
	if err := release.Index(t.Context(), dir, release.Unreleased(), programs(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, ".git", "index")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(other); err == nil {
		t.Error("git wrote into the repository of the hook")
	}
}

// TestWorkflowsNoticeFailures holds that a step with a pipe names bash as its
// shell: GitHub's own choice, bash -e, takes a pipe for good whose first command
// failed.
func TestWorkflowsNoticeFailures(t *testing.T) {
	t.Parallel()
	type defaults struct{ Run struct{ Shell string } }
	files, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var w struct {
			Defaults defaults
			Jobs     map[string]struct {
				Defaults defaults
				Steps    []struct{ Run, Shell string }
			}
		}
		if err = yaml.Unmarshal(text, &w); err != nil {
			t.Fatal(err)
		}
		for name, job := range w.Jobs {
			for _, step := range job.Steps {
				shells := []string{step.Shell, job.Defaults.Run.Shell, w.Defaults.Run.Shell}
				if strings.Contains(step.Run, " | ") && !slices.Contains(shells, "bash") {
					t.Errorf("%s: job %s has a pipe and no shell: bash:\n%s", filepath.Base(path), name, step.Run)
				}
			}
		}
	}
}

// TestCollectNeedsArchives holds that a release of nothing is an error.
func TestCollectNeedsArchives(t *testing.T) {
	t.Parallel()
	if _, err := release.Collect(t.TempDir(), "v1.2.3"); err == nil || !strings.Contains(err.Error(), "no archive of v1.2.3") {
		t.Errorf("got %v", err)
	}
}

func programs(t *testing.T) []string {
	t.Helper()
	all, err := release.Programs(root)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// pack packs files that stand for the programs.
func pack(t *testing.T, p release.Package, target release.Target, dist string) string {
	t.Helper()
	files := map[string]string{"LICENSE": "ours", "licences": "theirs", "krmfn/main.go": "package main"}
	for _, name := range programs(t) {
		if name != "timoni-krm" {
			files["plugins/"+name+"/main.go"] = "package main"
		}
		files["bin/"+target.Program(name)] = name + target.String()
	}
	dir := fixture.Dir(t, files)
	from := release.Source{Root: dir, Bin: filepath.Join(dir, "bin"), Licences: filepath.Join(dir, "licences")}
	path, err := p.Pack(from, dist, "v1.2.3", target)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// entries returns the modes of the files in an archive.
func entries(t *testing.T, archive []byte) map[string]int64 {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	modes := map[string]int64{}
	for in := tar.NewReader(zip); ; {
		head, err := in.Next()
		if errors.Is(err, io.EOF) {
			return modes
		}
		if err != nil {
			t.Fatal(err)
		}
		if head.Typeflag != tar.TypeReg || !head.ModTime.Equal(time.Unix(0, 0)) || head.Uid != 0 || head.Uname != "" {
			t.Errorf("%s is not a plain file without owner and time: %+v", head.Name, head)
		}
		modes[head.Name] = head.Mode
	}
}
