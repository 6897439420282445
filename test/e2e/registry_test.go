// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

// front stands before the real registry. It counts what passes and does to it
// what registries and networks do.
type front struct {
	mu       sync.Mutex
	requests []string
	handle   func(n int, w http.ResponseWriter, r *http.Request, next http.Handler)
}

func (f *front) serve(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.requests = append(f.requests, r.Method+" "+r.URL.Path)
		n := len(f.requests)
		f.mu.Unlock()
		if f.handle != nil {
			f.handle(n, w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// since returns the requests after the first n.
func (f *front) since(n int) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string{}, f.requests[n:]...)
}

func (f *front) count() int { return len(f.since(0)) }

// user runs the plugins with a home directory and a cache of its own.
type user struct {
	t         *testing.T
	bin, home string
	modules   string
	cpu       time.Duration // of the last process
}

func newUser(t *testing.T) *user {
	t.Helper()
	root, err := controlplane.Root()
	if err != nil {
		t.Fatal(err)
	}
	return &user{t: t, bin: plugins(t, root), home: t.TempDir(), modules: filepath.Join(root, "test", "modules")}
}

func (u *user) command(stdin, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(u.t.Context(), filepath.Join(u.bin, "kubectl-timoni-"+name+controlplane.Exe()), args...)
	cmd.Env = append(os.Environ(), "HOME="+u.home, "USERPROFILE="+u.home, "XDG_CACHE_HOME="+filepath.Join(u.home, ".cache"),
		"TIMONI_CACHE_DIR="+filepath.Join(u.home, "cache"), "DOCKER_CONFIG="+filepath.Join(u.home, "docker"), "SOURCE_DATE_EPOCH=0")
	cmd.Stdin = strings.NewReader(stdin)
	return cmd
}

// run returns what a plugin printed; stderr with it when it failed.
func (u *user) run(stdin, name string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := u.command(stdin, name, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err != nil {
		return stdout.String() + stderr.String(), fmt.Errorf("%s %q: %w: %s", name, args, err, stderr.String())
	}
	u.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return stdout.String(), nil
}

func (u *user) must(stdin, name string, args ...string) string {
	u.t.Helper()
	out, err := u.run(stdin, name, args...)
	if err != nil {
		u.t.Fatal(err)
	}
	return out
}

// registry starts f before the real registry and returns the address of a
// repository behind it.
func registry(t *testing.T, f *front) (repo string) {
	t.Helper()
	server := httptest.NewServer(f.serve(backend(t)))
	t.Cleanup(server.Close)
	return "oci://" + strings.TrimPrefix(server.URL, "http://") + "/" + repoName(t)
}

func backend(t *testing.T) http.Handler {
	t.Helper()
	target, err := url.Parse("http://" + kit.ForTest(t).Registry)
	if err != nil {
		t.Fatal(err)
	}
	return httputil.NewSingleHostReverseProxy(target)
}

func repoName(t *testing.T) string {
	t.Helper()
	return strings.Trim(notInName.ReplaceAllString(strings.ToLower(t.Name()), "-"), "-")
}

// TestRegistryRequests holds what pushing and pulling cost.
func TestRegistryRequests(t *testing.T) {
	t.Parallel()
	f, u := &front{}, newUser(t)
	repo := registry(t, f)
	module := filepath.Join(u.modules, "minimal")
	u.must("", "mod", "push", module, repo, "--version", "1.0.0")

	for _, step := range []struct {
		name string
		most int
		run  func()
	}{
		{"push of an unchanged module", 4, func() { u.must("", "mod", "push", module, repo, "--version", "1.0.0") }},
		{"build, not cached", 4, func() { u.must("", "build", "app", repo+":1.0.0") }},
		{"build of a cached version", 1, func() { u.must("", "build", "app", repo+":1.0.0") }},
		{"pull of a cached version", 1, func() { u.must("", "mod", "pull", repo+":1.0.0", filepath.Join(t.TempDir(), "out")) }},
		{"build of a cached digest", 0, func() {
			digest := strings.TrimSpace(u.must("", "artifact", "digest", repo+":1.0.0"))
			f.mu.Lock()
			f.requests = nil
			f.mu.Unlock()
			u.must("", "build", "app", repo+"@"+digest)
		}},
	} {
		f.mu.Lock()
		f.requests = nil
		f.mu.Unlock()
		step.run()
		requests := f.since(0)
		t.Logf("%s: %d requests, %s CPU", step.name, len(requests), u.cpu)
		if len(requests) > step.most {
			t.Errorf("%s: %d requests, at most %d wanted: %q", step.name, len(requests), step.most, requests)
		}
	}
}

// TestRegistryTrouble goes through registries and networks that fail now and
// then: everything works all the same.
func TestRegistryTrouble(t *testing.T) {
	t.Parallel()
	for name, handle := range map[string]func(*front, int, http.ResponseWriter, *http.Request, http.Handler){
		"every third request fails": func(_ *front, n int, w http.ResponseWriter, r *http.Request, next http.Handler) {
			if n%3 == 0 {
				http.Error(w, "later", http.StatusServiceUnavailable)
				return
			}
			next.ServeHTTP(w, r)
		},
		"every third request is one too many": func(_ *front, n int, w http.ResponseWriter, r *http.Request, next http.Handler) {
			if n%3 == 0 {
				w.Header().Set("Retry-After", "1")
				http.Error(w, "slow down", http.StatusTooManyRequests)
				return
			}
			next.ServeHTTP(w, r)
		},
		"the first answer for each layer is cut": func(f *front, n int, w http.ResponseWriter, r *http.Request, next http.Handler) {
			first := true
			for _, earlier := range f.since(0)[:n-1] {
				first = first && earlier != r.Method+" "+r.URL.Path
			}
			if !first || r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/blobs/") {
				next.ServeHTTP(w, r)
				return
			}
			whole := httptest.NewRecorder()
			next.ServeHTTP(whole, r)
			w.Header().Set("Content-Length", fmt.Sprint(whole.Body.Len()))
			_, _ = w.Write(whole.Body.Bytes()[:whole.Body.Len()/2])
			panic(http.ErrAbortHandler)
		},
		"there are no referrers": func(_ *front, _ int, w http.ResponseWriter, r *http.Request, next http.Handler) {
			if strings.Contains(r.URL.Path, "/referrers/") {
				http.NotFound(w, r)
				return
			}
			next.ServeHTTP(w, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, u := &front{}, newUser(t)
			f.handle = func(n int, w http.ResponseWriter, r *http.Request, next http.Handler) { handle(f, n, w, r, next) }
			repo := registry(t, f)
			u.must("", "mod", "push", filepath.Join(u.modules, "minimal"), repo, "--version", "1.0.0")
			if out := u.must("", "build", "app", repo+":1.0.0"); !strings.Contains(out, "kind: Deployment") {
				t.Errorf("rendered %q", out)
			}
			if out := u.must("", "mod", "list", repo); !strings.HasPrefix(out, "VERSION   DIGEST\nlatest    sha256:") {
				t.Errorf("listed %q", out)
			}
		})
	}
}

// TestRegistryResumes pulls through a line that never holds for a whole layer:
// the rest is asked for, nothing is sent a second time, and the layer arrives.
// A client that begins again each time receives more and never has it.
func TestRegistryResumes(t *testing.T) {
	t.Parallel()
	const size, holds = 1 << 20, 400 << 10
	f, u := &front{}, newUser(t)
	repo := registry(t, f)
	data := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{}).Read(data)
	file := fixture.Write(t, filepath.Join(u.home, "random"), data)
	u.must("", "artifact", "push", repo+":1.0.0", "-f", file)
	var answers, sent int
	var layer string
	f.handle = func(_ int, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/blobs/") {
			next.ServeHTTP(w, r)
			return
		}
		whole := httptest.NewRecorder()
		next.ServeHTTP(whole, r)
		maps.Copy(w.Header(), whole.Header())
		w.WriteHeader(whole.Code)
		body := whole.Body.Bytes()
		part := body[:min(len(body), holds)]
		answers, sent, layer = answers+1, sent+len(part), r.URL.Path
		_, _ = w.Write(part)
		if len(part) < len(body) {
			panic(http.ErrAbortHandler)
		}
	}
	out := filepath.Join(t.TempDir(), "out")
	u.must("", "artifact", "pull", repo+":1.0.0", out)
	if pulled, err := os.ReadFile(filepath.Join(out, "random")); err != nil || !bytes.Equal(pulled, data) {
		t.Errorf("pulled %d bytes (%v), want the %d that were pushed", len(pulled), err, size)
	}
	t.Logf("with resumption: %d bytes in %d answers", sent, answers)
	if answers != 3 || sent > size+size/100 {
		t.Errorf("%d bytes were sent in %d answers for a layer of %d", sent, answers, size)
	}

	answers, sent = 0, 0
	host, _, _ := strings.Cut(strings.TrimPrefix(repo, "oci://"), "/")
	for answers < 4 {
		resp, err := http.Get("http://" + host + layer)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = io.Copy(io.Discard, resp.Body); err == nil {
			t.Errorf("the layer came whole in answer %d", answers)
		}
		resp.Body.Close()
	}
	t.Logf("without: %d bytes in %d answers, and no layer", sent, answers)
	if sent <= size {
		t.Errorf("a client that begins again received %d bytes only", sent)
	}
}

