// SPDX-License-Identifier: Apache-2.0

// Package cache keeps the manifests and layers of artifacts in a directory, by
// digest, and which digest a reference had last. Other users and other processes
// may be at work there: what is read is verified.
package cache

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/cachedir"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
)

// Cache is a directory of manifests and layers, by digest, that processes may
// share. Content is verified when it is read and appears under its name whole;
// what was used longest ago goes when there is too much. A cache that cannot
// be read or written is no error: the registry is asked instead.
type Cache struct {
	Dir   string // empty: there is no cache
	Limit int64  // bytes that it may hold, 1 GiB when zero

	warned *sync.Once // nil: a warning each time
}

const defaultCacheLimit = 1 << 30

// Entry is an artifact in a cache.
type Entry struct {
	Reference string    `json:"reference"` // oci://host/path:tag or …@digest
	Digest    string    `json:"digest"`    // of the manifest
	Size      int64     `json:"size"`      // bytes of manifest and layers that are there
	LastUsed  time.Time `json:"lastUsed"`
}

// blobName returns where content is, below the directory of the cache.
func blobName(digest v1.Hash) string { return path.Join(blobsDir, digest.Hex) }

// Get returns content of at most limit bytes, and nil when it does not exist. A
// file that does not hold what its name says is removed.
func (c Cache) Get(digest v1.Hash, limit int64) []byte {
	if c.Dir == "" {
		return nil
	}
	name := blobName(digest)
	data, err := c.files().Read(name, limit)
	if err != nil {
		return nil
	}
	if archive.Hash(data) != digest {
		_ = c.files().Remove(name)
		return nil
	}
	c.files().Touch(name) // the order in which prune removes
	return data
}

// Put stores content under its digest.
func (c Cache) Put(digest v1.Hash, data []byte) {
	if c.Dir == "" {
		return
	}
	_ = c.files().Replace(blobName(digest), data)
}

// pointer is what a file below refs holds: an address and the manifest that
// was found there last.
type pointer struct {
	Reference string `json:"reference"`
	Digest    string `json:"digest"`
}

func pointerFile(reference string) string {
	return path.Join(refsDir, archive.Hash([]byte(reference)).Hex+".json")
}

// Point notes which manifest an address has.
func (c Cache) Point(reference, digest string) {
	if c.Dir == "" || c.Lookup(reference) == digest {
		return
	}
	data, err := json.Marshal(pointer{reference, digest})
	if err == nil {
		_ = c.files().Replace(pointerFile(reference), data)
	}
}

// Lookup returns the digest that an address had last, empty when unknown.
func (c Cache) Lookup(reference string) string {
	if c.Dir == "" {
		return ""
	}
	p, err := c.pointer(pointerFile(reference))
	if err != nil || p.Reference != reference {
		return ""
	}
	return p.Digest
}

func (c Cache) pointer(name string) (pointer, error) {
	data, err := c.files().Read(name, maxPointer)
	if err != nil {
		return pointer{}, err
	}
	var p pointer
	err = json.Unmarshal(data, &p)
	return p, err
}

// lockWait is how long a process waits for another one's download before it
// begins its own.
const lockWait = 30 * time.Second

// Lock keeps other processes from downloading the same content at the same
// time. It is only an economy: without it, or after a while, both download.
func (c Cache) Lock(ctx context.Context, digest v1.Hash) (unlock func()) {
	if c.Dir == "" || os.MkdirAll(c.Dir, 0o700) != nil {
		return func() {}
	}
	// Few files for all digests, because a lock file cannot be removed safely.
	mutex := lockedfile.MutexAt(filepath.Join(c.Dir, "lock-"+digest.Hex[:1]))
	locked := make(chan func(), 1)
	go func() {
		if release, err := mutex.Lock(); err == nil {
			locked <- release
			return
		}
		locked <- func() {}
	}()
	timer := time.NewTimer(lockWait)
	defer timer.Stop()
	select {
	case release := <-locked:
		return release
	case <-timer.C:
	case <-ctx.Done():
	}
	go func() { (<-locked)() }() // a lock that comes too late is given back
	return func() {}
}

