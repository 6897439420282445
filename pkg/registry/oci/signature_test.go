// SPDX-License-Identifier: Apache-2.0

package oci_test

import (
	"context"
	"crypto/elliptic"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/sigstore/sigstore/pkg/cryptoutils"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/cache"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/privatekey"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/signature"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

func newKey(t *testing.T) (privatekey.Key, signature.PublicKey) {
	t.Helper()
	private, public, err := cryptoutils.GeneratePEMEncodedECDSAKeyPair(elliptic.P256(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return fixture.Must(privatekey.Parse(private, nil))(t), fixture.Must(signature.ParsePublicKey("key.pub", public))(t)
}

// signedBy is a Verifier that wants a signature by a key.
type signedBy struct{ key signature.PublicKey }

func (v signedBy) Verify(ctx context.Context, c oci.Candidate) error {
	return c.Signatures(ctx, func(list []signature.Signature) error {
		_, err := signature.Verify(list, signature.Subject{Digest: c.Digest}, []signature.PublicKey{v.key})
		return err
	})
}

// counted starts a registry that counts requests.
func counted(t *testing.T) (host string, requests *atomic.Int32) {
	t.Helper()
	requests = &atomic.Int32{}
	good := fixture.NewRegistry()
	return fixture.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		good.ServeHTTP(w, r)
	})), requests
}

func pushSample(t *testing.T, host string) (r ref.Reference, digest string) {
	t.Helper()
	r = fixture.Reference(t, "oci://"+host+"/app:1.0.0")
	return r, fixture.Push(t, fixture.Dir(t, fixture.SampleModule()), r)
}

func TestSign(t *testing.T) {
	t.Parallel()
	r, digest := pushSample(t, fixture.Registry(t))
	private, public := newKey(t)
	pull := func(key signature.PublicKey) error {
		dir := t.TempDir()
		_, err := oci.Pull(t.Context(), r, dir, oci.Options{Verifier: signedBy{key}})
		if left := fixture.Tree(t, dir); err != nil && len(left) > 0 {
			t.Errorf("%v, and %q is on disk", err, left)
		}
		return err
	}
	if err := pull(public); !errors.Is(err, signature.ErrUnsigned) {
		t.Errorf("before: error %v, want %v", err, signature.ErrUnsigned)
	}
	for i, want := range []bool{true, false} {
		if added := fixture.Must(oci.Sign(t.Context(), r, digest, private, oci.Options{}))(t); added != want {
			t.Errorf("time %d: added is %v, want %v", i+1, added, want)
		}
	}
	private2, public2 := newKey(t)
	if err := pull(public2); !errors.Is(err, signature.ErrUntrusted) {
		t.Errorf("other key: error %v, want %v", err, signature.ErrUntrusted)
	}
	if added := fixture.Must(oci.Sign(t.Context(), r, digest, private2, oci.Options{}))(t); !added {
		t.Error("another key: not added")
	}
	for _, key := range []signature.PublicKey{public, public2} {
		if err := pull(key); err != nil {
			t.Error(err)
		}
	}
	// They are not versions.
	if tags := fixture.Must(oci.List(t.Context(), r, oci.ListOptions{}))(t); len(tags) != 1 {
		t.Errorf("tags %v, want 1.0.0 alone", tags)
	}
}

// A signature for one artifact is put where another one's is looked for.
func TestSignatureOfAnother(t *testing.T) {
	t.Parallel()
	host := fixture.Registry(t)
	r, _ := pushSample(t, host)
	other := "sha256:" + strings.Repeat("a", 64)
	private, public := newKey(t)
	fixture.Must(oci.Sign(t.Context(), r, other, private, oci.Options{}))(t)
	moved := r
	moved.Tag = strings.Replace(other, ":", "-", 1) + ".sig"
	_, digest := pushSample(t, host)
	fixture.Must(oci.Tag(t.Context(), moved, []string{strings.Replace(digest, ":", "-", 1) + ".sig"}, oci.Options{}))(t)
	_, err := oci.Pull(t.Context(), r, t.TempDir(), oci.Options{Verifier: signedBy{public}})
	if !errors.Is(err, signature.ErrUntrusted) || !strings.Contains(err.Error(), "another artifact") {
		t.Errorf("error %v, want %v of another artifact", err, signature.ErrUntrusted)
	}
}