// TestRegistryBar pulls through a slow line at a terminal: a bar grows, and is
// gone in the end.
func TestRegistryBar(t *testing.T) {
	t.Parallel()
	script, err := exec.LookPath("script")
	if err != nil || runtime.GOOS != "linux" {
		t.Skip("there is no program script that makes a terminal")
	}
	f, u := &front{}, newUser(t)
	repo := registry(t, f)
	u.must("", "mod", "push", filepath.Join(u.modules, "minimal"), repo, "--version", "1.0.0")
	f.handle = func(_ int, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if !strings.Contains(r.URL.Path, "/blobs/") {
			next.ServeHTTP(w, r)
			return
		}
		whole := httptest.NewRecorder()
		next.ServeHTTP(whole, r)
		w.Header().Set("Content-Length", strconv.Itoa(whole.Body.Len()))
		const parts = 4
		for part := range slices.Chunk(whole.Body.Bytes(), whole.Body.Len()/parts) {
			_, _ = w.Write(part)
			w.(http.Flusher).Flush()
			<-time.After(150 * time.Millisecond)
		}
	}
	for name, want := range map[string]bool{"": true, "-q": false} {
		pull := u.command("", "mod", "pull", repo+":1.0.0", filepath.Join(t.TempDir(), "out"))
		typed := exec.CommandContext(t.Context(), script, "-qec", strings.Join(pull.Args, " ")+" "+name, os.DevNull)
		typed.Env = append(slices.Clone(pull.Env), "TIMONI_CACHE_DIR=") // what is cached is not transferred
		out, err := typed.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		shown := regexp.MustCompile(`\r\[#+-+\]  ?\d+ % of [0-9.]+ KiB  pulling oci://\S+`).Match(out)
		if shown != want || !strings.HasPrefix(string(out[bytes.LastIndexByte(bytes.TrimRight(out, "\r\n"), '\r')+1:]), "pulled oci://") {
			t.Errorf("mod pull%s printed %q", name, out)
		}
	}
}

