// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/rogpeppe/go-internal/lockedfile"
)

// Cache is a directory of manifests and layers, by digest, that processes may
// share. Content is verified when it is read and appears under its name whole;
// what was used longest ago goes when there is too much. A cache that cannot
// be read or written is no error: the registry is asked instead.
type Cache struct {
	Dir   string // empty: there is no cache
	Limit int64  // bytes that it may hold, 1 GiB when zero
}

const (
	defaultCacheLimit = 1 << 30
	tempPrefix        = "tmp-"
	// staleTemp is the age at which a temporary file was left by a process
	// that died, and not one that still writes.
	staleTemp = time.Hour
)

// CacheEntry is an artifact in a cache.
type CacheEntry struct {
	Reference string    `json:"reference"` // oci://host/path:tag or …@digest
	Digest    string    `json:"digest"`    // of the manifest
	Size      int64     `json:"size"`      // bytes of manifest and layers that are there
	LastUsed  time.Time `json:"lastUsed"`
}

func (c Cache) blobs() string { return filepath.Join(c.Dir, "blobs", "sha256") }
func (c Cache) refs() string  { return filepath.Join(c.Dir, "refs") }

func (c Cache) blob(digest v1.Hash) string { return filepath.Join(c.blobs(), digest.Hex) }

// get returns content of at most limit bytes, and nil when it is not there. A
// file that does not hold what its name says is removed.
func (c Cache) get(digest v1.Hash, limit int64) []byte {
	if c.Dir == "" {
		return nil
	}
	name := c.blob(digest)
	info, err := os.Stat(name)
	if err != nil || info.Size() > limit {
		return nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	if hash(data) != digest {
		_ = os.Remove(name)
		return nil
	}
	now := time.Now()
	_ = os.Chtimes(name, now, now) // the order in which prune removes
	return data
}

// put stores content under its digest.
func (c Cache) put(digest v1.Hash, data []byte) {
	if c.Dir == "" {
		return
	}
	_ = replace(c.blob(digest), data)
}

// replace writes a file that others see either whole or not at all.
func replace(name string, data []byte) error {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, tempPrefix)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// pointer is what a file below refs holds: an address and the manifest that
// was found there last.
type pointer struct {
	Reference string `json:"reference"`
	Digest    string `json:"digest"`
}

func (c Cache) pointerFile(reference string) string {
	return filepath.Join(c.refs(), hash([]byte(reference)).Hex+".json")
}

// point notes which manifest an address has.
func (c Cache) point(reference, digest string) {
	if c.Dir == "" || c.lookup(reference) == digest {
		return
	}
	data, err := json.Marshal(pointer{reference, digest})
	if err == nil {
		_ = replace(c.pointerFile(reference), data)
	}
}

// lookup returns the digest that an address had last, empty when unknown.
func (c Cache) lookup(reference string) string {
	if c.Dir == "" {
		return ""
	}
	p, err := readPointer(c.pointerFile(reference))
	if err != nil || p.Reference != reference {
		return ""
	}
	return p.Digest
}

func readPointer(name string) (pointer, error) {
	data, err := os.ReadFile(name)
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

// lock keeps other processes from downloading the same content at the same
// time. It is only an economy: without it, or after a while, both download.
func (c Cache) lock(ctx context.Context, digest v1.Hash) (unlock func()) {
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

// stored is a file of the cache.
type stored struct {
	name string
	size int64
	used time.Time
}

func (c Cache) stored() ([]stored, error) {
	entries, err := os.ReadDir(c.blobs())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []stored
	for _, entry := range entries {
		// What another process removes meanwhile is not listed.
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			all = append(all, stored{filepath.Join(c.blobs(), entry.Name()), info.Size(), info.ModTime()})
		}
	}
	slices.SortFunc(all, func(a, b stored) int { return a.used.Compare(b.used) })
	return all, nil
}

// Prune removes what was used before the given time, and then what was used
// longest ago until the cache holds no more than its limit. It returns how many
// bytes it removed.
func (c Cache) Prune(before time.Time) (removed int64, err error) {
	if c.Dir == "" {
		return 0, nil
	}
	all, err := c.stored()
	if err != nil {
		return 0, err
	}
	var total int64
	for _, s := range all {
		total += s.size
	}
	limit := cmp.Or(c.Limit, defaultCacheLimit)
	for _, s := range all {
		temp := strings.HasPrefix(filepath.Base(s.name), tempPrefix)
		if temp && time.Since(s.used) < staleTemp {
			continue
		}
		if !s.used.Before(before) && total <= limit && !temp {
			continue
		}
		if rmErr := os.Remove(s.name); rmErr != nil && !errors.Is(rmErr, fs.ErrNotExist) {
			err = errors.Join(err, rmErr)
			continue
		}
		total -= s.size
		removed += s.size
	}
	return removed, errors.Join(err, c.prunePointers())
}

// prunePointers removes the addresses whose manifest is gone.
func (c Cache) prunePointers() error {
	return c.eachPointer(func(file string, p pointer) error {
		digest, err := v1.NewHash(p.Digest)
		if err == nil {
			_, err = os.Stat(c.blob(digest))
		}
		if err == nil {
			return nil
		}
		if err = os.Remove(file); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
}

func (c Cache) eachPointer(visit func(file string, p pointer) error) error {
	entries, err := os.ReadDir(c.refs())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		file := filepath.Join(c.refs(), entry.Name())
		if strings.HasPrefix(entry.Name(), tempPrefix) {
			continue
		}
		p, readErr := readPointer(file)
		if errors.Is(readErr, fs.ErrNotExist) {
			continue
		}
		// A pointer that cannot be read has no manifest.
		err = errors.Join(err, visit(file, p))
	}
	return err
}

// List returns the artifacts in the cache, sorted by reference.
func (c Cache) List() ([]CacheEntry, error) {
	var list []CacheEntry
	if c.Dir == "" {
		return nil, nil
	}
	err := c.eachPointer(func(_ string, p pointer) error {
		if entry, ok := c.entry(p); ok {
			list = append(list, entry)
		}
		return nil
	})
	slices.SortFunc(list, func(a, b CacheEntry) int { return cmp.Compare(a.Reference, b.Reference) })
	return list, err
}

// entry describes what an address leads to, unless that is gone.
func (c Cache) entry(p pointer) (CacheEntry, bool) {
	digest, err := v1.NewHash(p.Digest)
	if err != nil {
		return CacheEntry{}, false
	}
	info, err := os.Stat(c.blob(digest))
	if err != nil {
		return CacheEntry{}, false
	}
	return CacheEntry{
		Reference: p.Reference, Digest: p.Digest, LastUsed: info.ModTime().UTC().Truncate(time.Second),
		Size: info.Size() + c.layersSize(digest, info.Size()),
	}, true
}

// layersSize returns the bytes of those layers of a manifest that are there.
func (c Cache) layersSize(digest v1.Hash, size int64) (total int64) {
	data, err := os.ReadFile(c.blob(digest))
	if err != nil || size > maxManifest {
		return 0
	}
	var manifest v1.Manifest
	if json.Unmarshal(data, &manifest) != nil {
		return 0
	}
	for _, layer := range manifest.Layers {
		if info, err := os.Stat(c.blob(layer.Digest)); err == nil {
			total += info.Size()
		}
	}
	return total
}
