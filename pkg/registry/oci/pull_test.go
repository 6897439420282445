// SPDX-License-Identifier: Apache-2.0

package oci_test

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/session"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

func TestPushPull(t *testing.T) {
	t.Parallel()
	host := fixture.Registry(t)
	dir := fixture.Dir(t, fixture.SampleModule())
	first := fixture.Push(t, dir, fixture.Reference(t, "oci://"+host+"/org/app:1.0.0"), ref.Latest)
	fixture.Write(t, filepath.Join(dir, "values.cue"), "package main\nvalues: b: 2\n")
	second := fixture.Push(t, dir, fixture.Reference(t, "oci://"+host+"/org/app:1.1.0-rc.1"))

	for name, test := range map[string]struct{ reference, digest, version string }{
		"latest when nothing is named": {"", first, "1.0.0"},
		"a version":                    {":1.0.0", first, "1.0.0"},
		"another version":              {":1.1.0-rc.1", second, "1.1.0-rc.1"},
		"a digest":                     {"@" + second, second, "1.1.0-rc.1"},
		"a version and its digest":     {":1.0.0@" + first, first, "1.0.0"},
		"latest with a digest":         {":latest@" + second, second, "1.1.0-rc.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "out")
			m, err := oci.Pull(t.Context(), fixture.Reference(t, "oci://"+host+"/org/app"+test.reference), out, oci.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if m.Digest != test.digest || m.Annotations[archive.AnnotationVersion] != test.version {
				t.Errorf("pulled %+v, want %s of version %s", m, test.digest, test.version)
			}
			want := packed()
			if test.digest == second {
				want["values.cue"] = "package main\nvalues: b: 2\n"
			}
			if diff := cmp.Diff(want, contents(t, out)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPushAgain shows that what the registry has is not sent a second time.
func TestPushAgain(t *testing.T) {
	t.Parallel()
	var methods []string
	var mu sync.Mutex // a push asks for the tags while it sends
	inner := fixture.NewRegistry()
	host := fixture.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		methods = append(methods, r.Method)
		mu.Unlock()
		inner.ServeHTTP(w, r)
	}))
	dir, r := fixture.Dir(t, fixture.SampleModule()), fixture.Reference(t, "oci://"+host+"/app:1.0.0")
	first := fixture.Push(t, dir, r)
	methods = nil
	second := fixture.Push(t, dir, r)
	if first != second {
		t.Errorf("pushed %s, then %s", first, second)
	}
	if diff := cmp.Diff([]string{"GET", "HEAD"}, methods); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestPushErrors(t *testing.T) {
	t.Parallel()
	dir := fixture.Dir(t, fixture.SampleModule())
	image := fixture.Must(archive.PackModule(dir, "1.0.0", archive.PackOptions{}))(t)
	for name, test := range map[string]struct {
		reference, text string
		code            fail.Code
	}{
		"a directory": {dir, "is a directory, not an oci:// reference", fail.Usage},
		"a digest":    {"oci://127.0.0.1:1/app@sha256:" + strings.Repeat("0", 64), "a digest cannot be pushed to", fail.Usage},
		"no server":   {"oci://127.0.0.1:1/app:1.0.0", "push oci://127.0.0.1:1/app:1.0.0: registry is unreachable: 127.0.0.1:1: ", fail.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := oci.Push(t.Context(), image, fixture.Reference(t, test.reference), []string{"1.0.0"}, false, oci.Options{})
			fixture.WantError(t, err, test.text)
			if code := codeOf(err); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
		})
	}
}

// TestPullRefuses is about artifacts and registries that lie. Nothing may stay
// on disk.
func TestPullRefuses(t *testing.T) {
	t.Parallel()
	vendor, content := plainLayers(t)
	digest := digestOf(content)
	good := func(*v1.Manifest) {}
	other := "sha256:" + strings.Repeat("0", 64)
	for name, test := range map[string]struct {
		edit      func(*v1.Manifest)
		change    func(*fake)
		reference string // below oci://HOST/app
		is        error
		text      string
		code      fail.Code
	}{
		"an image": {
			func(m *v1.Manifest) { m.Config.MediaType = types.OCIConfigJSON },
			nil, ":1.0.0", archive.ErrNotModule, `not a module: its config has media type "application/vnd.oci.image.config.v1+json"`, fail.Failed,
		},
		"a manifest of docker": {
			func(m *v1.Manifest) { m.MediaType = types.DockerManifestSchema2 },
			nil, ":1.0.0", archive.ErrNotModule, "its manifest has media type", fail.Failed,
		},
		"an index": {
			func(m *v1.Manifest) { m.MediaType = types.OCIImageIndex },
			nil, ":1.0.0", archive.ErrNotModule, "it is an index of several images", fail.Failed,
		},
		"an index by its header alone": {
			func(m *v1.Manifest) { m.MediaType = "" },
			func(f *fake) { f.answers["manifests/1.0.0"] = with(f.answers["manifests/1.0.0"], types.OCIImageIndex) },
			":1.0.0", archive.ErrNotModule, "it is an index", fail.Failed,
		},
		"no manifest at all": {
			good, func(f *fake) { f.tag("1.0.0", []byte("<html>"), "text/html") },
			":1.0.0", nil, "the manifest cannot be read", fail.Failed,
		},
		"no vendor layer": {
			func(m *v1.Manifest) { m.Layers = m.Layers[1:] },
			nil, ":1.0.0", archive.ErrNotModule, `0 layers of content type "module/vendor"`, fail.Failed,
		},
		"no module layer": {
			func(m *v1.Manifest) { m.Layers = m.Layers[:1] },
			nil, ":1.0.0", archive.ErrNotModule, `0 layers of content type "module"`, fail.Failed,
		},
		"two module layers": {
			func(m *v1.Manifest) { m.Layers = append(m.Layers, m.Layers[1]) },
			nil, ":1.0.0", archive.ErrNotModule, `2 layers of content type "module"`, fail.Failed,
		},
		"another layer type": {
			func(m *v1.Manifest) { m.Layers[1].MediaType = types.OCILayer },
			nil, ":1.0.0", archive.ErrNotModule, `its layer "module" has media type`, fail.Failed,
		},
		"a layer that lies": {
			good, func(f *fake) { f.answers["blobs/"+digest] = answer{body: reversed(content)} },
			":1.0.0", archive.ErrDigest, "the registry sent other content for layer " + digest, fail.Refused,
		},
		"a layer that goes on": {
			good, func(f *fake) { f.answers["blobs/"+digest] = answer{body: append(slices.Clone(content), 0)} },
			":1.0.0", archive.ErrDigest, "the registry sent other content", fail.Refused,
		},
		"a size that lies": {
			func(m *v1.Manifest) { m.Layers[1].Size-- },
			nil, ":1.0.0", archive.ErrDigest, "the registry sent other content", fail.Refused,
		},
		"a layer that is too large": {
			func(m *v1.Manifest) { m.Layers[1].Size = 1 << 40 },
			nil, ":1.0.0", archive.ErrTooLarge, "has 1099511627776 bytes", fail.Refused,
		},
		"a layer of negative size": {
			func(m *v1.Manifest) { m.Layers[1].Size = -1 },
			nil, ":1.0.0", archive.ErrTooLarge, "has -1 bytes", fail.Refused,
		},
		"a layer that is always cut": {
			good, func(f *fake) { f.cut["blobs/"+digest] = 100 },
			":1.0.0", nil, "the connection broke after ", fail.Failed,
		},
		"another manifest than the digest": {
			good, func(f *fake) { f.answers["manifests/"+other] = f.answers["manifests/1.0.0"] },
			"@" + other, archive.ErrDigest, "digest mismatch: the registry has ", fail.Refused,
		},
		"a header that states it": {
			good, func(f *fake) {
				a := with(f.answers["manifests/1.0.0"], types.DockerManifestSchema1Signed)
				a.header = map[string]string{"Docker-Content-Digest": other}
				f.answers["manifests/"+other] = a
			},
			"@" + other, archive.ErrDigest, "digest mismatch: the registry has ", fail.Refused,
		},
		"a version of another digest": {
			good, nil, ":1.0.0@" + other, archive.ErrDigest, `for "1.0.0"`, fail.Refused,
		},
		"an unknown version": {
			good, nil, ":9.9.9", session.ErrNotFound, ": not found (404 Not Found, MANIFEST_UNKNOWN: there is[31m nothing)", fail.Failed,
		},
		"a layer that is gone": {
			good, func(f *fake) { delete(f.answers, "blobs/"+digest) },
			":1.0.0", session.ErrNotFound, "404", fail.Failed,
		},
		"a traversal": {
			good, func(f *fake) {
				f.replace(t, fixture.Archive(t, fixture.FileEntry("ok", "x"), fixture.FileEntry("../../escape", "x")))
			},
			":1.0.0", archive.ErrUnsafe, `unsafe archive: entry "../../escape" leads out of the directory`, fail.Refused,
		},
		"a bomb": {
			good, func(f *fake) { pax, _ := fixture.SparseBombs(t); f.replace(t, pax) },
			":1.0.0", archive.ErrTooLarge, `file "bomb" has 9999999999 bytes`, fail.Refused,
		},
		"always 500": {
			good, func(f *fake) { f.fail["manifests/1.0.0"] = 100 },
			":1.0.0", nil, "answered 500 Internal Server Error", fail.Failed,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, vendor, content, test.edit)
			if test.change != nil {
				test.change(f)
			}
			reference := "oci://" + fixture.Serve(t, f) + "/app" + test.reference
			parent := t.TempDir()
			_, err := oci.Pull(t.Context(), fixture.Reference(t, reference), filepath.Join(parent, "out"), credentials)
			fixture.WantError(t, err, "pull "+reference+": ")
			fixture.WantError(t, err, test.text)
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("error %q does not wrap %q", err, test.is)
			}
			if code := codeOf(err); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if left := fixture.Tree(t, parent); len(left) > 0 {
				t.Errorf("on disk: %q", left)
			}
		})
	}
}