// TestRegistryLies is about a registry that sends other content than it should.
func TestRegistryLies(t *testing.T) {
	t.Parallel()
	f, u := &front{}, newUser(t)
	f.handle = func(_ int, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/blobs/") {
			next.ServeHTTP(w, r)
			return
		}
		whole := httptest.NewRecorder()
		next.ServeHTTP(whole, r)
		data := whole.Body.Bytes()
		if len(data) == 0 {
			return // the client has gone
		}
		data[len(data)-1]++
		_, _ = w.Write(data)
	}
	repo := registry(t, f)
	u.must("", "mod", "push", filepath.Join(u.modules, "minimal"), repo, "--version", "1.0.0")
	out := filepath.Join(t.TempDir(), "out")
	text, err := u.run("", "mod", "pull", repo+":1.0.0", out)
	if code, codeErr := exitCode(err); codeErr != nil || code != 5 {
		t.Errorf("exit code %d (%v), want 5", code, codeErr)
	}
	if !strings.Contains(text, "digest mismatch: the registry sent other content for layer sha256:") {
		t.Errorf("the error is %q", text)
	}
	if _, err = os.Stat(out); err == nil {
		t.Error("something is left on disk")
	}
	blobs, err := os.ReadDir(filepath.Join(u.home, "cache", "blobs", "sha256"))
	if err != nil || len(blobs) != 1 {
		t.Errorf("the cache holds %d files (%v), want the manifest alone", len(blobs), err)
	}
}

const password = "hunter2-hunter2"

// TestRegistryLogin is about the ways in which a registry asks who is there.
func TestRegistryLogin(t *testing.T) {
	t.Parallel()
	for name, guard := range map[string]func(http.Handler) http.Handler{"basic": basicAuth, "token": tokenAuth} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewTLSServer(guard(backend(t)))
			t.Cleanup(server.Close)
			u := newUser(t)
			block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
			ca := fixture.Write(t, filepath.Join(u.home, "ca.pem"), block)
			host := strings.TrimPrefix(server.URL, "https://")
			repo, module := "oci://"+host+"/"+repoName(t), filepath.Join(u.modules, "minimal")
			push := []string{"push", module, repo, "--version", "1.0.0", "--registry-ca", ca}

			u.refused("", "certificate", "mod", "push", module, repo, "--version", "1.0.0")
			u.refused("", "access denied", "mod", push...)
			u.refused("not-"+password, "access denied", "artifact", "registry", "login", host, "-u", "me", "--password-stdin", "--registry-ca", ca)
			if _, err := os.Stat(filepath.Join(u.home, "docker", "config.json")); err == nil {
				t.Error("a password that the registry refused is stored")
			}
			u.must("me:"+password+"\n", "mod", append(push, "--creds-stdin")...)
			u.must(password+"\n", "artifact", "registry", "login", host, "-u", "me", "--password-stdin", "--registry-ca", ca)
			u.must("", "build", "app", repo+":1.0.0", "--registry-ca", ca)
			u.refused("", "certificate", "build", "app", repo+":1.0.0")
			u.must("", "build", "app", repo+":1.0.0", "--insecure-registry")
			u.must("", "artifact", "registry", "logout", host)
			u.refused("", "access denied", "mod", push...)
		})
	}
}

