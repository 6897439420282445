// SPDX-License-Identifier: Apache-2.0

// Package memo keeps results in the files of a private directory: each under the
// digest of everything that it was made from.
package memo

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/cachedir"
)

// Key is the digest of what a result was made from.
type Key [sha256.Size]byte

// The bounds of a store.
const (
	maxEntries = 256
	maxBytes   = 128 << 20
	maxEntry   = 16 << 20
	maxAge     = 14 * 24 * time.Hour // since its last use
)

// magic begins every entry. It changes with what is in them.
const magic = "timoni-render 1\n"

var entryRE = regexp.MustCompile(`^(?:[0-9a-f]{64}|` + cachedir.TempPrefix + `[0-9a-f]+)$`)

// Store is a directory of entries, which processes may share. The zero value
// holds nothing.
type Store struct{ Dir string }

func (s Store) files() cachedir.Dir { return cachedir.Dir(s.Dir) }

func entryName(k Key) string { return path.Join(cachedir.Rendered, hex.EncodeToString(k[:])) }

// IsUsable says whether there is a directory in which only this user writes.
func (s Store) IsUsable() bool {
	return s.Dir != "" && s.files().Shared(cachedir.Rendered) == ""
}

// Get returns what was put under the key, and nil when it does not exist. What is
// not whole is removed.
func (s Store) Get(k Key) []byte {
	name := entryName(k)
	data, err := s.files().Read(name, maxEntry)
	if err != nil {
		return nil
	}
	head := len(magic) + sha256.Size
	if len(data) < head || string(data[:len(magic)]) != magic || seal(k, data[head:]) != [sha256.Size]byte(data[len(magic):head]) {
		_ = s.files().Remove(name)
		return nil
	}
	s.files().Touch(name)
	return data[head:]
}

// Put keeps data under the key, and removes what is too much. What cannot be
// written is not kept.
func (s Store) Put(k Key, data []byte) {
	sum := seal(k, data)
	entry := slices.Concat([]byte(magic), sum[:], data)
	if len(entry) > maxEntry || s.files().Replace(entryName(k), entry) != nil {
		return
	}
	s.prune()
}

// seal returns what tells that an entry is whole and stands under its own key.
func seal(k Key, data []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write(k[:])
	h.Write(data)
	return [sha256.Size]byte(h.Sum(nil))
}

// prune removes what was not used for long, and then what was used longest ago
// until the rest is within the bounds.
func (s Store) prune() {
	all, err := s.files().List(cachedir.Rendered, entryRE)
	if err != nil {
		return
	}
	slices.SortFunc(all, func(a, b fs.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	kept, size := 0, int64(0)
	for _, file := range all {
		age := time.Since(file.ModTime())
		isTemp := len(file.Name()) != hex.EncodedLen(sha256.Size)
		if isTemp && age < cachedir.StaleTemp {
			continue
		}
		kept++
		size += file.Size()
		if isTemp || age > maxAge || kept > maxEntries || size > maxBytes {
			_ = s.files().Remove(path.Join(cachedir.Rendered, file.Name()))
		}
	}
}
