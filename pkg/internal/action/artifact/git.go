// SPDX-License-Identifier: Apache-2.0

package artifact

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
)

// fromGit returns what git knows of dir. Without git, or outside a repository,
// that is nothing.
func fromGit(ctx context.Context, dir string) map[string]string {
	all := map[string]string{}
	repository, err := findRepository(ctx, dir)
	if err != nil {
		return all
	}
	when, dirty := repository.state(ctx, dir)
	if when.IsZero() {
		return all
	}
	all[archive.AnnotationRevision] = repository.head
	if dirty { // the tree is not what the commit holds
		all[archive.AnnotationRevision] += "-dirty"
	}
	all[archive.AnnotationCreated] = when.UTC().Format(time.RFC3339)
	if isRemote(repository.origin) {
		all[archive.AnnotationSource] = withoutCredentials(repository.origin)
	}
	return all
}

// repository is what is read of a repository. Its configuration, which may be
// another user's, can name programs for almost everything that git does. So
// git reads it in commands that do nothing else, and works with one of ours.
type repository struct {
	gitDir, commonDir, tree string
	format                  string // sha1 or sha256
	head                    string // the commit
	origin                  string
	settings                []string // KEY=VALUE, that change how files are compared and run nothing
}

// harmless matches the settings that the state of a tree depends on.
const harmless = `^core\.(autocrlf|eol|filemode|ignorecase|symlinks|precomposeunicode|excludesfile|trustctime|checkstat|longpaths)$`

// findRepository reads the repository that dir is in. None of these commands
// reads an object or the index.
func findRepository(ctx context.Context, dir string) (repository, error) {
	out, err := git(ctx, dir, nil, "rev-parse", "--path-format=absolute", "--git-dir", "--git-common-dir", "--show-toplevel", "--show-object-format", "HEAD")
	lines := strings.Split(out, "\n")
	if err == nil && len(lines) != 5 {
		err = fmt.Errorf("git rev-parse prints %d lines", len(lines))
	}
	if err != nil {
		return repository{}, err
	}
	r := repository{gitDir: lines[0], commonDir: lines[1], tree: lines[2], format: lines[3], head: lines[4]}
	// The exit code 1 says that there is no such setting.
	r.origin, _ = git(ctx, dir, nil, "config", "--get", "remote.origin.url")
	found, _ := git(ctx, dir, nil, "config", "--null", "--get-regexp", harmless)
	for entry := range strings.SplitSeq(found, "\x00") {
		if key, value, ok := strings.Cut(entry, "\n"); ok {
			r.settings = append(r.settings, key+"="+value)
		}
	}
	return r, nil
}

// state returns the time of the commit, zero when that cannot be read, and
// whether what is below dir differs from it.
func (r repository) state(ctx context.Context, dir string) (when time.Time, dirty bool) {
	own, err := r.shadow()
	if err != nil {
		return time.Time{}, true
	}
	defer os.RemoveAll(own)
	env := r.environment(own)
	commit, err := git(ctx, dir, env, "cat-file", "commit", r.head)
	if err != nil {
		return time.Time{}, true
	}
	// Git would start itself, with their configuration, in submodules.
	changes, err := git(ctx, dir, env, "status", "--porcelain", "--ignore-submodules=dirty", "--", ".")
	return committed(commit), err != nil || changes != "" || r.hasSubmodules(ctx, dir, env)
}

// hasSubmodules says whether there are submodules below dir. What has changed
// in them is not known.
func (r repository) hasSubmodules(ctx context.Context, dir string, env []string) bool {
	const link = "160000 "
	entries, err := git(ctx, dir, env, "ls-files", "--stage", "--", ".")
	return err != nil || strings.HasPrefix(entries, link) || strings.Contains(entries, "\n"+link)
}

// committed returns the time of a commit.
func committed(commit string) time.Time {
	header, _, _ := strings.Cut(commit, "\n\n")
	for line := range strings.Lines(header) {
		fields := strings.Fields(line)
		if len(fields) < 3 || fields[0] != "committer" {
			continue
		}
		if seconds, err := strconv.ParseInt(fields[len(fields)-2], 10, 64); err == nil {
			return time.Unix(seconds, 0)
		}
	}
	return time.Time{}
}

// shadow makes a directory that git takes for the repository: with its commit,
// and without its configuration, hooks, attributes and references.
func (r repository) shadow() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "timoni-git-"); err != nil {
		return "", err
	}
	config := "[core]\n\tbare = false\n\trepositoryformatversion = 0\n"
	if r.format != "sha1" {
		config = "[core]\n\tbare = false\n\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = " + r.format + "\n"
	}
	err = errors.Join(
		os.MkdirAll(filepath.Join(dir, "refs"), 0o700),
		os.MkdirAll(filepath.Join(dir, "info"), 0o700),
		os.WriteFile(filepath.Join(dir, "HEAD"), []byte(r.head+"\n"), 0o600),
		os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o600))
	if exclude, readErr := os.ReadFile(filepath.Join(r.commonDir, "info", "exclude")); readErr == nil {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, "info", "exclude"), exclude, 0o600))
	}
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return dir, nil
}

// environment returns the variables for git to work in a shadow.
func (r repository) environment(shadow string) []string {
	env := []string{
		"GIT_DIR=" + shadow, "GIT_WORK_TREE=" + r.tree,
		"GIT_OBJECT_DIRECTORY=" + filepath.Join(r.commonDir, "objects"), "GIT_INDEX_FILE=" + filepath.Join(r.gitDir, "index"),
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_SYSTEM=" + os.DevNull,
		"GIT_OPTIONAL_LOCKS=0", "GIT_NO_LAZY_FETCH=1", "GIT_NO_REPLACE_OBJECTS=1", "GIT_ATTR_NOSYSTEM=1",
		fmt.Sprintf("GIT_CONFIG_COUNT=%d", len(r.settings)),
	}
	for i, setting := range r.settings {
		key, value, _ := strings.Cut(setting, "=")
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, key), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, value))
	}
	return env
}

// git runs git in dir and returns its output. With env, no other variable for
// git is set.
func git(ctx context.Context, dir string, env []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "core.fsmonitor=false", "--no-pager", "-C", dir}, args...)...)
	if env != nil {
		for _, variable := range cmd.Environ() {
			if !strings.HasPrefix(variable, "GIT_") {
				cmd.Env = append(cmd.Env, variable)
			}
		}
		cmd.Env = append(cmd.Env, env...)
	}
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}
