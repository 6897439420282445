// SPDX-License-Identifier: Apache-2.0

package artifact_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/artifact"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// checkout returns a repository with one commit, and what runs git in it.
func checkout(t *testing.T) (dir string, git func(args ...string) string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip(err)
	}
	dir = t.TempDir()
	git = func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
		cmd.Dir = dir
		cmd.Env = append(cmd.Environ(), "GIT_COMMITTER_DATE=1700000000 +0100", "GIT_AUTHOR_DATE=1700000000 +0100")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q")
	git("remote", "add", "origin", "https://me:secret@example.com/a.git")
	fixture.Write(t, filepath.Join(dir, "mod", "a.cue"), "a: 1\n")
	fixture.Write(t, filepath.Join(dir, ".gitignore"), "*.log\n")
	git("add", ".")
	git("commit", "-qm", "one")
	return dir, git
}

// TestGitMetadata compares what is said of a tree with what git says.
func TestGitMetadata(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(repository)
		dirty  bool
	}{
		"clean":               {func(repository) {}, false},
		"new times":           {func(r repository) { touch(r.t, r.dir) }, false},
		"an ignored file":     {func(r repository) { fixture.Write(r.t, r.dir+"/mod/a.log", "") }, false},
		"an excluded file":    {func(r repository) { exclude(r.t, r.dir) }, false},
		"a change elsewhere":  {func(r repository) { fixture.Write(r.t, r.dir+"/b", "") }, false},
		"packed":              {func(r repository) { r.git("gc", "-q") }, false},
		"a change":            {func(r repository) { fixture.Write(r.t, r.dir+"/mod/a.cue", "a: 2\n") }, true},
		"a new file":          {func(r repository) { fixture.Write(r.t, r.dir+"/mod/b.cue", "") }, true},
		"a file that is gone": {func(r repository) { _ = os.Remove(r.dir + "/mod/a.cue") }, true},
		"staged": {func(r repository) {
			fixture.Write(r.t, r.dir+"/mod/a.cue", "a: 2\n")
			r.git("add", ".")
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, git := checkout(t)
			want := git("rev-parse", "HEAD")
			test.change(repository{t, dir, git})
			if test.dirty {
				want += "-dirty"
			}
			got, err := artifact.AnnotationsOf(t.Context(), artifact.Metadata{}, filepath.Join(dir, "mod"))
			if err != nil {
				t.Fatal(err)
			}
			if got[archive.AnnotationRevision] != want || got[archive.AnnotationCreated] != "2023-11-14T22:13:20Z" || got[archive.AnnotationSource] != "https://example.com/a.git" {
				t.Errorf("got %v, want revision %s", got, want)
			}
		})
	}
}

// repository is a checkout of a test.
type repository struct {
	t   *testing.T
	dir string
	git func(...string) string
}

func touch(t *testing.T, dir string) {
	t.Helper()
	name := filepath.Join(dir, "mod", "a.cue")
	info, err := os.Stat(name)
	if err == nil {
		err = os.Chtimes(name, info.ModTime().Add(1e9), info.ModTime().Add(1e9))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func exclude(t *testing.T, dir string) {
	t.Helper()
	fixture.Write(t, filepath.Join(dir, ".git", "info", "exclude"), "*.tmp\n")
	fixture.Write(t, filepath.Join(dir, "mod", "a.tmp"), "")
}

// TestHostileRepository is about a repository that another user made:
// nothing that it names is run.
func TestHostileRepository(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string][]string{
		"a filter":            {"filter.x.clean", "filter.x.smudge", "filter.x.process"},
		"a filter with a =":   {"filter.x=y.clean"},
		"a file monitor":      {"core.fsmonitor"},
		"a signature checker": {"gpg.program", "log.showSignature"},
		"a pager":             {"core.pager", "pager.status", "pager.log", "pager.config", "pager.rev-parse"},
		"a diff":              {"diff.external", "diff.x.textconv", "diff.x.command"},
		"a remote":            {"core.sshCommand", "remote.origin.promisor", "remote.origin.uploadpack", "extensions.partialClone", "protocol.ext.allow"},
		"hooks":               {"core.hooksPath"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, git := checkout(t)
			pwned := filepath.Join(t.TempDir(), "pwned")
			program := fixture.Write(t, filepath.Join(t.TempDir(), "post-index-change"), "#!/bin/sh\ntouch "+pwned+"\ncat\n")
			if err := os.Chmod(program, 0o755); err != nil {
				t.Fatal(err)
			}
			fixture.Write(t, filepath.Join(dir, ".gitattributes"), "* filter=x diff=x\n*.cue filter=x=y\n")
			git("add", ".gitattributes")
			signed(t, git)
			for _, key := range settings {
				value := program
				switch key {
				case "core.hooksPath":
					value = filepath.Dir(program)
				case "log.showSignature", "remote.origin.promisor":
					value = "true"
				case "extensions.partialClone":
					value = "origin"
				case "protocol.ext.allow":
					git("config", "remote.origin.url", "ext::"+program)
					value = "always"
				}
				git("config", key, value)
			}
			_ = os.Remove(pwned) // git itself runs some of these
			touch(t, dir)
			if _, err := artifact.AnnotationsOf(t.Context(), artifact.Metadata{}, filepath.Join(dir, "mod")); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(pwned); err == nil {
				t.Error("the program was run")
			}
		})
	}
}

// signed makes a commit on the present one that has a signature, and whose tree
// is missing when the repository has a remote that promises it.
func signed(t *testing.T, git func(args ...string) string) {
	t.Helper()
	git("commit", "-qm", "two")
	commit := git("cat-file", "commit", "HEAD")
	header, message, _ := strings.Cut(commit, "\n\n")
	file := fixture.Write(t, filepath.Join(t.TempDir(), "commit"), header+"\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n\n"+message+"\n")
	git("update-ref", "HEAD", git("hash-object", "-t", "commit", "-w", file))
}
