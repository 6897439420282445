// SPDX-License-Identifier: Apache-2.0

package artifact

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/link"
)

// destination returns the directory to unpack into, which is empty or does not
// exist, and what is to be called with the error of that: with Overwrite it
// puts the files in place, since nothing is replaced before all is verified.
func (req PullRequest) destination() (dir string, put func(error) error, err error) {
	if entries, _ := os.ReadDir(req.Dir); !req.Overwrite || len(entries) == 0 {
		return req.Dir, func(err error) error { return err }, nil
	}
	if err = link.Check(req.Dir, "."); err != nil {
		return "", nil, err
	}
	if dir, err = os.MkdirTemp("", "timoni-pull-"); err != nil {
		return "", nil, err
	}
	return dir, func(err error) error {
		if err == nil {
			err = moveFiles(dir, req.Dir)
		}
		return errors.Join(err, os.RemoveAll(dir))
	}, nil
}

// moveFiles puts the files below from in the place of those below to, through no
// link.
func moveFiles(from, to string) error {
	return fs.WalkDir(os.DirFS(from), ".", func(path string, entry fs.DirEntry, err error) error {
		name := filepath.FromSlash(path)
		if info, missing := os.Lstat(filepath.Join(to, name)); err == nil && missing == nil && info.IsDir() != entry.IsDir() {
			err = fail.Refusedf("%s is in the way: it is not replaced", filepath.Join(to, name))
		}
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return err
		}
		return link.WriteFile(to, name, data, 0o644)
	})
}