// refused runs a plugin that must fail, saying text and keeping the password.
func (u *user) refused(stdin, text, name string, args ...string) {
	u.t.Helper()
	out, err := u.run(stdin, name, args...)
	if err == nil {
		u.t.Fatalf("%s %q works", name, args)
	}
	if !strings.Contains(out, text) || strings.Contains(out, password) {
		u.t.Errorf("%s %q says %q, want %q and no password", name, args, out, text)
	}
}

func knows(r *http.Request) bool {
	user, secret, ok := r.BasicAuth()
	return ok && user == "me" && secret == password
}

func basicAuth(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !knows(r) {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"who are you?"}]}`, http.StatusUnauthorized)
			return
		}
		r.Header.Del("Authorization")
		next.ServeHTTP(w, r)
	})
}

// tokenAuth is basicAuth in the way of the distribution project: the password
// is changed for a token at another place.
func tokenAuth(next http.Handler) http.Handler {
	const token = "a-token-for-a-while"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/token" && knows(r):
			_, _ = fmt.Fprintf(w, `{"token":%q}`, token)
		case r.URL.Path == "/token":
			http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"wrong"}]}`, http.StatusUnauthorized)
		case r.Header.Get("Authorization") == "Bearer "+token:
			r.Header.Del("Authorization")
			next.ServeHTTP(w, r)
		default:
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="https://%s/token",service="test"`, r.Host))
			http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"who are you?"}]}`, http.StatusUnauthorized)
		}
	})
}

// TestRegistryCrowd starts many processes that render one uncached module.
func TestRegistryCrowd(t *testing.T) {
	t.Parallel()
	const processes, most = 50, 6
	f, u := &front{}, newUser(t)
	repo := registry(t, f)
	u.must("", "mod", "push", filepath.Join(u.modules, "minimal"), repo, "--version", "1.0.0")
	before := f.count()
	outputs := make([]string, processes)
	var group sync.WaitGroup
	for i := range processes {
		group.Go(func() {
			out, err := u.command("", "build", "app", repo+":1.0.0").CombinedOutput()
			if err != nil {
				t.Errorf("%v: %s", err, out)
			}
			outputs[i] = string(out)
		})
	}
	group.Wait()
	blobs := 0
	for _, request := range f.since(before) {
		if strings.Contains(request, "/blobs/") {
			blobs++
		}
	}
	t.Logf("%d processes: %d downloads of 2 layers", processes, blobs)
	if blobs > most {
		t.Errorf("%d downloads of layers, want 2 or a few", blobs)
	}
	for i, out := range outputs {
		if out != outputs[0] {
			t.Errorf("process %d printed %q, another one %q", i, out, outputs[0])
		}
	}
}

// TestRegistryList holds how long a list of many versions takes.
func TestRegistryList(t *testing.T) {
	t.Parallel()
	const versions, latency, most = 500, 20 * time.Millisecond, 3 * time.Second
	f, u := &front{}, newUser(t)
	repo := registry(t, f)
	u.must("", "artifact", "push", repo+":0.0.0", "-f", filepath.Join(u.modules, "minimal", "values.cue"))
	args := []string{"tag", repo + ":0.0.0"}
	for i := range versions - 1 {
		args = append(args, fmt.Sprintf("1.%d.0", i))
	}
	u.must("", "artifact", args...)
	f.handle = func(_ int, w http.ResponseWriter, r *http.Request, next http.Handler) {
		<-time.After(latency)
		next.ServeHTTP(w, r)
	}
	began := time.Now()
	out := u.must("", "mod", "list", repo)
	took := time.Since(began)
	t.Logf("%d versions with digests and %s of latency: %s", versions, latency, took)
	if lines := strings.Count(out, "sha256:"); lines != versions {
		t.Errorf("%d digests, want %d", lines, versions)
	}
	if took > most {
		t.Errorf("took %s, at most %s wanted", took, most)
	}
}
