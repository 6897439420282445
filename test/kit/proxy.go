// SPDX-License-Identifier: Apache-2.0

package kit

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// Proxy stands between a client and the API server. It can cut the line after
// a number of requests, as if the client had been killed, let one of them go
// wrong, and slow all of them down.
type Proxy struct {
	// Kubeconfig is the path of a kubeconfig of an administrator through it.
	Kubeconfig string

	forward http.Handler
	server  *httptest.Server

	mu     sync.Mutex
	passed int
	limit  int // of requests that get through; 0 is none
	faulty int // the request that goes wrong; 0 is none
	fault  Fault
	every  Fault // what every other request passes through; nil is none
	cut    context.CancelFunc
	delay  time.Duration
	trace  []*traced // nil when it is not noted
}

// Fault is what happens to a request in place of an answer. It may have the
// server carry the request out by forwarding it.
type Fault func(w http.ResponseWriter, r *http.Request, forward http.Handler)

// Proxy returns a proxy that lives as long as the test.
func (cp *ControlPlane) Proxy(t testing.TB) *Proxy {
	t.Helper()
	config, err := cp.REST()
	if err != nil {
		t.Fatal(err)
	}
	transport, err := rest.TransportFor(config)
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{forward: &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Del("Authorization")
		},
		FlushInterval: -1, // watches
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}}
	server := httptest.NewServer(p)
	server.Config.ErrorLog = nil
	p.server = server
	t.Cleanup(server.CloseClientConnections)
	t.Cleanup(server.Close)
	p.Kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: p\n"+
		"clusters: [{name: p, cluster: {server: %q}}]\nusers: [{name: p, user: {}}]\n"+
		"contexts: [{name: p, context: {cluster: p, user: p, namespace: default}}]\n", server.URL)
	if err := os.WriteFile(p.Kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// ServeHTTP forwards a request, unless it is one that is meant to go wrong.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer p.note(r)()
	fate, delay := p.pass()
	time.Sleep(delay)
	fate(w, r, p.forward)
}

// Stop ends the proxy as a server ends that dies: what is under way gets no
// answer, and connections are refused from now on.
func (p *Proxy) Stop() {
	_ = p.server.Listener.Close()
	p.server.CloseClientConnections()
}

// KillAfter makes the proxy forward n more requests, the answer to the last of
// which does not arrive, and none after them; kill is called with the last.
// With n 0 the line stays open.
func (p *Proxy) KillAfter(n int, kill context.CancelFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.passed, p.limit, p.faulty, p.cut = 0, n, 0, kill
}

// Inject lets the nth request from now go wrong, and no other. With n 0 none
// does.
func (p *Proxy) Inject(n int, fault Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.passed, p.limit, p.faulty, p.fault = 0, 0, n, fault
}

// Intercept has every request from now on pass through a fault, which forwards
// those that it is not about.
func (p *Proxy) Intercept(fault Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.passed, p.limit, p.faulty, p.every = 0, 0, 0, fault
}

// Break lets every request that is meant go wrong from now on, and no other.
func (p *Proxy) Break(meant func(*http.Request) bool, fault Fault) {
	p.Intercept(func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		if meant(r) {
			fault(w, r, forward)
			return
		}
		forward.ServeHTTP(w, r)
	})
}

// Delay adds to the time of every request from now on.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Passed returns how many requests have come since KillAfter or Inject.
func (p *Proxy) Passed() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.passed
}

// pass counts a request and decides what becomes of it.
func (p *Proxy) pass() (Fault, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.limit > 0 && p.passed >= p.limit {
		return dead, p.delay
	}
	p.passed++
	switch p.passed {
	case p.limit:
		return p.last, p.delay
	case p.faulty:
		return p.fault, p.delay
	}
	if p.every != nil {
		return p.every, p.delay
	}
	return alive, p.delay
}

func alive(w http.ResponseWriter, r *http.Request, forward http.Handler) { forward.ServeHTTP(w, r) }

func dead(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }

// last has the server carry the request out, but the client does not learn of
// it.
func (p *Proxy) last(_ http.ResponseWriter, r *http.Request, forward http.Handler) {
	forward.ServeHTTP(httptest.NewRecorder(), r)
	p.mu.Lock()
	p.cut()
	p.mu.Unlock()
	panic(http.ErrAbortHandler)
}

// Answer is a server that does not carry a request out and says so, with an
// HTTP status and the reason that the API gives it.
func Answer(status int, reason metav1.StatusReason) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { answer(w, status, reason) }
}

// Overloaded is a server that asks to be asked again, at once.
func Overloaded(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	w.Header().Set("Retry-After", "0")
	answer(w, http.StatusTooManyRequests, metav1.StatusReasonTooManyRequests)
}

// TimedOut is a server that carries a request out, but not in time to say so.
func TimedOut(w http.ResponseWriter, r *http.Request, forward http.Handler) {
	if r.URL.Query().Has("watch") {
		forward.ServeHTTP(w, r)
		return
	}
	forward.ServeHTTP(httptest.NewRecorder(), r)
	answer(w, http.StatusGatewayTimeout, metav1.StatusReasonTimeout)
}

// BrokenWatch ends a watch when it is to send its first change. Other
// requests are forwarded.
func BrokenWatch(w http.ResponseWriter, r *http.Request, forward http.Handler) {
	if r.URL.Query().Has("watch") {
		w = mute{w}
	}
	forward.ServeHTTP(w, r)
}

// mute passes the header on, and breaks the connection in place of a body.
type mute struct{ http.ResponseWriter }

func (mute) Write([]byte) (int, error) { panic(http.ErrAbortHandler) }

func (m mute) Flush() { m.ResponseWriter.(http.Flusher).Flush() }

func answer(w http.ResponseWriter, status int, reason metav1.StatusReason) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","code":%d,"reason":%q,"message":"injected: %s"}`,
		status, reason, reason)
}
