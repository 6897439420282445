// SPDX-License-Identifier: Apache-2.0

package build_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// Objects are written neither to a directory that is a link nor through a link
// in it, which is replaced if files may be.
func TestWriteDirectoryLinks(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	victim := fixture.Write(t, filepath.Join(top, "elsewhere", "victim"), "mine")
	if err := os.MkdirAll(filepath.Join(top, "out"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"linked": "elsewhere", "out/configmap_a.yaml": victim} {
		if err := os.Symlink(to, filepath.Join(top, filepath.FromSlash(name))); err != nil {
			t.Skip(err)
		}
	}
	req := build.DirectoryRequest{
		Dir: filepath.Join(top, "linked"), Name: "app", Namespace: "apps",
		Objects: []api.Object{{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a"}}},
	}
	if _, err := build.WriteDirectory(req); fail.CodeOf(err) != fail.Refused {
		t.Errorf("a linked directory: error %v", err)
	}
	old := fixture.Write(t, filepath.Join(top, "elsewhere", "old.yaml"), "# kubectl timoni build app -n apps\n")
	nothing := req
	nothing.Objects, nothing.Complete = nil, true
	if _, err := build.WriteDirectory(nothing); fail.CodeOf(err) != fail.Refused {
		t.Errorf("nothing to a linked directory: error %v", err)
	}
	if err := os.Remove(old); err != nil {
		t.Errorf("it was removed: %v", err)
	}
	req.Dir = filepath.Join(top, "out")
	if _, err := build.WriteDirectory(req); fail.CodeOf(err) != fail.Refused {
		t.Errorf("a linked file: error %v", err)
	}
	req.Overwrite = true
	if _, err := build.WriteDirectory(req); err != nil {
		t.Error(err)
	}
	if data, err := os.ReadFile(victim); err != nil || string(data) != "mine" {
		t.Errorf("what the link leads to is %q, %v", data, err)
	}
	if entries, err := os.ReadDir(filepath.Join(top, "elsewhere")); err != nil || len(entries) != 1 {
		t.Errorf("there is %v, %v", entries, err)
	}
}

// TestWriteFluxLinks holds that the directories of the stages are no links.
func TestWriteFluxLinks(t *testing.T) {
	t.Parallel()
	result, err := build.Render(t.Context(), build.Request{Module: fixture.Reference(t, module(t)), Name: "app", Namespace: "apps"}, event.Func(func(event.Event) {}))
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{".", "stages", "stages/app", "kustomizations"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			out, elsewhere := filepath.Join(t.TempDir(), "out"), t.TempDir()
			name := filepath.Join(out, filepath.FromSlash(at))
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(elsewhere, name); err != nil {
				t.Skip(err)
			}
			req := build.DirectoryRequest{Dir: out, Name: "app", Namespace: "apps", Complete: true}
			_, err := result.WriteFlux(req, build.FluxSource{Kind: "OCIRepository", Name: "app"}, event.Func(func(event.Event) {}))
			if fail.CodeOf(err) != fail.Refused {
				t.Errorf("error %v", err)
			}
			if entries, err := os.ReadDir(elsewhere); err != nil || len(entries) > 0 {
				t.Errorf("elsewhere there is %v, %v", entries, err)
			}
		})
	}
}

// Only the user reads the files of Secrets.
func TestWriteDirectoryMode(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("has no such modes")
	}
	req := build.DirectoryRequest{
		Dir: t.TempDir(), Name: "app", Namespace: "apps",
		Objects: []api.Object{{"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "a"}}},
	}
	if _, err := build.WriteDirectory(req); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(req.Dir, "secret_a.yaml"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}
