// SPDX-License-Identifier: Apache-2.0

package buildcmd_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"cuelang.org/go/mod/modregistrytest"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// cueRegistry serves a CUE module, and returns the environment that names the
// registry and a count of the requests.
func cueRegistry(t *testing.T) (map[string]string, *atomic.Int64) {
	t.Helper()
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	registry, err := modregistrytest.New(fstest.MapFS{
		"example.com_lib_v0.1.0/cue.mod/module.cue": file(`module: "example.com/lib@v0"
language: version: "v0.9.0"
source: kind: "self"
deps: "example.com/base@v0": v: "v0.2.0"
`),
		"example.com_lib_v0.1.0/lib.cue": file(`@extern(embed)

package lib

import "example.com/base"

from: base.from + "lib"
text: string @embed(file=text.txt, type=text)
`),
		"example.com_lib_v0.1.0/text.txt": file("embedded in lib"),
		"example.com_base_v0.2.0/cue.mod/module.cue": file(`module: "example.com/base@v0"
language: version: "v0.9.0"
source: kind: "self"
`),
		"example.com_base_v0.2.0/base.cue": file("package base\n\nfrom: \"registry: base and \"\n"),
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(registry.Close)
	count := new(atomic.Int64)
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: registry.Host()})
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		count.Add(1)
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	home := t.TempDir()
	t.Cleanup(func() { // CUE's cache cannot be written
		_ = filepath.WalkDir(home, func(path string, _ os.DirEntry, _ error) error { return os.Chmod(path, 0o700) })
	})
	return map[string]string{
		"CUE_REGISTRY":  strings.TrimPrefix(front.URL, "http://") + "+insecure",
		"CUE_CACHE_DIR": filepath.Join(home, "cache"), "CUE_CONFIG_DIR": filepath.Join(home, "config"), "HOME": home,
	}, count
}

// dependent returns a module with a dependency.
func dependent(t *testing.T) string {
	t.Helper()
	dir := module(t)
	fixture.Write(t, filepath.Join(dir, "cue.mod", "module.cue"), `module: "timoni.sh/test@v0"
language: version: "v0.9.0"
deps: {
	"example.com/lib@v0": v:  "v0.1.0"
	"example.com/base@v0": v: "v0.2.0"
}
`)
	fixture.Write(t, filepath.Join(dir, "timoni.cue"), `package main

import "example.com/lib"

timoni: {
	apiVersion: "v1alpha1"
	instance: config: {}
	apply: app: [{apiVersion: "v1", kind: "ConfigMap", metadata: name: "x", data: {from: lib.from, text: lib.text}}]
}
`)
	return dir
}

func TestCUERegistry(t *testing.T) {
	t.Parallel()
	env, count := cueRegistry(t)
	dir := dependent(t)

	stdout, stderr, code := run(t, env, "", "app", dir)
	if want := "it is not vendored in cue.mod, and no CUE registry may be asked\n"; code != fail.Failed || stdout != "" || !strings.Contains(stderr, want) || !strings.Contains(stderr, "--allow-cue-registry") {
		t.Errorf("code %d, stdout %q, stderr %q, want %q in it", code, stdout, stderr, want)
	}
	if n := count.Load(); n != 0 {
		t.Errorf("%d requests without the flag", n)
	}

	stdout, stderr, code = run(t, env, "", "app", dir, "--allow-cue-registry")
	if code != fail.Done || !strings.Contains(stdout, "from: \"registry: base and lib\"") || !strings.Contains(stdout, "text: embedded in lib") {
		t.Errorf("code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	n := count.Load()
	if n == 0 {
		t.Error("the registry was not asked")
	}
	// CUE's cache has it now.
	if _, stderr, code = run(t, env, "", "app", dir, "--allow-cue-registry"); code != fail.Done || count.Load() != n {
		t.Errorf("code %d, stderr %q, %d requests more", code, stderr, count.Load()-n)
	}

	if _, stderr, code = run(t, env, "", "app", dir, "--allow-cue-registry", "--offline"); code != fail.Usage {
		t.Errorf("code %d, stderr %q", code, stderr)
	}
}

// A copy in cue.mod wins, with the flag and without, and no registry is asked.
func TestVendoredWins(t *testing.T) {
	t.Parallel()
	env, count := cueRegistry(t)
	for _, place := range []string{"pkg", "gen", "usr"} {
		dir := dependent(t)
		fixture.Write(t, filepath.Join(dir, "cue.mod", place, "example.com", "lib", "lib.cue"), "package lib\n\nfrom: \"a copy in "+place+"\"\ntext: \"\"\n")
		fixture.Write(t, filepath.Join(dir, "cue.mod", place, "example.com", "base", "base.cue"), "package base\n")
		for _, args := range [][]string{{"app", dir}, {"app", dir, "--allow-cue-registry"}} {
			stdout, stderr, code := run(t, env, "", args...)
			if code != fail.Done || !strings.Contains(stdout, "from: a copy in "+place) {
				t.Errorf("%v: code %d, stdout %q, stderr %q", args[2:], code, stdout, stderr)
			}
		}
	}
	if n := count.Load(); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// What cannot be fetched is an error with the place of the import.
func TestCUERegistryMissing(t *testing.T) {
	t.Parallel()
	env, _ := cueRegistry(t)
	dir := dependent(t)
	fixture.Write(t, filepath.Join(dir, "cue.mod", "module.cue"), "module: \"timoni.sh/test@v0\"\nlanguage: version: \"v0.9.0\"\ndeps: \"example.com/lib@v0\": v: \"v0.7.0\"\n")
	stdout, stderr, code := run(t, env, "", "app", dir, "--allow-cue-registry")
	if want := `timoni.cue:3:8: package "example.com/lib" is of example.com/lib@v0.7.0: module example.com/lib@v0.7.0: module not found`; code != fail.Failed || stdout != "" || !strings.Contains(stderr, want) {
		t.Errorf("code %d, stdout %q, stderr %q, want %q in it", code, stdout, stderr, want)
	}
}
