// SPDX-License-Identifier: Apache-2.0

package oci_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/cache"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/mirror"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/session"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// The environment variables that make a test binary pull a module and exit.
const (
	envPull  = "TIMONI_TEST_PULL"
	envCache = "TIMONI_TEST_CACHE"
)

func TestMain(m *testing.M) {
	if os.Getenv(envPull) == "" {
		os.Exit(m.Run())
	}
	os.Exit(pullOnce())
}

// pullOnce is what one of many processes does.
func pullOnce() int {
	r, err := ref.Parse(os.Getenv(envPull))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "pull")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	_, err = oci.Pull(context.Background(), r, dir, oci.Options{Cache: cache.Cache{Dir: os.Getenv(envCache)}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// TestCache shows what each reference costs once the cache has the module.
func TestCache(t *testing.T) {
	t.Parallel()
	vendor, content := plainLayers(t)
	for name, test := range map[string]struct {
		warm, reference string // reference may name the digest as DIGEST
		offline         bool
		requests        []string
		text            string
	}{
		"digest":               {":1.0.0", "@DIGEST", false, nil, ""},
		"digest and version":   {"@DIGEST", ":1.0.0@DIGEST", false, nil, ""},
		"digest and latest":    {"@DIGEST", ":latest@DIGEST", false, nil, ""},
		"version":              {":1.0.0", ":1.0.0", false, []string{"GET manifests/1.0.0"}, ""},
		"offline version":      {":1.0.0", ":1.0.0", true, nil, ""},
		"offline digest":       {":1.0.0", "@DIGEST", true, nil, ""},
		"offline, another tag": {":1.0.0", ":2.0.0", true, nil, "not in the cache: oci://HOST/app:2.0.0"},
		"offline, no tag":      {":1.0.0", "", true, nil, "not in the cache: oci://HOST/app:latest"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, vendor, content, nil)
			digest := digestOf(f.answers["manifests/1.0.0"].body)
			host := fixture.Serve(t, f)
			o := oci.Options{Cache: cache.Cache{Dir: filepath.Join(t.TempDir(), "cache")}}
			pull := func(reference string) (string, error) {
				dir := filepath.Join(t.TempDir(), "out")
				r := fixture.Reference(t, "oci://"+host+"/app"+strings.ReplaceAll(reference, "DIGEST", digest))
				_, err := oci.Pull(t.Context(), r, dir, o)
				return dir, err
			}
			if _, err := pull(test.warm); err != nil {
				t.Fatal(err)
			}
			f.requests, o.Offline = nil, test.offline
			dir, err := pull(test.reference)
			if diff := cmp.Diff(test.requests, f.requests); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if test.text != "" {
				fixture.WantError(t, err, strings.ReplaceAll(test.text, "HOST", host))
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string]string{"cue.mod/module.cue": "m", "timoni.cue": "t"}, contents(t, dir)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCacheDistrust shows that content that is not what its name says is
// fetched again, and that a version is not taken from a cached manifest that
// names another one.
func TestCacheDistrust(t *testing.T) {
	t.Parallel()
	vendor, content := plainLayers(t)
	f := newFake(t, vendor, content, nil)
	host, kept := fixture.Serve(t, f), filepath.Join(t.TempDir(), "cache")
	digest := digestOf(f.answers["manifests/1.0.0"].body)
	pull := func(reference string) error {
		_, err := oci.Pull(t.Context(), fixture.Reference(t, "oci://"+host+"/app"+reference), t.TempDir(), oci.Options{Cache: cache.Cache{Dir: kept}})
		return err
	}
	if err := pull("@" + digest); err != nil {
		t.Fatal(err)
	}
	blobs := filepath.Join(kept, "blobs", "sha256")
	for name := range contents(t, blobs) {
		fixture.Write(t, filepath.Join(blobs, name), "torn")
	}
	f.requests = nil
	if err := pull("@" + digest); err != nil {
		t.Fatal(err)
	}
	if len(f.requests) != 3 {
		t.Errorf("requests %q, want the manifest and both layers", f.requests)
	}
	for name, data := range contents(t, blobs) {
		if digestOf([]byte(data)) != "sha256:"+name {
			t.Errorf("%s holds other content", name)
		}
	}
	fixture.WantError(t, pull(":9.9.9@"+digest), "not found")
}

func TestCacheUnusable(t *testing.T) {
	t.Parallel()
	vendor, content := plainLayers(t)
	host := fixture.Serve(t, newFake(t, vendor, content, nil))
	file := filepath.Join(t.TempDir(), "file")
	fixture.Write(t, file, "")
	o := oci.Options{Cache: cache.Cache{Dir: filepath.Join(file, "cache")}}
	if _, err := oci.Pull(t.Context(), fixture.Reference(t, "oci://"+host+"/app:1.0.0"), t.TempDir(), o); err != nil {
		t.Fatal(err)
	}
}

func TestCachePrune(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old, middle, young := strings.Repeat("a", 64), strings.Repeat("b", 64), strings.Repeat("c", 64)
	now := time.Now()
	for name, age := range map[string]time.Duration{old: 3 * time.Hour, middle: 2 * time.Hour, young: time.Minute, "tmp-1": 2 * time.Hour, "tmp-2": time.Minute} {
		file := filepath.Join(dir, "blobs", "sha256", name)
		fixture.Write(t, file, strings.Repeat("x", 100))
		if err := os.Chtimes(file, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	left := func() []string { return fixture.Tree(t, filepath.Join(dir, "blobs", "sha256")) }
	for _, step := range []struct {
		limit  int64
		before time.Time
		want   []string
	}{
		{1000, time.Time{}, []string{old, middle, young, "tmp-2"}},
		{300, time.Time{}, []string{middle, young, "tmp-2"}},
		{1000, now.Add(-time.Hour), []string{young, "tmp-2"}},
		{1000, now, []string{"tmp-2"}},
	} {
		if _, err := (cache.Cache{Dir: dir, Limit: step.limit}).Prune(step.before); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, left()); diff != "" {
			t.Errorf("after a limit of %d (-want +got):\n%s", step.limit, diff)
		}
	}
}

// TestCacheList shows that addresses go with what they lead to.
func TestCacheList(t *testing.T) {
	t.Parallel()
	vendor, content := plainLayers(t)
	f := newFake(t, vendor, content, nil)
	host, c := fixture.Serve(t, f), cache.Cache{Dir: t.TempDir()}
	if _, err := oci.Pull(t.Context(), fixture.Reference(t, "oci://"+host+"/app:1.0.0"), t.TempDir(), oci.Options{Cache: c}); err != nil {
		t.Fatal(err)
	}
	manifest := f.answers["manifests/1.0.0"].body
	want := []cache.Entry{{
		Reference: "oci://" + host + "/app:1.0.0", Digest: digestOf(manifest),
		Size: int64(len(manifest) + len(vendor) + len(content)),
	}}
	got := fixture.Must(c.List())(t)
	for i := range got {
		got[i].LastUsed = time.Time{}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if removed := fixture.Must(c.Prune(time.Now().Add(time.Hour)))(t); removed != want[0].Size {
		t.Errorf("removed %d bytes, want %d", removed, want[0].Size)
	}
	if got = fixture.Must(c.List())(t); len(got) != 0 || len(contents(t, filepath.Join(c.Dir, "refs"))) != 0 {
		t.Errorf("left %+v", got)
	}
}

// TestCacheProcesses starts many processes that want the same module at once.
func TestCacheProcesses(t *testing.T) {
	t.Parallel()
	if testing.Short() && runtime.GOOS == "windows" {
		t.Skip("fifty processes take long there")
	}
	const processes = 50
	vendor, content := plainLayers(t)
	f := newFake(t, vendor, content, nil)
	host, kept := fixture.Serve(t, f), filepath.Join(t.TempDir(), "cache")
	exe := fixture.Must(os.Executable())(t)
	var group sync.WaitGroup
	for range processes {
		group.Go(func() {
			cmd := exec.CommandContext(t.Context(), exe)
			cmd.Env = append(os.Environ(), envPull+"=oci://"+host+"/app:1.0.0", envCache+"="+kept)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	group.Wait()
	blobs := 0
	for _, request := range f.requests {
		if strings.Contains(request, "blobs/") {
			blobs++
		}
	}
	if blobs != 2 {
		t.Errorf("%d downloads of layers, want one of each", blobs)
	}
	for name, data := range contents(t, filepath.Join(kept, "blobs", "sha256")) {
		if digestOf([]byte(data)) != "sha256:"+name {
			t.Errorf("%s is torn or left over", name)
		}
	}
}

func TestMirrors(t *testing.T) {
	t.Parallel()
	vendor, content := plainLayers(t)
	host := fixture.Serve(t, newFake(t, vendor, content, nil))
	for name, test := range map[string]struct{ reference, mirrors, text string }{
		"a host":           {"oci://registry.invalid/app:1.0.0", "registry.invalid=" + host, ""},
		"a path":           {"oci://registry.invalid/a/b:1.0.0", "registry.invalid/a=other.invalid, registry.invalid/a/b=" + host + "/app", ""},
		"part of a name":   {"oci://127.0.0.1:1/app:1.0.0", "127.0.0.1=" + host, "unreachable"},
		"not a pair":       {"oci://127.0.0.1:1/app:1.0.0", host, "is not of the form"},
		"no mirror":        {"oci://127.0.0.1:1/app:1.0.0", "a=", "mirror \"a=\" is not of the form"},
		"not a repository": {"oci://127.0.0.1:1/app:1.0.0", "127.0.0.1:1=A B", "is not a repository"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := oci.Pull(t.Context(), fixture.Reference(t, test.reference), t.TempDir(), oci.Options{Access: session.Access{Mirrors: mirror.Mirrors{Pairs: test.mirrors}}})
			if test.text != "" {
				fixture.WantError(t, err, test.text)
				return
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestMirrorsFile(t *testing.T) {
	t.Parallel()
	vendor, content := plainLayers(t)
	host := fixture.Serve(t, newFake(t, vendor, content, nil))
	for name, test := range map[string]struct{ content, pairs, text string }{
		"a mirror":          {"# ours\nmirrors:\n  registry.invalid: " + host + "\n", "", ""},
		"the pairs win":     {"mirrors: {registry.invalid: 127.0.0.1:1}", "registry.invalid=" + host, ""},
		"the longest wins":  {"mirrors: {registry.invalid/app: " + host + "/app}", "registry.invalid=127.0.0.1:1", ""},
		"nothing":           {"", "registry.invalid=" + host, ""},
		"no mirrors":        {"mirrors:\n", "registry.invalid=" + host, ""},
		"not YAML":          {"mirrors:\n\t- a", "", "FILE: yaml: line 2: found character that cannot start any token"},
		"a list":            {"- a", "", "FILE:1: the file is not a mapping"},
		"a list of mirrors": {"mirrors:\n- a", "", "FILE:2: mirrors is not a mapping"},
		"an unknown field":  {"mirrors: {}\nmirror: {}\n", "", `FILE:2: unknown field "mirror": want "mirrors" or "authHosts"`},
		"a prefix twice":    {"mirrors:\n  a: b\n  a: c\n", "", `FILE:3: "a" is there twice`},
		"no string":         {"mirrors:\n  a: 1\n", "", `FILE:2: the mirror of "a" is not a string`},
		"an address":        {"mirrors:\n\n  a: https://b\n", "", `FILE:3: mirror "a=https://b" is not of the form`},
		"no repository":     {"mirrors:\n  registry.invalid: A B\n", "", `FILE:2: mirror "registry.invalid": "A B/app" is not a repository`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "registries.yaml")
			fixture.Write(t, file, test.content)
			_, err := oci.Pull(t.Context(), fixture.Reference(t, "oci://registry.invalid/app:1.0.0"), t.TempDir(), oci.Options{Access: session.Access{Mirrors: mirror.Mirrors{Pairs: test.pairs, File: file}}})
			if test.text == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			fixture.WantError(t, err, strings.ReplaceAll(test.text, "FILE", file))
			if codeOf(err) != fail.Usage {
				t.Errorf("exit code %d, want %d", codeOf(err), fail.Usage)
			}
		})
	}
	for required, text := range map[bool]string{true: "no such file", false: "registry is unreachable"} {
		_, err := oci.Pull(t.Context(), fixture.Reference(t, "oci://127.0.0.1:1/app:1.0.0"), t.TempDir(),
			oci.Options{Access: session.Access{Mirrors: mirror.Mirrors{File: filepath.Join(t.TempDir(), "none"), Required: required}}})
		fixture.WantError(t, err, text)
	}
}
