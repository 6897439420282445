// SPDX-License-Identifier: Apache-2.0

package oci_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/session"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// secret is the password of every test. It must not turn up in any error.
const secret = "hunter2-hunter2"

var credentials = oci.Options{Access: session.Access{Creds: "me:" + secret}}

// answer is what a registry made by hand says to one request.
type answer struct {
	status      int // 200 when zero
	contentType string
	body        []byte
	header      map[string]string
	length      int // declared, the body's when zero
}

// fake is a registry made by hand: it has one repository, called app, and says
// what a test wants it to say.
type fake struct {
	mu      sync.Mutex
	answers map[string]answer // by path below /v2/app/
	fail    map[string]int    // how often a path answers 500 first
	cut     map[string]int    // how often a path breaks within the body first
	ranges  bool              // parts of blobs can be asked for
	sent    map[string]int    // bytes of bodies

	failAfter map[string]int    // how often a path answers 500 once it was cut
	later     map[string][]byte // what a path has once it was cut
	requests  []string
}

// newFake returns a registry that has a module with these layers under the tag
// 1.0.0, after edit has changed its manifest.
func newFake(t *testing.T, vendor, content []byte, edit func(*v1.Manifest)) *fake {
	t.Helper()
	f := &fake{answers: map[string]answer{}, fail: map[string]int{}, cut: map[string]int{}, sent: map[string]int{}}
	m := v1.Manifest{
		SchemaVersion: 2, MediaType: types.OCIManifestSchema1,
		Config: v1.Descriptor{MediaType: archive.MediaTypeConfig, Size: 2, Digest: f.blob([]byte("{}"))},
		Layers: []v1.Descriptor{
			{MediaType: archive.MediaTypeContent, Size: int64(len(vendor)), Digest: f.blob(vendor), Annotations: map[string]string{archive.AnnotationContentType: archive.ContentVendor}},
			{MediaType: archive.MediaTypeContent, Size: int64(len(content)), Digest: f.blob(content), Annotations: map[string]string{archive.AnnotationContentType: archive.ContentModule}},
		},
		Annotations: map[string]string{archive.AnnotationVersion: "1.0.0"},
	}
	if edit != nil {
		edit(&m)
	}
	f.tag("1.0.0", fixture.Must(json.Marshal(m))(t), types.OCIManifestSchema1)
	return f
}

func (f *fake) blob(data []byte) v1.Hash {
	digest := digestOf(data)
	f.answers["blobs/"+digest] = answer{body: data, contentType: "application/octet-stream"}
	return v1.Hash{Algorithm: "sha256", Hex: strings.TrimPrefix(digest, "sha256:")}
}

// tag makes a manifest known under a tag and its digest, which it returns.
func (f *fake) tag(tag string, manifest []byte, mediaType types.MediaType) string {
	a := answer{body: manifest, contentType: string(mediaType)}
	f.answers["manifests/"+tag], f.answers["manifests/"+digestOf(manifest)] = a, a
	return digestOf(manifest)
}

func digestOf(data []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(data)) }

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/v2/" {
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/v2/app/")
	f.mu.Lock()
	f.requests = append(f.requests, r.Method+" "+name)
	a, ok := f.answers[name]
	if f.fail[name] > 0 {
		f.fail[name]--
		a = answer{status: http.StatusInternalServerError}
	}
	if from, ok := rangeOf(r); ok && f.ranges && a.status == 0 {
		a.header = map[string]string{"Content-Range": fmt.Sprintf("bytes %d-%d/%d", from, len(a.body)-1, len(a.body))}
		a.status, a.body = http.StatusPartialContent, a.body[from:]
	}
	if f.cut[name] > 0 {
		f.cut[name]--
		a.length, a.body = len(a.body), a.body[:len(a.body)/2]
		f.fail[name] += f.failAfter[name]
		if data, ok := f.later[name]; ok {
			f.answers[name] = answer{body: data}
		}
	}
	f.sent[name] += len(a.body)
	f.mu.Unlock()
	if !ok {
		a = answer{status: http.StatusNotFound, body: []byte(`{"errors":[{"code":"MANIFEST_UNKNOWN","message":"there is\u001b[31m nothing\nhere"}]}`)}
	}
	for k, v := range a.header {
		w.Header().Set(k, v)
	}
	w.Header().Set("Content-Type", a.contentType)
	if a.length > 0 {
		w.Header().Set("Content-Length", fmt.Sprint(a.length))
	}
	if a.status != 0 {
		w.WriteHeader(a.status)
	}
	_, _ = w.Write(a.body)
}

// rangeOf returns where the part begins that a request is about.
func rangeOf(r *http.Request) (from int, ok bool) {
	n, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
	return from, n == 1 && err == nil
}

// contents returns the files below dir with what is in them.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, name := range fixture.Tree(t, dir) {
		if !strings.HasSuffix(name, "/") {
			files[name] = string(fixture.Must(os.ReadFile(filepath.Join(dir, name)))(t))
		}
	}
	return files
}

// packed returns the files of sampleModule that an artifact holds.
func packed() map[string]string {
	files := maps.Clone(fixture.SampleModule())
	maps.DeleteFunc(files, func(name, _ string) bool {
		top, _, _ := strings.Cut(name, "/")
		return top == ".git" || top == "docs" || name == "a.ignored"
	})
	return files
}

func plainLayers(t *testing.T) (vendor, content []byte) {
	t.Helper()
	return fixture.Archive(t, fixture.FileEntry("cue.mod/module.cue", "m")), fixture.Archive(t, fixture.FileEntry("timoni.cue", "t"))
}

// basicAuth lets only the credentials of the tests in, and sends back what it
// got otherwise.
func basicAuth(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user == "me" && password == secret {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprintf(w, `{"errors":[{"code":"UNAUTHORIZED","message":"go away, %s"}]}`, r.Header.Get("Authorization"))
	})
}
