// SPDX-License-Identifier: Apache-2.0

// Package registry_test measures pushing, pulling and listing as whole
// processes, against the real registry, compared with crane.
package registry_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

func TestMain(m *testing.M) { os.Exit(kit.Main(m)) }

// world is a user of the registry, behind a front that counts and delays.
type world struct {
	b               *testing.B
	root, home      string
	direct, counted string // hosts
	requests        atomic.Int64
	latency         atomic.Int64
}

func newWorld(b *testing.B) *world {
	b.Helper()
	root, err := controlplane.Root()
	if err != nil {
		b.Fatal(err)
	}
	w := &world{b: b, root: root, home: b.TempDir(), direct: kit.ForTest(b).Registry}
	target, err := url.Parse("http://" + w.direct)
	if err != nil {
		b.Fatal(err)
	}
	next := httputil.NewSingleHostReverseProxy(target)
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.requests.Add(1)
		<-time.After(time.Duration(w.latency.Load()))
		next.ServeHTTP(rw, r)
	}))
	b.Cleanup(front.Close)
	w.counted = strings.TrimPrefix(front.URL, "http://")
	return w
}

// run returns the processor time of a program, or of a plugin by its name.
func (w *world) run(b *testing.B, program string, args ...string) time.Duration {
	b.Helper()
	if !filepath.IsAbs(program) {
		program = filepath.Join(w.root, "bin", "kubectl-timoni-"+program)
	}
	cmd := exec.CommandContext(b.Context(), program, args...)
	cmd.Env = append(os.Environ(), "HOME="+w.home, "SOURCE_DATE_EPOCH=0")
	if _, set := os.LookupEnv("TIMONI_CACHE_DIR"); !set {
		cmd.Env = append(cmd.Env, "TIMONI_CACHE_DIR="+filepath.Join(w.home, "cache"))
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%s %q: %v\n%s", filepath.Base(program), args, err, out)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// measure runs a program again and again and reports its processor time, its
// best time and processor time, and its requests. prepare, if any, comes before
// each run and does not count.
func (w *world) measure(b *testing.B, prepare func(), program string, args ...string) {
	b.Helper()
	var cpu time.Duration
	var requests int64
	best, bestCPU := time.Hour, time.Hour
	for b.Loop() {
		if prepare != nil {
			b.StopTimer()
			prepare()
			b.StartTimer()
		}
		before, began := w.requests.Load(), time.Now()
		took := w.run(b, program, args...)
		best, bestCPU = min(best, time.Since(began)), min(bestCPU, took)
		cpu += took
		requests += w.requests.Load() - before
	}
	b.ReportMetric(float64(cpu.Microseconds())/1000/float64(b.N), "cpu-ms")
	b.ReportMetric(float64(best.Microseconds())/1000, "best-ms")
	b.ReportMetric(float64(bestCPU.Microseconds())/1000, "best-cpu-ms")
	b.ReportMetric(float64(requests)/float64(b.N), "requests")
}

func (w *world) remove(path string) func() {
	return func() {
		if err := os.RemoveAll(path); err != nil {
			w.b.Fatal(err)
		}
	}
}

// BenchmarkModule pushes and pulls the minimal module, of 75 files.
func BenchmarkModule(b *testing.B) {
	w := newWorld(b)
	module, repo := filepath.Join(w.root, "test", "modules", "minimal"), "oci://"+w.counted+"/bench/minimal"
	push := []string{"push", module, repo, "--version", "1.0.0", "--resolve-symlinks"}
	w.run(b, "mod", append(push, "--force")...) // of an earlier commit, on a registry that stays
	out := filepath.Join(w.home, "out")
	w.run(b, "artifact", "pull", repo+":1.0.0", out) // into the cache
	digest, err := exec.CommandContext(b.Context(), filepath.Join(w.root, "bin", "kubectl-timoni-artifact"), "digest", repo+":1.0.0").Output()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("push=unchanged", func(b *testing.B) { w.measure(b, nil, "mod", push...) })
	b.Run("pull=version", func(b *testing.B) { w.measure(b, w.remove(out), "artifact", "pull", repo+":1.0.0", out) })
	b.Run("pull=digest", func(b *testing.B) {
		w.measure(b, w.remove(out), "artifact", "pull", repo+"@"+strings.TrimSpace(string(digest)), out)
	})
	b.Run("startup", func(b *testing.B) { w.measure(b, nil, "artifact", "--help") })
}

// BenchmarkPull pulls 20 MB that do not compress, without a cache and into one
// that is empty, compared with crane, which keeps no cache of it and does not unpack.
// Nothing stands between.
func BenchmarkPull(b *testing.B) {
	const size = 20 << 20
	w := newWorld(b)
	crane := filepath.Join(w.home, "crane")
	build := exec.CommandContext(b.Context(), "go", "build", "-o", crane, "github.com/google/go-containerregistry/cmd/crane")
	build.Dir = w.root
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	file, data := filepath.Join(w.home, "random"), make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{}).Read(data)
	fixture.Write(b, file, data)
	reference, out := w.direct+"/bench/large:1.0.0", filepath.Join(w.home, "out")
	w.run(b, "artifact", "push", "oci://"+reference, "-f", file, "--force")
	cache := filepath.Join(w.home, "cache")
	nothing := func() { w.remove(out)(); w.remove(cache)() }
	b.Run("with=crane", func(b *testing.B) { w.measure(b, nothing, crane, "pull", reference, out) })
	b.Run("with=ours,cached", func(b *testing.B) { w.measure(b, nothing, "artifact", "pull", "oci://"+reference, out) })
	b.Run("with=ours", func(b *testing.B) {
		b.Setenv("TIMONI_CACHE_DIR", "")
		w.measure(b, nothing, "artifact", "pull", "oci://"+reference, out)
	})
}

// BenchmarkList lists 500 versions with their digests, with 20 ms before each
// answer.
func BenchmarkList(b *testing.B) {
	const versions, latency = 500, 20 * time.Millisecond
	w := newWorld(b)
	repo := "oci://" + w.counted + "/bench/list"
	w.run(b, "artifact", "push", repo+":0.0.0", "-f", filepath.Join(w.root, "LICENSE"), "--force")
	args := []string{"tag", repo + ":0.0.0"}
	for i := range versions - 1 {
		args = append(args, fmt.Sprintf("1.%d.0", i))
	}
	w.run(b, "artifact", args...)
	w.latency.Store(int64(latency))
	b.Run("versions=500", func(b *testing.B) { w.measure(b, nil, "mod", "list", repo) })
}
