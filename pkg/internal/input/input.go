// SPDX-License-Identifier: Apache-2.0

// Package input reads what the user named, which may be a pipe: it waits for it no
// longer than the context lasts, and says whether the content stays on a disk.
package input

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// Content is that of a file that the user named.
type Content struct {
	Data []byte
	// Stored says that the content stays on a disk, so that a cache may keep what
	// is made of it: it was read from a regular file, not from a pipe, a terminal
	// or a file that is removed already.
	Stored bool
}

// Read reads a file by its name. It does not wait for a pipe any longer than
// the context lasts. The error is without the name.
func Read(ctx context.Context, name string) (Content, error) {
	return ReadUpTo(ctx, name, math.MaxInt64)
}

// ReadUpTo is Read, of no more than a number of bytes.
func ReadUpTo(ctx context.Context, name string, most int64) (c Content, err error) {
	if info, statErr := os.Stat(name); statErr == nil && info.Mode().IsRegular() {
		c, err = readFile(name, most)
	} else {
		c, err = Await(ctx, func() (Content, error) { return readFile(name, most) })
	}
	// The operating system's error repeats the name, and on some systems in
	// another form than the user typed.
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathErr.Err
	}
	if err != nil {
		return Content{}, err
	}
	return c, nil
}

// All is io.ReadAll, which does not wait any longer than the context lasts.
func All(ctx context.Context, from io.Reader) ([]byte, error) {
	return Await(ctx, func() ([]byte, error) { return io.ReadAll(from) })
}

// Await returns what read returns, or the cause of the end of the context, which
// leaves the read to itself: nothing ends one that waits for a pipe.
func Await[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := read()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

func readFile(name string, most int64) (Content, error) {
	f, err := os.Open(name)
	if err != nil {
		return Content{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return Content{}, err
	}
	info, err := f.Stat()
	return Content{Data: data, Stored: err == nil && isStored(name, info, len(data))}, nil
}

// isStored says whether an open file is a regular one that others find by a name,
// too, which /dev/stdin may not have, and as long as what was read, which files of
// /proc are not.
func isStored(name string, open fs.FileInfo, length int) bool {
	if !open.Mode().IsRegular() || open.Size() != int64(length) {
		return false
	}
	target, err := filepath.EvalSymlinks(name)
	if err != nil {
		return false
	}
	now, err := os.Stat(target)
	slashed := filepath.ToSlash(target)
	return err == nil && os.SameFile(open, now) && !strings.HasPrefix(slashed, "/dev/") && !strings.HasPrefix(slashed, "/proc/")
}
