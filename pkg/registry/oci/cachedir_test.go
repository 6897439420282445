// SPDX-License-Identifier: Apache-2.0

//go:build unix

package oci_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/cache"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// cached returns a module in a registry, and a cache that has it.
func cached(t *testing.T) (r ref.Reference, digest string, o oci.Options) {
	t.Helper()
	vendor, content := plainLayers(t)
	r = fixture.Reference(t, "oci://"+fixture.Serve(t, newFake(t, vendor, content, nil))+"/app:1.0.0")
	o = oci.Options{Cache: cache.Cache{Dir: filepath.Join(t.TempDir(), "cache")}}
	m, err := oci.Pull(t.Context(), r, filepath.Join(t.TempDir(), "out"), o)
	if err != nil {
		t.Fatal(err)
	}
	return r, m.Digest, o
}

// TestCacheWithoutFiles is about a cache in which something else stands in the
// place of each file: the registry is asked, and nothing hangs.
func TestCacheWithoutFiles(t *testing.T) {
	t.Parallel()
	for name, replace := range map[string]func(file string) error{
		"pipes":             func(file string) error { return syscall.Mkfifo(file, 0o600) },
		"links to a device": func(file string) error { return os.Symlink("/dev/zero", file) },
		"links to nothing":  func(file string) error { return os.Symlink("nowhere", file) },
		"directories":       func(file string) error { return os.Mkdir(file, 0o700) },
		"large files": func(file string) error {
			return errors.Join(os.WriteFile(file, nil, 0o600), os.Truncate(file, 1<<40))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, digest, o := cached(t)
			files, err := filepath.Glob(filepath.Join(o.Cache.Dir, "*", "*"))
			blobs, globErr := filepath.Glob(filepath.Join(o.Cache.Dir, "blobs", "sha256", "*"))
			if err = errors.Join(err, globErr); err != nil || len(blobs) != 3 {
				t.Fatal(err, blobs)
			}
			for _, file := range append(blobs, files...) {
				if filepath.Base(file) == "sha256" {
					continue
				}
				if err = errors.Join(os.Remove(file), replace(file)); err != nil {
					t.Skip(err)
				}
			}
			pinned := r
			pinned.Tag, pinned.Digest = "", digest
			for _, r := range []ref.Reference{r, pinned} {
				if _, err = oci.Pull(t.Context(), r, filepath.Join(t.TempDir(), "out"), o); err != nil {
					t.Error(err)
				}
			}
			if _, err = o.Cache.List(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestCacheLinks is about a directory of the cache that is a link: nothing
// behind it is read, written or removed.
func TestCacheLinks(t *testing.T) {
	t.Parallel()
	for _, link := range []string{"blobs/sha256", "blobs", "refs"} {
		t.Run(link, func(t *testing.T) {
			t.Parallel()
			r, _, o := cached(t)
			elsewhere := t.TempDir()
			for _, name := range []string{"tmp-0", "tmp-old", strings.Repeat("0", 64), "sha256/tmp-0"} {
				file := fixture.Write(t, filepath.Join(elsewhere, name), "x")
				if err := os.Chtimes(file, time.Unix(0, 0), time.Unix(0, 0)); err != nil {
					t.Fatal(err)
				}
			}
			before := fixture.Tree(t, elsewhere)
			dir := filepath.Join(o.Cache.Dir, link)
			if err := errors.Join(os.RemoveAll(dir), os.Symlink(elsewhere, dir)); err != nil {
				t.Skip(err)
			}
			if _, err := oci.Pull(t.Context(), r, filepath.Join(t.TempDir(), "out"), o); err != nil {
				t.Error(err)
			}
			_, _ = o.Cache.Prune(time.Now())
			if diff := cmp.Diff(before, fixture.Tree(t, elsewhere)); diff != "" {
				t.Errorf("behind the link (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPruneOwn holds that only what has a name of the cache's is removed.
func TestPruneOwn(t *testing.T) {
	t.Parallel()
	_, _, o := cached(t)
	old := time.Now().Add(-24 * time.Hour)
	for _, name := range []string{"blobs/sha256/tmp-old", "blobs/sha256/README", "refs/notes.json", "blobs/sha256/tmp-0123456789abcdef"} {
		file := fixture.Write(t, filepath.Join(o.Cache.Dir, filepath.FromSlash(name)), "x")
		if err := os.Chtimes(file, old, old); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := o.Cache.Prune(time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, name := range fixture.Tree(t, o.Cache.Dir) {
		if !strings.HasSuffix(name, "/") && !strings.HasPrefix(name, "lock-") {
			left = append(left, name)
		}
	}
	if diff := cmp.Diff([]string{"blobs/sha256/README", "blobs/sha256/tmp-old", "refs/notes.json"}, left); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}

// TestSharedCache is about a cache that others may write to: it is not used,
// which is said once.
func TestSharedCache(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		dir    string
		mode   os.FileMode
		shared bool
	}{
		"the user's":              {"", 0o700, false},
		"readable":                {"", 0o755, false},
		"writable by the group":   {"", 0o770, true},
		"writable by all":         {"", 0o777, true},
		"a place like /tmp":       {"", 0o777 | os.ModeSticky, false},
		"blobs writable by all":   {"blobs", 0o777, true},
		"content writable by all": {"blobs/sha256", 0o777 | os.ModeSticky, true},
		"refs writable by all":    {"refs", 0o777, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, digest, o := cached(t)
			o.Cache = cache.Open(o.Cache.Dir)
			if err := os.Chmod(filepath.Join(o.Cache.Dir, filepath.FromSlash(test.dir)), test.mode); err != nil {
				t.Fatal(err)
			}
			var warnings []string
			o.Observer = event.Func(func(e event.Event) {
				if w, ok := e.(event.Warning); ok {
					warnings = append(warnings, w.Text)
				}
			})
			o.Offline, r.Digest = true, digest
			for range 2 {
				_, err := oci.Pull(t.Context(), r, filepath.Join(t.TempDir(), "out"), o)
				if got := errors.Is(err, oci.ErrOffline); got != test.shared || !got && err != nil {
					t.Errorf("error %v", err)
				}
			}
			if (len(warnings) == 1) != test.shared || len(warnings) > 1 {
				t.Errorf("warnings %q", warnings)
			}
			if err := o.Cache.Check(); errors.Is(err, cache.ErrShared) != test.shared {
				t.Errorf("check: %v", err)
			}
		})
	}
}

// TestOfflinePointer is about an address in the cache that leads to another
// version.
func TestOfflinePointer(t *testing.T) {
	t.Parallel()
	r, digest, o := cached(t)
	o.Offline = true
	if _, err := oci.Pull(t.Context(), r, filepath.Join(t.TempDir(), "out"), o); err != nil {
		t.Error(err)
	}
	other := r
	other.Tag = "2.0.0"
	o.Cache.Point(other.String(), digest)
	_, err := oci.Pull(t.Context(), other, filepath.Join(t.TempDir(), "out"), o)
	fixture.WantError(t, err, `digest mismatch: the cache has `+digest+` for version 2.0.0, which is version "1.0.0"`)
	if codeOf(err) != fail.Refused {
		t.Errorf("exit code %d", codeOf(err))
	}
}
