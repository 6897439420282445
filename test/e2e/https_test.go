// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// serveHTTPS serves a directory over https, at the URL that is then in $HTTPS.
// The script's programs trust the server where SSL_CERT_FILE counts. A file
// X.location makes X a redirect to the URL in it.
func serveHTTPS(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "serve-https DIR")
	dir := ts.MkAbs(args[0])
	files := http.FileServer(http.Dir(dir))
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if to, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(r.URL.Path)+".location")); err == nil {
			http.Redirect(w, r, strings.TrimSpace(string(to)), http.StatusFound)
			return
		}
		files.ServeHTTP(w, r)
	}))
	ts.Defer(server.Close)
	roots := filepath.Join(ts.Getenv("HOME"), "roots.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	ts.Check(os.WriteFile(roots, text, 0o600))
	ts.Setenv("SSL_CERT_FILE", roots)
	ts.Setenv("HTTPS", server.URL)
}