func with(a answer, mediaType types.MediaType) answer {
	a.contentType = string(mediaType)
	return a
}

func reversed(data []byte) []byte {
	data = slices.Clone(data)
	slices.Reverse(data)
	return data
}

// replace gives the module another content layer, with digests that are right.
func (f *fake) replace(t *testing.T, content []byte) {
	t.Helper()
	vendor, _ := plainLayers(t)
	f.answers = newFake(t, vendor, content, nil).answers
}

// TestPullTriesAgain is about registries that are in trouble for a moment.
func TestPullTriesAgain(t *testing.T) {
	t.Parallel()
	vendor, content := plainLayers(t)
	for name, trouble := range map[string]func(*fake){
		"a manifest that fails twice": func(f *fake) { f.fail["manifests/1.0.0"] = 2 },
		"a layer that fails once":     func(f *fake) { f.fail["blobs/"+digestOf(content)] = 1 },
		"a layer that is cut twice":   func(f *fake) { f.cut["blobs/"+digestOf(content)] = 2 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, vendor, content, nil)
			trouble(f)
			out := t.TempDir()
			if _, err := oci.Pull(t.Context(), fixture.Reference(t, "oci://"+fixture.Serve(t, f)+"/app:1.0.0"), out, credentials); err != nil {
				t.Fatal(err)
			}
			want := map[string]string{"cue.mod/module.cue": "m", "timoni.cue": "t"}
			if diff := cmp.Diff(want, contents(t, out)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPullResumes is about connections that break within a layer: what has come
// is not asked for again, unless the registry cannot send parts.
func TestPullResumes(t *testing.T) {
	t.Parallel()
	vendor, content := plainLayers(t)
	whole, layer := len(content), "blobs/"+digestOf(content)
	for name, test := range map[string]struct {
		trouble func(*fake)
		sent    int
		text    string // of the error, empty for none
	}{
		"by range": {func(f *fake) { f.ranges, f.cut[layer] = true, 3 }, whole, ""},
		"by range, though the next requests fail": {
			func(f *fake) { f.ranges, f.cut[layer] = true, 1; f.failAfter = map[string]int{layer: 2} }, whole, "",
		},
		"from the beginning": {func(f *fake) { f.cut[layer] = 2 }, whole + 2*(whole/2), ""},
		"not for ever":       {func(f *fake) { f.cut[layer] = 100 }, 4 * (whole / 2), "the connection broke after "},
		"to other content": {
			func(f *fake) {
				f.ranges, f.cut[layer] = true, 1
				f.later = map[string][]byte{layer: reversed(content)}
			},
			whole, "the registry sent other content for layer",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, vendor, content, nil)
			test.trouble(f)
			_, err := oci.Pull(t.Context(), fixture.Reference(t, "oci://"+fixture.Serve(t, f)+"/app:1.0.0"), filepath.Join(t.TempDir(), "out"), credentials)
			if test.text != "" {
				fixture.WantError(t, err, test.text)
			} else if err != nil {
				t.Error(err)
			}
			if f.sent[layer] != test.sent {
				t.Errorf("%d bytes of a layer of %d were sent, want %d", f.sent[layer], whole, test.sent)
			}
		})
	}
}

// TestPullRequests counts what a pull costs in addition to the greeting.
func TestPullRequests(t *testing.T) {
	t.Parallel()
	vendor, content := plainLayers(t)
	f := newFake(t, vendor, content, func(m *v1.Manifest) {
		extra := m.Layers[0]
		extra.Annotations = map[string]string{archive.AnnotationContentType: "of another time"}
		m.Layers = append(m.Layers, extra)
	})
	if _, err := oci.Pull(t.Context(), fixture.Reference(t, "oci://"+fixture.Serve(t, f)+"/app:1.0.0"), t.TempDir(), credentials); err != nil {
		t.Fatal(err)
	}
	slices.Sort(f.requests)
	want := []string{"GET blobs/" + digestOf(vendor), "GET blobs/" + digestOf(content), "GET manifests/1.0.0"}
	slices.Sort(want)
	if diff := cmp.Diff(want, f.requests); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	vendor, content := plainLayers(t)
	host := fixture.Serve(t, basicAuth(newFake(t, vendor, content, nil)))
	forbidden := fixture.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"errors":[{"code":"DENIED","message":"no"}]}`)
	}))
	login := "log in with 'kubectl timoni registry login HOST' or give --creds USER:PASSWORD"
	check := "check that these credentials for HOST are right and that the repository exists"
	for name, test := range map[string]struct {
		host, creds, text, hint string
		is                      error
	}{
		"right":     {host, credentials.Creds, "", "", nil},
		"none":      {host, "", "access denied (401 Unauthorized, UNAUTHORIZED: go away, )", login, session.ErrUnauthorized},
		"wrong":     {host, "me:x" + secret, "UNAUTHORIZED: go away, Basic ***)", check, session.ErrUnauthorized},
		"forbidden": {forbidden, credentials.Creds, "access denied (403 Forbidden, DENIED: no)", check, session.ErrUnauthorized},
		"malformed": {host, secret, "not of the form USER:PASSWORD", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := oci.Pull(t.Context(), fixture.Reference(t, "oci://"+test.host+"/app:1.0.0"), t.TempDir(), oci.Options{Access: session.Access{Creds: test.creds}})
			if test.text == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			fixture.WantError(t, err, test.text)
			if !errors.Is(err, test.is) && test.is != nil {
				t.Errorf("error %q does not wrap %q", err, test.is)
			}
			hints := strings.Join(hintsOf(err), "\n")
			if diff := cmp.Diff(strings.ReplaceAll(test.hint, "HOST", test.host), hints); diff != "" {
				t.Errorf("hints (-want +got):\n%s", diff)
			}
			if strings.Contains(err.Error()+hints, secret) {
				t.Errorf("the password is in %q", err)
			}
		})
	}
}

func TestInsecure(t *testing.T) {
	t.Parallel()
	vendor, content := plainLayers(t)
	server := httptest.NewUnstartedServer(newFake(t, vendor, content, nil))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	r := fixture.Reference(t, "oci://"+strings.TrimPrefix(server.URL, "https://")+"/app:1.0.0")

	_, err := oci.Pull(t.Context(), r, t.TempDir(), credentials)
	fixture.WantError(t, err, "registry is unreachable")
	fixture.WantError(t, err, "certificate")
	if diff := cmp.Diff([]string{"name the certificate of its authority with --registry-ca FILE, or use --insecure-registry"}, hintsOf(err)); diff != "" {
		t.Errorf("hints (-want +got):\n%s", diff)
	}
	if _, err = oci.Pull(t.Context(), r, t.TempDir(), oci.Options{Access: session.Access{Creds: credentials.Creds, Insecure: true}}); err != nil {
		t.Error(err)
	}
}

// TestAuthority is about a registry with a certificate of a private
// authority.
func TestAuthority(t *testing.T) {
	t.Parallel()
	vendor, content := plainLayers(t)
	server := httptest.NewTLSServer(newFake(t, vendor, content, nil))
	t.Cleanup(server.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	fixture.Write(t, ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	empty := filepath.Join(t.TempDir(), "empty.pem")
	fixture.Write(t, empty, "")
	for name, test := range map[string]struct{ file, text string }{
		"its authority":  {ca, ""},
		"no certificate": {empty, "holds no certificate in PEM form"},
		"no file":        {empty + "x", "empty.pemx"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := fixture.Reference(t, "oci://"+strings.TrimPrefix(server.URL, "https://")+"/app:1.0.0")
			_, err := oci.Pull(t.Context(), r, t.TempDir(), oci.Options{Access: session.Access{CAFile: test.file}})
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

// TestStall is about a registry that accepts a request and then says nothing,
// or stops in the middle.
func TestStall(t *testing.T) {
	t.Parallel()
	vendor, content := plainLayers(t)
	layer := "/v2/app/blobs/" + digestOf(content)
	for name, test := range map[string]struct{ path, text string }{
		"before the answer":     {"/v2/app/manifests/1.0.0", "no answer for 100ms"},
		"in the first answer":   {"/v2/", "no answer for 100ms"},
		"in the middle of data": {layer, "the connection broke after 4 of "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, vendor, content, nil)
			host := fixture.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != test.path {
					f.ServeHTTP(w, r)
					return
				}
				if r.URL.Path == layer {
					w.Header().Set("Content-Length", "1000")
					_, _ = w.Write(content[:4])
					w.(http.Flusher).Flush()
				}
				<-r.Context().Done()
			}))
			o := oci.Options{Access: session.Access{Creds: credentials.Creds, Stall: 100 * time.Millisecond}}
			_, err := oci.Pull(t.Context(), fixture.Reference(t, "oci://"+host+"/app:1.0.0"), t.TempDir(), o)
			fixture.WantError(t, err, test.text)
		})
	}
}

// TestSlowDirect holds that a registry that does not answer the first, direct
// request in time is asked in the usual way, with the same result.
func TestSlowDirect(t *testing.T) {
	t.Parallel()
	vendor, content := plainLayers(t)
	f := newFake(t, vendor, content, nil)
	var once sync.Once
	host := fixture.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/manifests/") {
			once.Do(func() { <-r.Context().Done() })
		}
		f.ServeHTTP(w, r)
	}))
	dir := t.TempDir()
	_, err := oci.Pull(t.Context(), fixture.Reference(t, "oci://"+host+"/app:1.0.0"), dir, oci.Options{Access: session.Access{Stall: 6 * time.Second}})
	if err != nil || len(fixture.Tree(t, dir)) == 0 {
		t.Errorf("on disk: %q, error %v", fixture.Tree(t, dir), err)
	}
}

// TestInterrupt cancels a pull while the registry keeps it waiting.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	host := fixture.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "manifests") {
			cancel(errors.New("interrupt"))
			<-r.Context().Done()
		}
	}))
	parent := t.TempDir()
	_, err := oci.Pull(ctx, fixture.Reference(t, "oci://"+host+"/app:1.0.0"), filepath.Join(parent, "out"), credentials)
	fixture.WantError(t, err, "/app:1.0.0: interrupt")
	if left := fixture.Tree(t, parent); len(left) > 0 {
		t.Errorf("on disk: %q", left)
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	listener := fixture.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	host := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := oci.Pull(t.Context(), fixture.Reference(t, "oci://"+host+"/app:1.0.0"), t.TempDir(), credentials)
	fixture.WantError(t, err, "pull oci://"+host+"/app:1.0.0: registry is unreachable: "+host+": ")
	if !errors.Is(err, session.ErrUnreachable) {
		t.Errorf("error %q does not wrap ErrUnreachable", err)
	}
}
