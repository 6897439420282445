// SPDX-License-Identifier: Apache-2.0

// Package link keeps what is written to a directory from ending elsewhere: the
// directory may be a checkout of another party's, who may have put symbolic
// links into it.
package link

import (
	"crypto/rand"
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

// WriteFile writes a file below dir, in place of what is there, and makes the
// directories on the way. It refuses what Check refuses. A file that exists
// keeps its mode. Readers find the old file or the new one.
func WriteFile(dir, name string, data []byte, mode fs.FileMode) error {
	if err := Check(dir, name); err != nil {
		return err
	}
	if info, err := os.Lstat(filepath.Join(dir, name)); err == nil {
		mode = info.Mode().Perm()
		return replace(dir, name, data, mode, func(f *os.File) error { return f.Chmod(mode) })
	}
	return Replace(dir, name, data, mode)
}

// Replace is WriteFile for a name that may be a symbolic link: the file takes
// the place of the link, and has the given mode less the umask.
func Replace(dir, name string, data []byte, mode fs.FileMode) error {
	return replace(dir, name, data, mode, func(*os.File) error { return nil })
}

func replace(dir, name string, data []byte, mode fs.FileMode, finish func(*os.File) error) (err error) {
	root, err := open(dir, filepath.Dir(name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	temp := filepath.Join(filepath.Dir(name), ".timoni-"+rand.Text())
	if err = create(root, temp, data, mode, finish); err == nil {
		err = rename(root, temp, name)
	}
	if err != nil {
		return errors.Join(err, ignoreMissing(root.Remove(temp)))
	}
	return nil
}

// rename moves a file. Its error names the place, not the temporary file: Windows
// denies it where a program has the file open.
func rename(root *os.Root, temp, name string) error {
	err := root.Rename(temp, name)
	if failed, ok := errors.AsType[*os.LinkError](err); ok {
		return &fs.PathError{Op: "replace", Path: filepath.Join(root.Name(), name), Err: failed.Err}
	}
	return err
}

// Create writes a file that does not exist, as WriteFile does.
func Create(dir, name string, data []byte, mode fs.FileMode) (err error) {
	root, err := open(dir, filepath.Dir(name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	return create(root, name, data, mode, func(*os.File) error { return nil })
}

// open opens dir as a root, which no link that is made meanwhile leads out of,
// and makes the directory called parent in it.
func open(dir, parent string) (*os.Root, error) {
	if err := Check(dir, parent); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	if err = root.MkdirAll(parent, 0o755); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return root, nil
}

func create(root *os.Root, name string, data []byte, mode fs.FileMode, finish func(*os.File) error) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, finish(f), f.Close())
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
