// SPDX-License-Identifier: Apache-2.0

package cache

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"sync"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/cachedir"
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
	tempRE    = regexp.MustCompile(`^` + cachedir.TempPrefix + `[0-9a-f]+$`)
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
	if dir := c.files().Shared(path.Dir(blobsDir), blobsDir, refsDir, versionsDir); dir != "" {
		return &SharedError{Dir: dir}
	}
	return nil
}

// files returns the files of the cache.
func (c Cache) files() cachedir.Dir { return cachedir.Dir(c.Dir) }

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

// SharedError refuses a cache in which others may write. It is an ErrShared.
type SharedError struct{ Dir string }

func (e *SharedError) Error() string {
	return fmt.Sprintf("cache %s is not used: %v", e.Dir, ErrShared)
}

// Unwrap returns the condition.
func (e *SharedError) Unwrap() error { return ErrShared }
