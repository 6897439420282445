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

	"k8s.io/client-go/rest"
)

// Proxy stands between a client and the API server. It can cut the line after
// a number of requests, as if the client had been killed.
type Proxy struct {
	// Kubeconfig is the path of a kubeconfig of an administrator through it.
	Kubeconfig string

	mu     sync.Mutex
	passed int
	limit  int // 0 is none
	cut    context.CancelFunc
}

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
	p := &Proxy{}
	forward := &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Del("Authorization")
		},
		FlushInterval: -1, // watches
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch p.pass() {
		case dead:
			panic(http.ErrAbortHandler)
		case last: // the server does it, the client does not learn of it
			forward.ServeHTTP(httptest.NewRecorder(), r)
			p.cutNow()
			panic(http.ErrAbortHandler)
		case alive:
			forward.ServeHTTP(w, r)
		}
	}))
	server.Config.ErrorLog = nil
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

// KillAfter makes the proxy forward n more requests, the answer to the last of
// which does not arrive, and none after them; kill is called with the last.
// With n 0 the line stays open.
func (p *Proxy) KillAfter(n int, kill context.CancelFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.passed, p.limit, p.cut = 0, n, kill
}

// Passed returns how many requests have been forwarded since KillAfter.
func (p *Proxy) Passed() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.passed
}

type fate int

const (
	alive fate = iota
	last
	dead
)

func (p *Proxy) pass() fate {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.limit > 0 && p.passed >= p.limit {
		return dead
	}
	p.passed++
	if p.passed == p.limit {
		return last
	}
	return alive
}

func (p *Proxy) cutNow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut()
}
