// SPDX-License-Identifier: Apache-2.0

package mod_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"cuelang.org/go/mod/modregistrytest"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/mod"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
)

// TestDeps holds that a module whose deps are in a CUE registry can be tested
// and shown where that is allowed, and only there.
func TestDeps(t *testing.T) {
	t.Parallel()
	registry, err := modregistrytest.New(fstest.MapFS{
		"example.com_lib_v0.1.0/cue.mod/module.cue": {Data: []byte("module: \"example.com/lib@v0\"\nlanguage: version: \"v0.9.0\"\nsource: kind: \"self\"\n")},
		"example.com_lib_v0.1.0/lib.cue":            {Data: []byte("package lib\n\n#Config: replicas: *1 | int\n")},
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(registry.Close)
	dir, home := t.TempDir(), t.TempDir()
	t.Cleanup(func() { // CUE's cache cannot be written
		_ = filepath.WalkDir(home, func(path string, _ fs.DirEntry, _ error) error { return os.Chmod(path, 0o700) })
	})
	if err := os.CopyFS(dir, fstest.MapFS{
		"cue.mod/module.cue": {Data: []byte("module: \"timoni.sh/test@v0\"\nlanguage: version: \"v0.9.0\"\ndeps: \"example.com/lib@v0\": v: \"v0.1.0\"\n")},
		"values.cue":         {Data: []byte("package main\n\nvalues: {}\n")},
		"timoni.cue": {Data: []byte("package main\n\nimport \"example.com/lib\"\n\nvalues: lib.#Config\ntimoni: {\n\tapiVersion: \"v1alpha1\"\n\tinstance: config: values\n" +
			"\tapply: app: [{apiVersion: \"v1\", kind: \"ConfigMap\", metadata: name: \"x\", data: count: \"\\(values.replicas)\"}]\n}\n")},
		"tests/one.txtar": {Data: []byte("-- values.yaml --\nreplicas: 3\n-- want.yaml --\nkind: ConfigMap\ndata: {count: \"3\"}\n")},
	}); err != nil {
		t.Fatal(err)
	}
	allowed := &render.CUERegistry{Env: []string{"CUE_REGISTRY=" + registry.Host() + "+insecure", "CUE_CACHE_DIR=" + home, "HOME=" + home}}
	for _, tc := range []struct {
		deps *render.CUERegistry
		want mod.Status
	}{{nil, mod.Failed}, {allowed, mod.Passed}} {
		tests, err := mod.Test(t.Context(), mod.TestRequest{Dir: dir, CUERegistry: tc.deps})
		if err != nil || len(tests) != 1 || tests[0].Status != tc.want {
			t.Errorf("test: %+v, %v, want it %s", tests, err, tc.want)
		}
		config, err := mod.ReadConfig(t.Context(), ref.Reference{Dir: dir}, "", oci.Options{}, tc.deps)
		if shown := err == nil && len(config.Fields) == 1; shown != (tc.deps != nil) {
			t.Errorf("show config: %+v, %v", config, err)
		}
	}
}
