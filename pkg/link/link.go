// SPDX-License-Identifier: Apache-2.0

// Package link keeps what is written to a directory from ending elsewhere: the
// directory may be a checkout of another party's, who may have put symbolic
// links into it.
package link

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// Check returns an error, of exit code fail.Refused, if dir, a directory below
// it on the way to name, or name itself is a symbolic link. name is relative to
// dir. What does not exist is no link.
func Check(dir, name string) error {
	at := filepath.Clean(dir)
	parts := []string{""}
	if name = filepath.Clean(name); name != "." {
		parts = append(parts, strings.Split(name, string(filepath.Separator))...)
	}
	for _, part := range parts {
		at = filepath.Join(at, part)
		info, err := os.Lstat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case info.Mode()&fs.ModeSymlink != 0:
			return fail.Refusedf("%q is a symbolic link: nothing is written through one", at)
		}
	}
	return nil
}
