// SPDX-License-Identifier: Apache-2.0

package download_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/download"
)

func serve(t *testing.T) (*httptest.Server, *x509.CertPool) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("content for " + r.UserAgent())) })
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte("x"), 2000)) })
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/file", http.StatusFound) })
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	mux.HandleFunc("/plain", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+r.Host+"/file", http.StatusFound)
	})
	server := httptest.NewTLSServer(mux)
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return server, roots
}

func TestGet(t *testing.T) {
	t.Parallel()
	server, roots := serve(t)
	for name, tc := range map[string]struct {
		path, want, err string
	}{
		"a file":        {path: "/file", want: "content for test"},
		"a redirect":    {path: "/moved", want: "content for test"},
		"a loop":        {path: "/loop", err: "the server redirects more than 5 times"},
		"to plain http": {path: "/plain", err: ": only https is allowed"},
		"missing":       {path: "/nothing", err: "the server answers 404 Not Found"},
		"too large":     {path: "/large", err: "the answer is too large: more than 1000 bytes"},
		"too slow":      {path: "/slow", err: context.DeadlineExceeded.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := download.Options{Limit: 1000, Timeout: 5 * time.Second, AllowPrivate: true, Roots: roots, UserAgent: "test"}
			if name == "too slow" {
				o.Timeout = 50 * time.Millisecond
			}
			got, err := download.Get(t.Context(), strings.Replace(server.URL, "://", "://me:secret@", 1)+tc.path+"?signature=secret", o)
			if string(got) != tc.want {
				t.Errorf("got %q", got)
			}
			if tc.err == "" && err != nil || tc.err != "" && (err == nil || !strings.HasSuffix(err.Error(), tc.err)) {
				t.Errorf("error %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the password is in: %v", err)
			}
		})
	}
}

func TestGetPrivate(t *testing.T) {
	t.Parallel()
	server, roots := serve(t)
	for _, address := range []string{
		server.URL + "/file", "https://localhost:1/x", "https://[::1]/x", "https://10.1.2.3/x", "https://169.254.169.254/latest",
		"https://[::ffff:127.0.0.1]/x", "https://[fd00::1]/x", "https://100.64.0.1/x", "https://[64:ff9b::a00:1]/x", "https://0.0.0.0/x",
	} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			if _, err := download.Get(t.Context(), address, download.Options{Roots: roots}); !errors.Is(err, download.ErrPrivate) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestGetScheme(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"http://example.com/x", "file:///etc/passwd", "ftp://example.com"} {
		if _, err := download.Get(t.Context(), address, download.Options{}); err == nil || !strings.Contains(err.Error(), "only https is allowed") {
			t.Errorf("%s: error %v", address, err)
		}
	}
}
