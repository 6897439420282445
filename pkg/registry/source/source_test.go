// SPDX-License-Identifier: Apache-2.0

package source_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/session"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// module returns a directory that can be pushed.
func module(t *testing.T) string {
	t.Helper()
	return fixture.Dir(t, map[string]string{"cue.mod/module.cue": "m", "timoni.cue": "t"})
}

// observe keeps the events, but those of transfers, which come from several
// goroutines.
func observe(events *[]event.Event) event.Observer {
	return event.Func(func(e event.Event) {
		if _, ok := e.(event.Transferred); !ok {
			*events = append(*events, e)
		}
	})
}

func TestOpenDirectory(t *testing.T) {
	t.Parallel()
	dir := module(t)
	for name, test := range map[string]string{
		"a path":   dir,
		"a scheme": "file://" + dir,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var events []event.Event
			m, err := source.Open(t.Context(), fixture.Reference(t, test), source.Options{TempDir: "/does/not/exist", Observer: observe(&events)})
			if err != nil {
				t.Fatal(err)
			}
			if m.Dir != dir || m.Repository != test || m.Version != "0.0.0-devel" || m.Digest != "unknown" || m.Annotations != nil {
				t.Errorf("opened %+v", m)
			}
			if diff := cmp.Diff([]event.Event{event.Pulled{Reference: test}}, events); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if err := m.Close(); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(filepath.Join(dir, "timoni.cue")); err != nil {
				t.Errorf("a directory is read in place, Close must leave it alone: %v", err)
			}
		})
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	file := filepath.Join(module(t), "timoni.cue")
	name := "name a directory that holds a module, or a module in a registry as oci://HOST/PATH:VERSION"
	for reference, test := range map[string]struct {
		is         error
		text, hint string
	}{
		"./no/such/directory":         {fs.ErrNotExist, `module "./no/such/directory": file does not exist`, name},
		"no-such/directory":           {fs.ErrNotExist, "file does not exist", name},
		"../ghcr.io/org/app":          {fs.ErrNotExist, "file does not exist", name},
		"file://ghcr.io/org/app":      {fs.ErrNotExist, "file does not exist", name},
		"ghcr.io/org/app":             {fs.ErrNotExist, "file does not exist", "for a module in a registry use oci://ghcr.io/org/app"},
		"ghcr.io/org/app:1.0.0":       {fs.ErrNotExist, "file does not exist", "for a module in a registry use oci://ghcr.io/org/app:1.0.0"},
		"localhost:5000/app":          {fs.ErrNotExist, "file does not exist", "for a module in a registry use oci://localhost:5000/app"},
		"registry:5000/app":           {fs.ErrNotExist, "file does not exist", "for a module in a registry use oci://registry:5000/app"},
		file:                          {source.ErrNoDirectory, "is not a directory", "name the directory that holds cue.mod"},
		"oci://127.0.0.1:1/app:1.0.0": {session.ErrUnreachable, "pull oci://127.0.0.1:1/app:1.0.0: ", `check the name "127.0.0.1:1" and that it can be reached from here`},
	} {
		t.Run(reference, func(t *testing.T) {
			t.Parallel()
			var events []event.Event
			temp := t.TempDir()
			_, err := source.Open(t.Context(), fixture.Reference(t, reference), source.Options{TempDir: temp, Observer: observe(&events)})
			if !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("error %v, want one with %q", err, test.text)
			}
			if diff := cmp.Diff(test.hint, strings.Join(hintsOf(err), "\n")); diff != "" {
				t.Errorf("hints (-want +got):\n%s", diff)
			}
			if len(events) > 0 || !isEmpty(t, temp) {
				t.Errorf("after an error there are events %v, or something is left in the temporary directory", events)
			}
		})
	}
}

func isEmpty(t *testing.T, dir string) bool {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(entries) == 0
}

func TestOpenOCI(t *testing.T) {
	t.Parallel()
	repository := "oci://" + fixture.Registry(t) + "/org/app"
	digest := fixture.Push(t, module(t), fixture.Reference(t, repository+":1.2.3"), ref.Latest)
	for name, test := range map[string]string{
		"a version": repository + ":1.2.3",
		"latest":    repository,
		"a digest":  repository + "@" + digest,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var events []event.Event
			temp := t.TempDir()
			m, err := source.Open(t.Context(), fixture.Reference(t, test), source.Options{TempDir: temp, Observer: observe(&events)})
			if err != nil {
				t.Fatal(err)
			}
			if m.Repository != repository || m.Version != "1.2.3" || m.Digest != digest || m.Annotations[archive.AnnotationVersion] != "1.2.3" {
				t.Errorf("opened %+v", m)
			}
			if diff := cmp.Diff([]event.Event{event.Pulled{Reference: test, Digest: digest}}, events); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			content, err := os.ReadFile(filepath.Join(m.Dir, "timoni.cue"))
			if err != nil || string(content) != "t" {
				t.Errorf("timoni.cue holds %q, %v", content, err)
			}
			if info, err := os.Stat(m.Dir); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
				t.Errorf("directory: %v, %v", info.Mode(), err)
			}
			if err := errors.Join(m.Close(), m.Close()); err != nil {
				t.Error(err)
			}
			if !isEmpty(t, temp) {
				t.Error("Close has left something in the temporary directory")
			}
		})
	}
}
