// SPDX-License-Identifier: Apache-2.0

// Package cachedir reads and writes the files of a cache: a directory with what
// can be made again, in which no other user may decide what is read.
package cachedir

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"time"
)

// Dir is the path of a cache.
type Dir string

// Rendered is the directory of rendered results.
const Rendered = "render"

// TempPrefix begins the names of files that are being written.
const TempPrefix = "tmp-"

// StaleTemp is the age at which a temporary file was left by a process that
// died, and not one that still writes.
const StaleTemp = time.Hour

// Shared returns the first of the cache's directory and its subdirectories to
// which another user may write, and so decide what is in it, and "" when there
// is none. A sticky directory may hold the cache: what others make in it belongs
// to them.
func (d Dir) Shared(subdirs ...string) (shared string) {
	info, err := os.Stat(string(d))
	if err != nil {
		return "" // there is no cache yet
	}
	if isShared(info, true) {
		return string(d)
	}
	_ = d.within(func(root *os.Root) error {
		for _, dir := range subdirs {
			info, err := root.Lstat(dir)
			if err == nil && (!info.IsDir() || isShared(info, false)) {
				shared = path.Join(string(d), dir)
				break
			}
		}
		return nil
	})
	return shared
}

// Touch says that a file was used now.
func (d Dir) Touch(name string) {
	now := time.Now()
	_ = d.within(func(root *os.Root) error { return root.Chtimes(name, now, now) })
}

// within calls do with the directory of the cache, which no path and no link
// leads out of.
func (d Dir) within(do func(*os.Root) error) error {
	root, err := os.OpenRoot(string(d))
	if err != nil {
		return err
	}
	defer root.Close()
	return do(root)
}

// Read returns a file of at most limit bytes, which is neither a link nor a
// device nor a pipe.
func (d Dir) Read(name string, limit int64) (data []byte, err error) {
	err = d.within(func(root *os.Root) error {
		before, lstatErr := root.Lstat(name)
		if lstatErr != nil {
			return lstatErr
		}
		if !before.Mode().IsRegular() || before.Size() > limit {
			return fmt.Errorf("%s is no file of at most %d bytes", name, limit)
		}
		f, openErr := root.OpenFile(name, os.O_RDONLY|openNonblock, 0)
		if openErr != nil {
			return openErr
		}
		defer f.Close()
		if info, statErr := f.Stat(); statErr != nil || !os.SameFile(before, info) {
			return fmt.Errorf("%s was replaced", name)
		}
		data = make([]byte, before.Size())
		_, readErr := io.ReadFull(f, data)
		return readErr
	})
	return data, err
}

// Replace writes a file that others see either whole or not at all.
func (d Dir) Replace(name string, data []byte) error {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return err
	}
	return d.within(func(root *os.Root) error {
		if err := root.MkdirAll(path.Dir(name), 0o700); err != nil {
			return err
		}
		random := make([]byte, 8)
		_, _ = rand.Read(random) // never fails
		temp := path.Join(path.Dir(name), TempPrefix+hex.EncodeToString(random))
		f, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		_, err = f.Write(data)
		err = errors.Join(err, f.Close())
		if err == nil {
			err = root.Rename(temp, name)
		}
		if err != nil {
			return errors.Join(err, root.Remove(temp))
		}
		return nil
	})
}

// Remove removes a file. That it is gone is no error.
func (d Dir) Remove(name string) error {
	err := d.within(func(root *os.Root) error { return root.Remove(name) })
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Stat describes a file.
func (d Dir) Stat(name string) (info fs.FileInfo, err error) {
	err = d.within(func(root *os.Root) error {
		info, err = root.Lstat(name)
		return err
	})
	return info, err
}

// List returns the files in a directory whose names match.
func (d Dir) List(dir string, names ...*regexp.Regexp) (found []fs.FileInfo, err error) {
	err = d.within(func(root *os.Root) error {
		if info, lstatErr := root.Lstat(dir); lstatErr != nil || !info.IsDir() {
			return lstatErr
		}
		entries, readErr := fs.ReadDir(root.FS(), dir)
		for _, entry := range entries {
			matches := false
			for _, name := range names {
				matches = matches || name.MatchString(entry.Name())
			}
			// What another process removes meanwhile is not listed.
			if info, infoErr := entry.Info(); infoErr == nil && matches && info.Mode().IsRegular() {
				found = append(found, info)
			}
		}
		return readErr
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return found, err
}
