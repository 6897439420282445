// SPDX-License-Identifier: Apache-2.0

package release

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Index writes the manifests of a record into a repository of git, which
// "kubectl krew index add" takes, and commits them. A directory that is no
// repository becomes one; in one that is, krew finds an upgrade. The same
// record makes the same first commit.
func Index(ctx context.Context, dir string, r Record, all []string) error {
	if err := os.MkdirAll(filepath.Join(dir, "plugins"), 0o755); err != nil {
		return err
	}
	for _, p := range Packages() {
		data, err := p.Manifest(r, all)
		if err != nil {
			return err
		}
		if err = os.WriteFile(filepath.Join(dir, filepath.FromSlash(p.ManifestFile())), data, 0o644); err != nil {
			return err
		}
	}
	if !readable(filepath.Join(dir, ".git")) {
		if _, err := git(ctx, dir, "init", "-q", "-b", "main"); err != nil {
			return err
		}
	}
	if _, err := git(ctx, dir, "add", "plugins"); err != nil {
		return err
	}
	if changes, err := git(ctx, dir, "status", "--porcelain", "plugins"); err != nil || changes == "" {
		return err
	}
	_, err := git(ctx, dir, "commit", "-q", "-m", "Release "+r.Version)
	return err
}

// git runs git in dir as the author of releases, with none of the user's
// settings, and returns what it prints.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	// A hook's GIT_DIR and GIT_INDEX_FILE name the repository that it is of.
	own := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GIT_") })
	cmd.Env = slices.Concat(own, []string{"GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=kubectl-timoni", "GIT_AUTHOR_EMAIL=release@kubectl-timoni.invalid", "GIT_AUTHOR_DATE=2026-01-01T00:00:00Z",
		"GIT_COMMITTER_NAME=kubectl-timoni", "GIT_COMMITTER_EMAIL=release@kubectl-timoni.invalid", "GIT_COMMITTER_DATE=2026-01-01T00:00:00Z"})
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("git %s in %s: %w: %s", args[0], dir, err, strings.TrimSpace(string(out)))
	}
	return string(out), nil
}