// Prune removes what was used before the given time, and then what was used
// longest ago until the cache holds no more than its limit. It returns how many
// bytes it removed.
func (c Cache) Prune(before time.Time) (removed int64, err error) {
	if c.Dir == "" {
		return 0, nil
	}
	all, err := c.files().List(blobsDir, blobRE, tempRE)
	if err != nil {
		return 0, err
	}
	slices.SortFunc(all, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	var total int64
	for _, file := range all {
		total += file.Size()
	}
	limit := cmp.Or(c.Limit, defaultCacheLimit)
	for _, file := range all {
		temp := tempRE.MatchString(file.Name())
		if temp && time.Since(file.ModTime()) < cachedir.StaleTemp {
			continue
		}
		if !file.ModTime().Before(before) && total <= limit && !temp {
			continue
		}
		if removeErr := c.files().Remove(path.Join(blobsDir, file.Name())); removeErr != nil {
			err = errors.Join(err, removeErr)
			continue
		}
		total -= file.Size()
		removed += file.Size()
	}
	rendered, renderedErr := c.pruneBelow(cachedir.Rendered, before)
	listed, listedErr := c.pruneBelow(versionsDir, before)
	return removed + rendered + listed, errors.Join(err, c.prunePointers(), renderedErr, listedErr)
}

// pruneBelow removes what was used before the given time from the directory of
// the rendered results, whose bounds are kept by what renders, or of the versions.
func (c Cache) pruneBelow(dir string, before time.Time) (removed int64, err error) {
	all, err := c.files().List(dir, blobRE)
	for _, file := range all {
		if !file.ModTime().Before(before) {
			continue
		}
		err = errors.Join(err, c.files().Remove(path.Join(dir, file.Name())))
		removed += file.Size()
	}
	return removed, err
}

// prunePointers removes the addresses whose manifest is gone.
func (c Cache) prunePointers() error {
	return c.eachPointer(func(file string, p pointer) error {
		digest, err := v1.NewHash(p.Digest)
		if err == nil {
			_, err = c.files().Stat(blobName(digest))
		}
		if err == nil {
			return nil
		}
		return c.files().Remove(file)
	})
}

func (c Cache) eachPointer(visit func(file string, p pointer) error) error {
	entries, err := c.files().List(refsDir, pointerRE)
	for _, entry := range entries {
		file := path.Join(refsDir, entry.Name())
		p, readErr := c.pointer(file)
		if errors.Is(readErr, fs.ErrNotExist) {
			continue
		}
		// A pointer that cannot be read has no manifest.
		err = errors.Join(err, visit(file, p))
	}
	return err
}

// Tags returns the tags of a repository, oci://HOST/PATH, that the cache knows.
func (c Cache) Tags(source string) []string {
	var tags []string
	// An address that cannot be read names no version.
	_ = c.eachPointer(func(_ string, p pointer) error {
		if tag, ok := strings.CutPrefix(p.Reference, source+":"); ok {
			tags = append(tags, tag)
		}
		return nil
	})
	return tags
}

// List returns the artifacts in the cache, sorted by reference.
func (c Cache) List() ([]Entry, error) {
	var list []Entry
	if c.Dir == "" {
		return nil, nil
	}
	err := c.eachPointer(func(_ string, p pointer) error {
		if entry, ok := c.entry(p); ok {
			list = append(list, entry)
		}
		return nil
	})
	slices.SortFunc(list, func(a, b Entry) int { return cmp.Compare(a.Reference, b.Reference) })
	return list, err
}

// entry describes what an address leads to, unless that is gone.
func (c Cache) entry(p pointer) (Entry, bool) {
	digest, err := v1.NewHash(p.Digest)
	if err != nil {
		return Entry{}, false
	}
	info, err := c.files().Stat(blobName(digest))
	if err != nil {
		return Entry{}, false
	}
	return Entry{
		Reference: p.Reference, Digest: p.Digest, LastUsed: info.ModTime().UTC().Truncate(time.Second),
		Size: info.Size() + c.layersSize(digest),
	}, true
}

// layersSize returns the bytes of those layers of a manifest that are there.
func (c Cache) layersSize(digest v1.Hash) (total int64) {
	data, err := c.files().Read(blobName(digest), archive.MaxManifest)
	if err != nil {
		return 0
	}
	var manifest v1.Manifest
	if json.Unmarshal(data, &manifest) != nil {
		return 0
	}
	for _, layer := range manifest.Layers {
		if info, err := c.files().Stat(blobName(layer.Digest)); err == nil {
			total += info.Size()
		}
	}
	return total
}
