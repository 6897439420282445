// SPDX-License-Identifier: Apache-2.0

package oci_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/mirror"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/session"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// TestEndless is about registries that never come to an end, with and without
// credentials.
func TestEndless(t *testing.T) {
	t.Parallel()
	large := bytes.Repeat([]byte(" "), 5<<20)
	for name, test := range map[string]struct {
		handle http.HandlerFunc
		text   string
		code   fail.Code
		list   bool
	}{
		"a manifest that leads to itself": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		}, "redirects more than 10 times", fail.Failed, false},
		"a list of tags that leads to itself": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
		}, "redirects more than 10 times", fail.Failed, true},
		"pages of tags": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", fmt.Sprintf(`</v2/app/tags/list?last=%d>; rel="next"`, time.Now().UnixNano()))
			_, _ = io.WriteString(w, `{"tags":["1.0.0"]}`)
		}, "too large: the list of tags has more than 1000 pages", fail.Refused, true},
		"a page of tags": {func(w http.ResponseWriter, _ *http.Request) {
			for err := error(nil); err == nil; {
				_, err = w.Write(large)
			}
		}, "too large: the registry's answer has more than 33554432 bytes", fail.Refused, true},
		"a large manifest": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = w.Write(large)
		}, "too large: the registry's answer has more than 4194304 bytes", fail.Refused, false},
		"a manifest without end": {func(w http.ResponseWriter, _ *http.Request) {
			for err := error(nil); err == nil; {
				_, err = w.Write(large)
			}
		}, "too large: the registry's answer has more than 4194304 bytes", fail.Refused, false},
		"a manifest byte by byte": {func(w http.ResponseWriter, r *http.Request) { drip(w, r) },
			"the answer is not complete after 2s", fail.Failed, false},
		"a page of tags byte by byte": {func(w http.ResponseWriter, r *http.Request) { drip(w, r) },
			"the answer is not complete after 2s", fail.Failed, true},
		"an error byte by byte": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			drip(w, r)
		}, "", fail.Failed, false},
	} {
		for who, creds := range map[string]string{"anonymous": "", "logged in": credentials.Creds} {
			t.Run(name+", "+who, func(t *testing.T) {
				t.Parallel()
				host := fixture.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path != "/v2/" {
						test.handle(w, r)
					}
				}))
				r, o := fixture.Reference(t, "oci://"+host+"/app:1.0.0"), oci.Options{Access: session.Access{Creds: creds}}
				if strings.HasSuffix(name, "byte by byte") {
					o.Stall = 500 * time.Millisecond
				}
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // for what has no end
				defer cancel()
				var err error
				if test.list {
					_, err = oci.List(ctx, r, oci.ListOptions{Options: o})
				} else {
					_, err = oci.Pull(ctx, r, filepath.Join(t.TempDir(), "out"), o)
				}
				fixture.WantError(t, err, test.text)
				if code := codeOf(err); code != test.code {
					t.Errorf("exit code %d of %v, want %d", code, err, test.code)
				}
			})
		}
	}
}

// drip sends one byte at a time, more often than a stalled connection does.
func drip(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		_, _ = w.Write([]byte(" "))
		w.(http.Flusher).Flush()
		select {
		case <-time.After(50 * time.Millisecond):
		case <-r.Context().Done():
		}
	}
}

// TestLayerByteByByte is about a layer that comes, but too slowly.
func TestLayerByteByByte(t *testing.T) {
	t.Parallel()
	vendor, content := plainLayers(t)
	f := newFake(t, vendor, content, nil)
	host := fixture.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v2/app/blobs/"+digestOf(content) {
			drip(w, r)
			return
		}
		f.ServeHTTP(w, r)
	}))
	o := oci.Options{Access: session.Access{Creds: credentials.Creds, Stall: 100 * time.Millisecond}}
	_, err := oci.Pull(t.Context(), fixture.Reference(t, "oci://"+host+"/app:1.0.0"), t.TempDir(), o)
	fixture.WantError(t, err, "the answer is not complete after 2s")
}

// far is an address of this machine that the tests take for a public one.
const far = "127.0.0.2"

// withPrivate returns o with another judgement of which addresses are private.
func withPrivate(o oci.Options, private func(netip.Addr) bool) oci.Options {
	o.IsPrivate = private
	return o
}

func farIsPublic(ip netip.Addr) bool { return ip.Unmap() != netip.MustParseAddr(far) }

// serveFar serves at far, and returns HOST:PORT.
func serveFar(t *testing.T, handler http.Handler) string {
	t.Helper()
	listener, err := net.Listen("tcp", far+":0")
	if err != nil {
		t.Skipf("this machine has no second address of its own: %v", err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: handler}}
	server.Start()
	t.Cleanup(server.Close)
	return listener.Addr().String()
}