// What is cached, its signatures included, needs no request.
func TestSignatureCache(t *testing.T) {
	t.Parallel()
	host, requests := counted(t)
	r, digest := pushSample(t, host)
	private, public := newKey(t)
	fixture.Must(oci.Sign(t.Context(), r, digest, private, oci.Options{}))(t)
	o := oci.Options{Cache: cache.Cache{Dir: t.TempDir()}, Verifier: signedBy{public}}
	pull := func(r ref.Reference, o oci.Options) (int32, error) {
		before := requests.Load()
		_, err := oci.Pull(t.Context(), r, t.TempDir(), o)
		return requests.Load() - before, err
	}
	if _, err := pull(r, o); err != nil {
		t.Fatal(err)
	}
	if n, err := pull(r, o); n != 1 || err != nil {
		t.Errorf("by version: %d requests, %v, want 1", n, err)
	}
	pinned := r
	pinned.Digest = digest
	if n, err := pull(pinned, o); n != 0 || err != nil {
		t.Errorf("by digest: %d requests, %v, want none", n, err)
	}
	offline := o
	offline.Offline = true
	if n, err := pull(r, offline); n != 0 || err != nil {
		t.Errorf("offline: %d requests, %v, want none", n, err)
	}
	// A key that is no longer trusted makes what is in the cache worthless.
	private, offline.Verifier = private2(t, &o)
	if _, err := pull(pinned, offline); !errors.Is(err, signature.ErrUntrusted) {
		t.Errorf("another key, offline: error %v, want %v", err, signature.ErrUntrusted)
	}
	if _, err := pull(pinned, o); !errors.Is(err, signature.ErrUntrusted) {
		t.Errorf("another key: error %v, want %v", err, signature.ErrUntrusted)
	}
	// A new signature is found, although others are cached.
	fixture.Must(oci.Sign(t.Context(), r, digest, private, oci.Options{}))(t)
	if _, err := pull(pinned, o); err != nil {
		t.Error(err)
	}
	// The cache is not trusted: a changed file in it does not count.
	for _, file := range fixture.Tree(t, o.Cache.Dir) {
		if name := o.Cache.Dir + "/" + file; strings.HasPrefix(file, "blobs/") && !strings.HasSuffix(file, "/") {
			if data := fixture.Must(os.ReadFile(name))(t); strings.Contains(string(data), `"critical"`) {
				fixture.Write(t, name, strings.ReplaceAll(string(data), "app", "opp"))
			}
		}
	}
	if n, err := pull(pinned, o); n == 0 || err != nil {
		t.Errorf("changed cache: %d requests, %v, want some", n, err)
	}
}

// private2 gives options another key, and returns it.
func private2(t *testing.T, o *oci.Options) (privatekey.Key, oci.Verifier) {
	t.Helper()
	private, public := newKey(t)
	o.Verifier = signedBy{public}
	return private, o.Verifier
}

// Offline, what is not cached is refused, whether it is signed or not.
func TestSignatureOffline(t *testing.T) {
	t.Parallel()
	r, digest := pushSample(t, fixture.Registry(t))
	o := oci.Options{Cache: cache.Cache{Dir: t.TempDir()}}
	fixture.Must(oci.Pull(t.Context(), r, t.TempDir(), o))(t)
	private, public := newKey(t)
	fixture.Must(oci.Sign(t.Context(), r, digest, private, oci.Options{}))(t)
	o.Offline, o.Verifier = true, signedBy{public}
	_, err := oci.Pull(t.Context(), r, t.TempDir(), o)
	if !errors.Is(err, oci.ErrOffline) {
		t.Errorf("error %v, want %v", err, oci.ErrOffline)
	}
}

// seen is a Verifier that notes what it is shown and lets nothing through.
type seen struct{ list []signature.Signature }

func (v *seen) Verify(ctx context.Context, c oci.Candidate) error {
	return c.Signatures(ctx, func(list []signature.Signature) error {
		v.list = list
		return signature.ErrUnsigned
	})
}

