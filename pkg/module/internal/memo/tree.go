// SPDX-License-Identifier: Apache-2.0

package memo

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// The bounds of a tree: to read a larger one takes longer than it saves.
const (
	maxFiles     = 8192
	maxTreeBytes = 64 << 20
	maxDepth     = 32
)

var errTooLarge = errors.New("the tree is too large")

// Digest collects what a key is made of. Each part is written with its length,
// so that no two sequences of parts are alike.
type Digest struct{ hash.Hash }

// NewDigest returns an empty one.
func NewDigest() Digest { return Digest{sha256.New()} }

// Add adds parts.
func (d Digest) Add(parts ...string) {
	for _, part := range parts {
		d.length(len(part))
		_, _ = io.WriteString(d.Hash, part) // a hash takes anything
	}
}

func (d Digest) length(n int) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n))
	_, _ = d.Write(b[:])
}

// Key returns the digest of what was added.
func (d Digest) Key() Key { return Key(d.Sum(nil)) }

// Tree returns the digest of all that can be read below a directory: names, what
// links say and lead to, and content. see is told of each file by its path in
// the directory, and may refuse it. What cannot be read is an error.
func Tree(dir string, see func(name string, content []byte) error) (Key, error) {
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return Key{}, err
	}
	if root, err = filepath.Abs(root); err != nil {
		return Key{}, err
	}
	w := walker{root: root, see: see, digest: NewDigest()}
	if err := w.dir(root, "", 0); err != nil {
		return Key{}, err
	}
	return w.digest.Key(), nil
}

type walker struct {
	root   string
	see    func(string, []byte) error
	digest Digest
	files  int
	bytes  int64
}

// dir adds a directory, which is named so in the tree.
func (w *walker) dir(path, name string, depth int) error {
	if depth > maxDepth {
		return errTooLarge // or links that lead in a circle
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	w.digest.Add("dir", name)
	w.digest.length(len(entries))
	for _, entry := range entries {
		if err := w.entry(filepath.Join(path, entry.Name()), filepath.Join(name, entry.Name()), entry.Type(), depth); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) entry(path, name string, mode fs.FileMode, depth int) error {
	if w.files++; w.files > maxFiles {
		return errTooLarge
	}
	switch {
	case mode.IsRegular():
		return w.file(path, name)
	case mode.IsDir():
		return w.dir(path, name, depth+1)
	case mode&fs.ModeSymlink != 0:
		return w.link(path, name, depth)
	}
	return fmt.Errorf("%s is neither a file nor a directory nor a link", name)
}

// link adds a link: what it says, the place that it leads to, and what is there.
func (w *walker) link(path, name string, depth int) error {
	text, err := os.Readlink(path)
	if err != nil {
		return err
	}
	w.digest.Add("link", name, text)
	target, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		w.digest.Add("broken")
		return nil
	}
	if err != nil {
		return err
	}
	place := target
	if rel, relErr := filepath.Rel(w.root, target); relErr == nil && filepath.IsLocal(rel) {
		place = rel // the same wherever the tree is
	}
	w.digest.Add(place)
	info, err := os.Stat(target)
	if err != nil {
		return err
	}
	return w.entry(target, name, info.Mode().Type(), depth+1)
}

func (w *walker) file(path, name string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if w.bytes += int64(len(content)); w.bytes > maxTreeBytes {
		return errTooLarge
	}
	w.digest.Add("file", name)
	w.digest.length(len(content))
	_, _ = w.digest.Write(content)
	return w.see(name, content)
}
