// SPDX-License-Identifier: Apache-2.0

package develop

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"
)

// Files are looked at again and again instead of being watched: that works on
// every system and file system, also where changes come from a container or over
// a network, with editors that replace files and through links, and a module has
// few enough files.
const (
	// interval is the time from one look to the next.
	interval = 100 * time.Millisecond
	// share bounds the time that looking takes: one part in so many.
	share = 20
	// longestBurst is how long changes may follow each other before what is there
	// is taken.
	longestBurst = 2 * time.Second
)

// snapshot is what files look like, by path.
type snapshot map[string]fs.FileInfo

// look returns what the files of a directory, and some others, look like. What
// cannot be read is left out.
func look(dir string, others []string) snapshot {
	s := snapshot{}
	s.add(dir, map[string]bool{})
	for _, file := range others {
		s.add(file, map[string]bool{})
	}
	return s
}

// add adds a file, or what is in a directory. Links are followed, and a directory
// that leads back to itself is left at that.
func (s snapshot) add(path string, seen map[string]bool) {
	info, err := os.Stat(path)
	if err != nil {
		return
	}
	if !info.IsDir() {
		s[path] = info
		return
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil || seen[target] || filepath.Base(path) == ".git" {
		return
	}
	seen[target] = true
	entries, err := os.ReadDir(path)
	if err != nil {
		return
	}
	for _, entry := range entries {
		s.add(filepath.Join(path, entry.Name()), seen)
	}
}

// same says whether all files are the same. An editor may replace a file by
// another one of the same size, and within the time that the file system tells
// apart.
func (s snapshot) same(other snapshot) bool {
	return maps.EqualFunc(s, other, func(a, b fs.FileInfo) bool {
		return a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) && os.SameFile(a, b)
	})
}

// watcher tells when files have changed.
type watcher struct {
	dir    string
	others []string
	last   snapshot
}

// next returns when the files have changed since it returned last, and no longer
// change. The error is that of ctx.
func (w *watcher) next(ctx context.Context) error {
	var began time.Time // of the burst
	pending := w.last
	for {
		start := time.Now()
		now := look(w.dir, w.others)
		switch {
		case now.same(w.last) && began.IsZero():
		case now.same(pending) || time.Since(began) > longestBurst && !began.IsZero():
			w.last = now
			return nil
		case began.IsZero():
			began = start
		}
		pending = now
		timer := time.NewTimer(max(interval, share*time.Since(start)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
}