// TestSignatureFormats reads what other tools have put into a registry.
func TestSignatureFormats(t *testing.T) {
	t.Parallel()
	const bundle = "application/vnd.dev.sigstore.bundle.v0.3+json"
	vendor, content := plainLayers(t)
	for name, test := range map[string]struct {
		put  func(t *testing.T, f *fake, digest string)
		want int
		text string
	}{
		"none": {put: func(*testing.T, *fake, string) {}},
		"without a key": {want: 1, put: func(t *testing.T, f *fake, digest string) {
			t.Helper()
			f.sign(t, digest, layerOf(f, "application/vnd.dev.cosign.simplesigning.v1+json", "{}"))
		}},
		"layers of other types": {put: func(t *testing.T, f *fake, digest string) {
			t.Helper()
			f.sign(t, digest, layerOf(f, "text/plain", "{}"))
		}},
		"too many": {want: 64, put: func(t *testing.T, f *fake, digest string) {
			t.Helper()
			var layers []v1.Descriptor
			for range 100 {
				layers = append(layers, layerOf(f, "application/vnd.dev.cosign.simplesigning.v1+json", "{}"))
			}
			f.sign(t, digest, layers...)
		}},
		"too large": {put: func(t *testing.T, f *fake, digest string) {
			t.Helper()
			f.sign(t, digest, layerOf(f, "application/vnd.dev.cosign.simplesigning.v1+json", strings.Repeat("x", 2<<20)))
		}},
		"bundle": {want: 1, put: func(t *testing.T, f *fake, digest string) {
			t.Helper()
			f.refer(t, digest, bundle, f.manifest(t, layerOf(f, bundle, `{"a":1}`)))
		}},
		"other referrers": {put: func(t *testing.T, f *fake, digest string) {
			t.Helper()
			f.refer(t, digest, "application/spdx+json", f.manifest(t, layerOf(f, "application/spdx+json", "{}")))
		}},
		"bundle is gone": {text: "not found", put: func(t *testing.T, f *fake, digest string) {
			t.Helper()
			f.refer(t, digest, bundle, "sha256:"+strings.Repeat("a", 64))
		}},
		"list cannot be read": {text: "cannot be read", put: func(_ *testing.T, f *fake, digest string) {
			f.tag(strings.Replace(digest, ":", "-", 1), []byte("x"), types.OCIImageIndex)
		}},
		"manifest is of another type": {text: "not a module", put: func(_ *testing.T, f *fake, digest string) {
			f.tag(strings.Replace(digest, ":", "-", 1)+".sig", []byte("{}"), types.DockerManifestSchema2)
		}},
		"payload lies about its digest": {text: "digest mismatch", put: func(t *testing.T, f *fake, digest string) {
			t.Helper()
			layer := layerOf(f, "application/vnd.dev.cosign.simplesigning.v1+json", "[1]")
			f.answers["blobs/"+layer.Digest.String()] = answer{body: []byte("[2]")}
			f.sign(t, digest, layer)
		}},
		"registry fails": {text: "access denied", put: func(_ *testing.T, f *fake, digest string) {
			f.answers["manifests/"+strings.Replace(digest, ":", "-", 1)+".sig"] = answer{status: http.StatusForbidden}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, vendor, content, nil)
			test.put(t, f, digestOf(f.answers["manifests/1.0.0"].body))
			v := &seen{}
			_, err := oci.Pull(t.Context(), fixture.Reference(t, "oci://"+fixture.Serve(t, f)+"/app:1.0.0"), t.TempDir(), oci.Options{Verifier: v})
			if len(v.list) != test.want {
				t.Errorf("%d signatures, want %d", len(v.list), test.want)
			}
			if test.text == "" && !errors.Is(err, signature.ErrUnsigned) || err == nil || !strings.Contains(err.Error(), test.text) {
				t.Errorf("error %v, want one with %q", err, test.text)
			}
		})
	}
}

func layerOf(f *fake, mediaType, data string) v1.Descriptor {
	return v1.Descriptor{MediaType: types.MediaType(mediaType), Size: int64(len(data)), Digest: f.blob([]byte(data))}
}

// manifest adds an image with these layers, and returns its digest.
func (f *fake) manifest(t *testing.T, layers ...v1.Descriptor) string {
	t.Helper()
	return f.tag("x", fixture.Must(json.Marshal(v1.Manifest{
		SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Layers: layers,
		Config: v1.Descriptor{MediaType: types.OCIConfigJSON, Size: 2, Digest: f.blob([]byte("{}"))},
	}))(t), types.OCIManifestSchema1)
}

// sign adds signatures of an artifact.
func (f *fake) sign(t *testing.T, digest string, layers ...v1.Descriptor) {
	t.Helper()
	f.answers["manifests/"+strings.Replace(digest, ":", "-", 1)+".sig"] = f.answers["manifests/"+f.manifest(t, layers...)]
}

// refer makes one artifact refer to another, as the tag of registries that
// know no referrers has it.
func (f *fake) refer(t *testing.T, digest, artifactType, from string) {
	t.Helper()
	f.tag(strings.Replace(digest, ":", "-", 1), fixture.Must(json.Marshal(v1.IndexManifest{
		SchemaVersion: 2, MediaType: types.OCIImageIndex,
		Manifests: []v1.Descriptor{{MediaType: types.OCIManifestSchema1, ArtifactType: artifactType, Digest: fixture.Must(v1.NewHash(from))(t), Size: 1}},
	}))(t), types.OCIImageIndex)
}