// TestPrivateAddresses is about registries that lead somewhere else: the name
// localhost stands for any name with a private address.
func TestPrivateAddresses(t *testing.T) {
	t.Parallel()
	vendor, content := plainLayers(t)
	layer := "/v2/app/blobs/" + digestOf(content)
	for name, test := range map[string]struct {
		public bool   // the registry's own address
		to     string // the host of the storage
		text   string
	}{
		"from a public address to a name":            {true, "localhost", `leads to "localhost", which has an address within a private network`},
		"from a public address to a private address": {true, "127.0.0.1", `leads to "127.0.0.1", which`},
		"from a private address to a name":           {false, "localhost", ""},
		"from a private address to another":          {false, "127.0.0.1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			storage := fixture.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				_, _ = w.Write(content)
			}))
			_, port, _ := net.SplitHostPort(storage)
			f := newFake(t, vendor, content, nil)
			handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == layer {
					http.Redirect(w, r, "http://"+net.JoinHostPort(test.to, port)+"/storage", http.StatusTemporaryRedirect)
					return
				}
				f.ServeHTTP(w, r)
			})
			host := fixture.Serve(t, handler)
			if test.public {
				host = serveFar(t, handler)
			}
			o := withPrivate(oci.Options{Access: session.Access{Insecure: true}}, farIsPublic)
			_, err := oci.Pull(t.Context(), fixture.Reference(t, "oci://"+host+"/app:1.0.0"), t.TempDir(), o)
			if test.text == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			fixture.WantError(t, err, "registry "+host+" "+test.text)
			if code := codeOf(err); code != fail.Refused || asked.Load() > 0 {
				t.Errorf("exit code %d after %d requests to the private address", code, asked.Load())
			}
		})
	}
}

// TestRebinding is about a registry whose own name has a private address once
// a public one has answered.
func TestRebinding(t *testing.T) {
	t.Parallel()
	vendor, content := plainLayers(t)
	f := newFake(t, vendor, content, nil)
	var private atomic.Bool
	host := fixture.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		private.Store(true) // from the next connection on
		w.Header().Set("Connection", "close")
		f.ServeHTTP(w, r)
	}))
	o := withPrivate(oci.Options{Access: session.Access{Creds: credentials.Creds}}, func(netip.Addr) bool { return private.Load() })
	_, err := oci.Pull(t.Context(), fixture.Reference(t, "oci://"+host+"/app:1.0.0"), t.TempDir(), o)
	fixture.WantError(t, err, "has an address within a private network")
}

// TestTokenServer is about where a registry may send credentials to.
func TestTokenServer(t *testing.T) {
	t.Parallel()
	vendor, content := plainLayers(t)
	settings := filepath.Join(t.TempDir(), "registries.yaml")
	fixture.Write(t, settings, "authHosts:\n  127.0.0.1:1: elsewhere\n  localhost: [localhost]\n")
	for name, test := range map[string]struct {
		to      string // the host of the token server
		options oci.Options
		ok      bool
	}{
		"the same host":               {"127.0.0.1", credentials, true},
		"another, without a password": {"localhost", oci.Options{}, true},
		"another":                     {"localhost", credentials, false},
		"another, named":              {"localhost", oci.Options{Access: session.Access{Creds: credentials.Creds, AuthHosts: []string{"LOCALHOST"}}}, true},
		"another, in the settings":    {"localhost", oci.Options{Access: session.Access{Creds: credentials.Creds, Mirrors: mirror.Mirrors{File: "HOST"}}}, true},
		"another of another registry": {"localhost", oci.Options{Access: session.Access{Creds: credentials.Creds, Mirrors: mirror.Mirrors{File: settings}}}, false},
	} {
		for greeting, open := range map[string]bool{"challenge in the greeting": false, "open greeting": true} {
			t.Run(name+", "+greeting, func(t *testing.T) {
				t.Parallel()
				registry := &tokenRegistry{next: newFake(t, vendor, content, nil), openGreeting: open}
				host := fixture.Serve(t, registry)
				_, port, _ := net.SplitHostPort(host)
				registry.realm = "http://" + net.JoinHostPort(test.to, port) + "/token"
				o := test.options
				if o.Mirrors.File == "HOST" {
					o.Mirrors.File = filepath.Join(t.TempDir(), "registries.yaml")
					fixture.Write(t, o.Mirrors.File, "authHosts:\n  "+host+": localhost\n")
				}
				_, err := oci.Pull(t.Context(), fixture.Reference(t, "oci://"+host+"/app:1.0.0"), t.TempDir(), o)
				if test.ok {
					if err != nil || registry.tokens.Load() == 0 {
						t.Errorf("error %v after %d requests for a token", err, registry.tokens.Load())
					}
					return
				}
				fixture.WantError(t, err, "registry "+host+" asks for the credentials at localhost, a host of another domain")
				hint := "if that is its token server, allow it with --auth-host localhost, or list it under authHosts in registries.yaml"
				if diff := cmp.Diff([]string{hint}, hintsOf(err)); diff != "" {
					t.Errorf("hints (-want +got):\n%s", diff)
				}
				if codeOf(err) != fail.Refused || registry.leaked.Load() {
					t.Errorf("exit code %d; the password was sent: %v", codeOf(err), registry.leaked.Load())
				}
			})
		}
	}
}

