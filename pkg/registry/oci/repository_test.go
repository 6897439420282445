// SPDX-License-Identifier: Apache-2.0

package oci_test

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/session"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// TestNoRepository is about .git in what is pulled and pushed.
func TestNoRepository(t *testing.T) {
	t.Parallel()
	vendor := fixture.Archive(t, fixture.FileEntry("cue.mod/module.cue", "m"), fixture.FileEntry("cue.mod/pkg/x/.git", "gitdir: ../y"))
	content := fixture.Archive(t, fixture.FileEntry("timoni.cue", "t"), fixture.FileEntry(".gitattributes", "* filter=x"),
		fixture.FileEntry(".git/config", "[filter \"x\"]\nclean = touch /pwned"), fixture.FileEntry(".git/HEAD", "ref: x"), fixture.FileEntry("a/.G\u200cIT/config", ""), fixture.FileEntry("git~1/config", ""))
	host := fixture.Serve(t, newFake(t, vendor, content, nil))
	var warnings []string
	o := oci.Options{Access: session.Access{Observer: event.Func(func(e event.Event) {
		if w, ok := e.(event.Warning); ok {
			warnings = append(warnings, strings.TrimPrefix(w.Text, "oci://"+host+"/app:1.0.0: "))
		}
	})}}
	dir := filepath.Join(t.TempDir(), "out")
	if _, err := oci.Pull(t.Context(), fixture.Reference(t, "oci://"+host+"/app:1.0.0"), dir, o); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{".gitattributes", "cue.mod/", "cue.mod/module.cue", "timoni.cue"}, visibleTree(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	want := []string{
		`"cue.mod/pkg/x/.git" is left out: a pulled module holds no Git repository`, `".git" is left out: a pulled module holds no Git repository`,
		`"a/.G\u200cIT" is left out: a pulled module holds no Git repository`, `"git~1" is left out: a pulled module holds no Git repository`,
	}
	if diff := cmp.Diff(want, warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}

	fixture.Write(t, filepath.Join(dir, "a", ".GIT", "config"), "x")
	fixture.Write(t, filepath.Join(dir, "aux.cue"), "x")
	warnings = nil
	image, err := archive.PackModule(dir, "1.0.0", archive.PackOptions{Observer: o.Observer})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{`"aux.cue" is no file name on Windows, where the artifact cannot be pulled`}, warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	pushed := fixture.Registry(t)
	if _, err = oci.Push(t.Context(), image, fixture.Reference(t, "oci://"+pushed+"/app:1.0.0"), []string{"1.0.0"}, false, oci.Options{}); err != nil {
		t.Fatal(err)
	}
	layers := fixture.Must(image.Layers())(t)
	for _, layer := range layers {
		var data bytes.Buffer
		_ = fixture.Must(data.ReadFrom(fixture.Must(layer.Uncompressed())(t)))(t)
		if bytes.Contains(data.Bytes(), []byte(".GIT")) {
			t.Error("a layer holds .GIT")
		}
	}
}

// visibleTree returns the files below dir, sorted.
func visibleTree(t *testing.T, dir string) []string {
	t.Helper()
	names := fixture.Tree(t, dir)
	slices.Sort(names)
	return names
}
