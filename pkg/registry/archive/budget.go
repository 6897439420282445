// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"fmt"
	"io/fs"
)

// budget counts what an artifact holds against its limits.
type budget struct {
	limits Limits
	files  int
	bytes  int64
}

// add counts a file or directory called name.
func (b *budget) add(name string, info fs.FileInfo) error {
	size := int64(0)
	if info.Mode().IsRegular() {
		size = info.Size()
	}
	return b.take(name, size)
}

// take counts one entry of that many bytes. The error, an ErrTooLarge, names
// the entry that goes over a limit.
func (b *budget) take(name string, size int64) error {
	b.files++
	b.bytes += size
	switch {
	case b.files > b.limits.Files:
		return fmt.Errorf("%w: more than %d files and directories, the next is %q", ErrTooLarge, b.limits.Files, name)
	case size < 0 || size > b.limits.File:
		return fmt.Errorf("%w: file %q has %d bytes, more than %d", ErrTooLarge, name, size, b.limits.File)
	case b.bytes > b.limits.Total:
		return fmt.Errorf("%w: more than %d bytes in all files, the next is %q", ErrTooLarge, b.limits.Total, name)
	}
	return nil
}