// tokenRegistry hands out tokens, and its content for one of them.
type tokenRegistry struct {
	next         http.Handler
	realm        string
	openGreeting bool // GET /v2/ is answered without a challenge
	challenges   []string
	tokens       atomic.Int32
	leaked       atomic.Bool // a password came to localhost
}

func (t *tokenRegistry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, _, basic := r.BasicAuth(); basic && strings.HasPrefix(r.Host, "localhost") {
		t.leaked.Store(true)
	}
	switch {
	case r.URL.Path == "/token":
		_, _ = fmt.Fprintf(w, `{"token":"t%d"}`, t.tokens.Add(1))
	case r.URL.Path == "/v2/" && t.openGreeting:
	case r.Header.Get("Authorization") == fmt.Sprintf("Bearer t%d", t.tokens.Load()) && t.tokens.Load() > 0:
		t.next.ServeHTTP(w, r)
	default:
		challenges := t.challenges
		if challenges == nil {
			challenges = []string{`Bearer scope="repository:app:pull",service="s x",realm="` + t.realm + `"`}
		}
		for _, c := range challenges {
			w.Header().Add("WWW-Authenticate", strings.ReplaceAll(c, "REALM", t.realm))
		}
		w.WriteHeader(http.StatusUnauthorized)
	}
}

// TestOpenGreeting is about registries that answer GET /v2/ without a challenge
// and have one for each repository, in all its spellings.
func TestOpenGreeting(t *testing.T) {
	t.Parallel()
	for name, challenges := range map[string][]string{
		"plain":             {`Bearer realm="REALM",service="s"`},
		"spaces":            {`BEARER Realm = "REALM" , Service="a \"b, c" ,  scope="repository:app:pull"`},
		"no quotes":         {`Bearer realm=REALM,service=s`},
		"among others":      {`Negotiate`, `Basic realm="x"`, `Bearer realm="REALM"`},
		"others in one":     {`Negotiate abc==, Basic realm="x", Bearer realm="REALM", Digest realm="y"`},
		"an unknown scheme": {`, Bearer realm="REALM", error="insufficient_scope"`},
	} {
		for who, o := range map[string]oci.Options{"anonymous": {}, "logged in": credentials} {
			t.Run(name+", "+who, func(t *testing.T) {
				t.Parallel()
				registry := &tokenRegistry{next: fixture.NewRegistry(), openGreeting: true, challenges: challenges}
				host := fixture.Serve(t, registry)
				registry.realm = "http://" + host + "/token"
				r := fixture.Reference(t, "oci://"+host+"/app:1.0.0")
				image := fixture.Must(archive.PackModule(fixture.Dir(t, fixture.SampleModule()), "1.0.0", archive.PackOptions{}))(t)
				if _, err := oci.Push(t.Context(), image, r, []string{"1.0.0"}, false, o); err != nil {
					t.Fatal(err)
				}
				list, err := oci.List(t.Context(), r, oci.ListOptions{Options: o})
				if err != nil || len(list) != 1 {
					t.Errorf("listed %v, error %v", list, err)
				}
				if _, err = oci.Pull(t.Context(), r, t.TempDir(), o); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestRefusedToken is about a token server that says no.
func TestRefusedToken(t *testing.T) {
	t.Parallel()
	registry := &tokenRegistry{openGreeting: true, challenges: []string{`Bearer realm="REALM"`}}
	host := fixture.Serve(t, registry)
	registry.realm = "http://" + host + "/none"
	_, err := oci.Pull(t.Context(), fixture.Reference(t, "oci://"+host+"/app:1.0.0"), t.TempDir(), credentials)
	if !errors.Is(err, session.ErrUnauthorized) {
		t.Errorf("error %v", err)
	}
}
