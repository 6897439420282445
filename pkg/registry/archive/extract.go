// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/link"
)

// maxName bounds the length of a path in an archive, and with it its depth.
const maxName = 1024

// Extract unpacks gzip-compressed tar archives, one after the other, into dir,
// which must be empty or not exist. Only regular files and directories below
// dir are accepted, each once, within the limits: anything else is ErrUnsafe
// or ErrTooLarge, by name. What isGit is left out, and skipped, which may be
// nil, is told. On error dir is left as it was found.
func Extract(ctx context.Context, dir string, limits Limits, skipped func(name string), archives ...io.Reader) (err error) {
	if skipped == nil {
		skipped = func(string) {}
	}
	undo, err := emptyDir(dir)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, undo())
		}
	}()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	x := &extractor{root: root, buffer: make([]byte, 64<<10), made: map[string]bool{".": true}, skipped: skipped, budget: budget{limits: limits.OrDefault()}}
	defer func() { err = errors.Join(err, x.leaveAll()) }()
	for _, archive := range archives {
		if err = x.archive(ctx, archive); err != nil {
			return err
		}
	}
	return nil
}

// emptyDir makes sure that dir exists and is empty. The function that it
// returns brings back the state before.
func emptyDir(dir string) (undo func() error, err error) {
	if err = link.Check(dir, "."); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return func() error { return os.RemoveAll(dir) }, os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return nil, err
	}
	if len(entries) > 0 {
		return nil, fmt.Errorf("directory %q %w", dir, ErrNotEmpty)
	}
	return func() error { return clearDir(dir) }, nil
}

func clearDir(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, entry.Name())))
	}
	return err
}

// extractor writes below root, through which no path and no link leads out.
type extractor struct {
	root   *os.Root
	made   map[string]bool // the directories that exist, and what was left out
	budget budget

	skipped func(name string)

	// The directories on the way to the one that was written to last, open:
	// files come directory by directory, and to walk each path from its root
	// would cost twice the system calls.
	way []level

	buffer []byte
}

// level is an open directory.
type level struct {
	name string // from the root
	at   *os.Root
}

// enter returns the directory called dir, which was made before.
func (x *extractor) enter(dir string) (*os.Root, error) {
	for len(x.way) > 0 && !within(dir, x.way[len(x.way)-1].name) {
		if err := x.leave(); err != nil {
			return nil, err
		}
	}
	at, name := x.root, "."
	if len(x.way) > 0 {
		at, name = x.way[len(x.way)-1].at, x.way[len(x.way)-1].name
	}
	for name != dir {
		rest := strings.TrimPrefix(dir, name+"/")
		element, _, _ := strings.Cut(rest, "/")
		next, err := at.OpenRoot(element)
		if err != nil {
			return nil, err
		}
		at, name = next, path.Join(name, element)
		x.way = append(x.way, level{name, at})
	}
	return at, nil
}

// within says whether dir is parent or below it.
func within(dir, parent string) bool {
	return dir == parent || strings.HasPrefix(dir, parent+"/")
}

// leave closes the directory that was entered last. On some systems an open
// one could not be removed.
func (x *extractor) leave() error {
	last := x.way[len(x.way)-1]
	x.way = x.way[:len(x.way)-1]
	return last.at.Close()
}

// leaveAll closes all of them.
func (x *extractor) leaveAll() (err error) {
	for len(x.way) > 0 {
		err = errors.Join(err, x.leave())
	}
	return err
}

func (x *extractor) archive(ctx context.Context, r io.Reader) error {
	zip, err := gzip.NewReader(r)
	if err != nil {
		return fmt.Errorf("layer is not a gzip file: %w", err)
	}
	// Headers, padding and skipped records inflate too; 4 KiB for each entry
	// is more than any of ours needs.
	inflated := x.budget.limits.Total + int64(x.budget.limits.Files)*4096
	archive := tar.NewReader(&boundedReader{from: zip, left: inflated, limit: inflated})
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("unpack layer: %w", err)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err = x.entry(header, archive); err != nil {
			return err
		}
	}
}

func (x *extractor) entry(header *tar.Header, data io.Reader) error {
	name, err := entryName(header.Name)
	if err != nil {
		return err
	}
	if git := GitPart(name); git != "" {
		if !x.made[git] {
			x.made[git] = true
			x.skipped(git)
		}
		return x.budget.take(name, 0)
	}
	if runtime.GOOS == "windows" && slices.ContainsFunc(strings.Split(name, "/"), isReserved) {
		return refused("entry %q is no file name on Windows", header.Name)
	}
	switch header.Typeflag {
	case tar.TypeDir:
		return x.mkdir(name)
	case tar.TypeReg:
		return x.file(name, header.Size, data)
	}
	return refused("entry %q is %s", header.Name, typeName(header.Typeflag))
}

// entryName returns the path of an entry in its shortest form. It refuses what
// leads out of the directory on any system, not just on this one.
func entryName(raw string) (string, error) {
	name := path.Clean(raw)
	switch {
	case len(raw) > maxName:
		return "", refused("entry %.40q… has a name of more than %d bytes", raw, maxName)
	case path.IsAbs(raw):
		return "", refused("entry %q has an absolute path", raw)
	case slices.Contains(strings.Split(raw, "/"), ".."):
		return "", refused("entry %q leads out of the directory", raw)
	case raw == "", strings.ContainsAny(raw, "\\\x00"), !filepath.IsLocal(filepath.FromSlash(name)):
		return "", refused("entry %q is not a portable file name", raw)
	}
	return name, nil
}

// mkdir makes a directory and those above it. Each counts as a file: deep
// paths are a way to fill a disk as well.
func (x *extractor) mkdir(name string) error {
	if x.made[name] {
		return nil
	}
	if err := x.mkdir(path.Dir(name)); err != nil {
		return err
	}
	if err := x.budget.take(name, 0); err != nil {
		return err
	}
	x.made[name] = true
	parent, err := x.enter(path.Dir(name))
	if err != nil {
		return err
	}
	return x.exclusive(name, parent.Mkdir(path.Base(name), 0o755))
}

func (x *extractor) file(name string, size int64, data io.Reader) (err error) {
	if err = x.budget.take(name, size); err != nil {
		return err
	}
	if err = x.mkdir(path.Dir(name)); err != nil {
		return err
	}
	at, err := x.enter(path.Dir(name))
	if err != nil {
		return err
	}
	f, err := at.OpenFile(path.Base(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return x.exclusive(name, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	// The file's own way to read would take a new buffer for each file.
	if _, err = io.CopyBuffer(struct{ io.Writer }{f}, data, x.buffer); err != nil {
		return fmt.Errorf("unpack %q: %w", name, err)
	}
	return nil
}

// exclusive explains why an entry could not be made: what exists already was
// made by an earlier entry, since the directory was empty.
func (x *extractor) exclusive(name string, err error) error {
	if errors.Is(err, fs.ErrExist) {
		return refused("entry %q exists already, perhaps in another case", name)
	}
	return err
}

func typeName(flag byte) string {
	switch flag {
	case tar.TypeSymlink:
		return "a symbolic link"
	case tar.TypeLink:
		return "a hard link"
	case tar.TypeChar, tar.TypeBlock:
		return "a device"
	case tar.TypeFifo:
		return "a named pipe"
	}
	return fmt.Sprintf("of type %q, neither a file nor a directory", flag)
}

// boundedReader fails, instead of ending, when more than limit bytes come.
type boundedReader struct {
	from        io.Reader
	left, limit int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return 0, fmt.Errorf("%w: the layer inflates to more than %d bytes", ErrTooLarge, b.limit)
	}
	return n, err
}
