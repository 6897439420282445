// SPDX-License-Identifier: Apache-2.0

package vendor_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/load"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/vendor"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// TestKubernetes loads every package.
func TestKubernetes(t *testing.T) {
	t.Parallel()
	dir := fixture.Module(t, nil)
	files, err := vendor.Kubernetes(t.Context(), vendor.KubernetesRequest{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	packages := map[string]bool{}
	for _, file := range files {
		rel, err := filepath.Rel(filepath.Join(dir, "cue.mod", "gen"), file.Path)
		if err != nil {
			t.Fatal(err)
		}
		packages[filepath.ToSlash(filepath.Dir(rel))] = true
	}
	for _, name := range []string{"k8s.io/api/core/v1", "k8s.io/api/autoscaling/v2", "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1", "k8s.io/apimachinery/pkg/apis/meta/v1"} {
		if !packages[name] {
			t.Errorf("package %s is missing", name)
		}
	}
	instances := load.Instances(slices.Sorted(maps.Keys(packages)), &load.Config{Dir: dir})
	if len(instances) != len(packages) {
		t.Errorf("%d instances of %d packages", len(instances), len(packages))
	}
	for _, instance := range instances {
		if err := cuecontext.New().BuildInstance(instance).Validate(); err != nil {
			t.Errorf("%s: %v", instance.ImportPath, err)
		}
	}
}

func TestKubernetesReplaces(t *testing.T) {
	t.Parallel()
	dir := fixture.Module(t, nil)
	gen := filepath.Join(dir, "cue.mod", "gen", "k8s.io", "api")
	fixture.Write(t, filepath.Join(gen, "core", "v1", "old_go_gen.cue"), "package v1\n")
	fixture.Write(t, filepath.Join(gen, "core", "v1", "types_go_gen.cue"), "package v1\n")
	fixture.Write(t, filepath.Join(gen, "core", "v1", "mine.cue"), "package v1\n")
	fixture.Write(t, filepath.Join(gen, "apps", "v1beta1", "types_go_gen.cue"), "package v1beta1\n")
	files, err := vendor.Kubernetes(t.Context(), vendor.KubernetesRequest{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	counts := map[vendor.Status]int{}
	for _, file := range files {
		counts[file.Status]++
	}
	if counts[vendor.Configured] != 1 || counts[vendor.Deleted] != 1 || counts[vendor.Created] < 50 {
		t.Errorf("counts %v", counts)
	}
	for name, want := range map[string]bool{"core/v1/old_go_gen.cue": false, "core/v1/mine.cue": true, "apps/v1beta1/types_go_gen.cue": true} {
		if _, err := os.Stat(filepath.Join(gen, name)); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Schemas are written neither through a link in the place of a directory nor
// through one in the place of a file.
func TestKubernetesLinks(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"cue.mod/gen", "cue.mod/gen/k8s.io/api", "cue.mod/gen/k8s.io/api/core/v1/types_go_gen.cue"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			dir, elsewhere := fixture.Module(t, nil), filepath.Join(t.TempDir(), "elsewhere")
			fixture.Write(t, elsewhere+"/kept", "")
			name := filepath.Join(dir, filepath.FromSlash(at))
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			to := elsewhere
			if strings.HasSuffix(at, ".cue") {
				to = filepath.Join(elsewhere, "kept")
			}
			if err := os.Symlink(to, name); err != nil {
				t.Skip(err)
			}
			files, err := vendor.Kubernetes(t.Context(), vendor.KubernetesRequest{Dir: dir})
			if fail.CodeOf(err) != fail.Refused || len(files) > 0 {
				t.Errorf("%d files, error %v", len(files), err)
			}
			if data, err := os.ReadFile(filepath.Join(elsewhere, "kept")); err != nil || len(data) > 0 {
				t.Errorf("it was written to: %d bytes, %v", len(data), err)
			}
			if entries, err := os.ReadDir(elsewhere); err != nil || len(entries) != 1 {
				t.Errorf("there is %v, %v", entries, err)
			}
			fixture.NoFilesBelow(t, filepath.Join(dir, "cue.mod", "gen"))
		})
	}
}
