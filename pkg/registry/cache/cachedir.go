// SPDX-License-Identifier: Apache-2.0

package cache

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
	"sync"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// The directories of a cache, below its own, and the names of what it writes:
// nothing else is removed from them.
const (
	blobsDir = "blobs/sha256"
	refsDir  = "refs"
)

var (
	blobRE    = regexp.MustCompile(`^[0-9a-f]{64}$`)
	pointerRE = regexp.MustCompile(`^[0-9a-f]{64}\.json$`)
	tempRE    = regexp.MustCompile(`^` + tempPrefix + `[0-9a-f]+$`)
)

// maxPointer bounds the file of an address.
const maxPointer = 16 << 10

// ErrShared says that others may write to a directory of the cache.
var ErrShared = errors.New("other users may write to it")

// Open returns the cache in dir, or none when dir is empty. A warning about
// it is given once.
func Open(dir string) Cache { return Cache{Dir: dir, warned: &sync.Once{}} }

// Check returns ErrShared when another user may write to one of the cache's
// directories, and so decide what is in it. A sticky directory may hold the
// cache: what others make in it belongs to them.
func (c Cache) Check() error {
	if c.Dir == "" {
		return nil
	}
	info, err := os.Stat(c.Dir)
	if err != nil {
		return nil //nolint:nilerr // there is no cache yet
	}
	if isShared(info, true) {
		return c.shared(c.Dir)
	}
	return c.within(func(root *os.Root) error {
		for _, dir := range []string{path.Dir(blobsDir), blobsDir, refsDir} {
			info, err := root.Lstat(dir)
			if err == nil && (!info.IsDir() || isShared(info, false)) {
				return c.shared(path.Join(c.Dir, dir))
			}
		}
		return nil
	})
}

func (c Cache) shared(dir string) error {
	return &SharedError{Dir: dir}
}

// Usable returns the cache, or none after a warning when it is shared.
func (c Cache) Usable(warn func(event.Event)) Cache {
	err := c.Check()
	if err == nil {
		return c
	}
	once := c.warned
	if once == nil {
		once = &sync.Once{}
	}
	once.Do(func() { warn(event.Warning{Text: err.Error()}) })
	return Cache{}
}

// within calls do with the directory of the cache, which no path and no link
// leads out of.
func (c Cache) within(do func(*os.Root) error) error {
	root, err := os.OpenRoot(c.Dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return do(root)
}

// read returns a file of at most limit bytes, which is neither a link nor a
// device nor a pipe.
func (c Cache) read(name string, limit int64) (data []byte, err error) {
	err = c.within(func(root *os.Root) error {
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

// replace writes a file that others see either whole or not at all.
func (c Cache) replace(name string, data []byte) error {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return err
	}
	return c.within(func(root *os.Root) error {
		if err := root.MkdirAll(path.Dir(name), 0o700); err != nil {
			return err
		}
		random := make([]byte, 8)
		_, _ = rand.Read(random) // never fails
		temp := path.Join(path.Dir(name), tempPrefix+hex.EncodeToString(random))
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

// remove removes a file. That it is gone is no error.
func (c Cache) remove(name string) error {
	err := c.within(func(root *os.Root) error { return root.Remove(name) })
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// stat describes a file.
func (c Cache) stat(name string) (info fs.FileInfo, err error) {
	err = c.within(func(root *os.Root) error {
		info, err = root.Lstat(name)
		return err
	})
	return info, err
}

// list returns the files in a directory whose names match.
func (c Cache) list(dir string, names ...*regexp.Regexp) (found []fs.FileInfo, err error) {
	err = c.within(func(root *os.Root) error {
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

// SharedError refuses a cache in which others may write. It is an ErrShared.
type SharedError struct{ Dir string }

func (e *SharedError) Error() string {
	return fmt.Sprintf("cache %s is not used: %v", e.Dir, ErrShared)
}

// Unwrap returns the condition.
func (e *SharedError) Unwrap() error { return ErrShared }
