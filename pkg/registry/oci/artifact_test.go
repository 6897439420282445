// SPDX-License-Identifier: Apache-2.0

package oci_test

import (
	"archive/tar"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// TestArtifact pushes what is no module, in each format, and pulls it again.
func TestArtifact(t *testing.T) {
	t.Parallel()
	host := fixture.Registry(t)
	for format, want := range map[archive.Format][3]string{
		"":                   {archive.MediaTypeConfig, archive.MediaTypeContent, "generic"},
		archive.FormatTimoni: {archive.MediaTypeConfig, archive.MediaTypeContent, "generic"},
		archive.FormatFlux:   {"application/vnd.cncf.flux.config.v1+json", "application/vnd.cncf.flux.content.v1.tar+gzip", ""},
	} {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			fixture.Write(t, filepath.Join(dir, "sub", "a.yaml"), "a: 1\n")
			image := fixture.Must(archive.PackArtifact(dir, archive.ArtifactOptions{Format: format}))(t)
			manifest := fixture.Must(image.Manifest())(t)
			got := [3]string{string(manifest.Config.MediaType), string(manifest.Layers[0].MediaType), manifest.Layers[0].Annotations[archive.AnnotationContentType]}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			r := fixture.Reference(t, "oci://"+host+"/artifact"+string(format)+":1")
			if _, err := oci.Push(t.Context(), image, r, []string{"1"}, false, oci.Options{}); err != nil {
				t.Fatal(err)
			}
			out := filepath.Join(t.TempDir(), "out")
			if _, err := oci.PullArtifact(t.Context(), r, out, "", oci.Options{}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string]string{"sub/a.yaml": "a: 1\n"}, contents(t, out)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := archive.PackContent("a", nil, archive.ArtifactOptions{Format: "zip"}); codeOf(err) != fail.Usage {
		t.Errorf("an unknown format gives %v", err)
	}
}

// TestPullArtifactRefuses is TestPullRefuses for what is no module.
func TestPullArtifactRefuses(t *testing.T) {
	t.Parallel()
	good := fixture.Archive(t, fixture.FileEntry("a", "a"))
	none := func(*v1.Manifest) {}
	for name, test := range map[string]struct {
		layer []byte
		edit  func(*v1.Manifest)
		text  string
	}{
		"a path that leads out":  {fixture.Archive(t, fixture.FileEntry("../a", "a")), none, "leads out of the directory"},
		"an absolute path":       {fixture.Archive(t, fixture.FileEntry("/a", "a")), none, "has an absolute path"},
		"a symbolic link":        {fixture.Archive(t, fixture.SpecialEntry(tar.TypeSymlink, "a", "/etc/passwd")), none, "is a symbolic link"},
		"a hard link":            {fixture.Archive(t, fixture.SpecialEntry(tar.TypeLink, "a", "b")), none, "is a hard link"},
		"a device":               {fixture.Archive(t, fixture.SpecialEntry(tar.TypeChar, "a", "")), none, "is a device"},
		"another config":         {good, func(m *v1.Manifest) { m.Config.MediaType = types.OCIConfigJSON }, "its config has media type"},
		"another layer":          {good, func(m *v1.Manifest) { m.Layers[0].MediaType = types.OCILayer }, "a layer of media type"},
		"an index":               {good, func(m *v1.Manifest) { m.MediaType = types.OCIImageIndex }, "an index of several images"},
		"a layer that lies":      {good, func(m *v1.Manifest) { m.Layers[0].Digest = m.Layers[1].Digest }, "digest mismatch"},
		"a layer that is larger": {good, func(m *v1.Manifest) { m.Layers[0].Size = 1 << 40 }, "too large"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, other := plainLayers(t)
			host := fixture.Serve(t, newFake(t, test.layer, append(other, 0), test.edit))
			dir := filepath.Join(t.TempDir(), "out")
			_, err := oci.PullArtifact(t.Context(), fixture.Reference(t, "oci://"+host+"/app:1.0.0"), dir, archive.ContentVendor, oci.Options{})
			fixture.WantError(t, err, test.text)
			if _, err = os.Stat(dir); err == nil {
				t.Error("something is left on disk")
			}
		})
	}
}

// TestPushTriesAgain pushes through a registry that fails every third request,
// whatever it is.
func TestPushTriesAgain(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			var n atomic.Int64
			inner := fixture.NewRegistry()
			host := fixture.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if n.Add(1)%3 == 0 {
					w.WriteHeader(status)
					return
				}
				inner.ServeHTTP(w, r)
			}))
			r := fixture.Reference(t, "oci://"+host+"/app:1.0.0")
			fixture.Push(t, fixture.Dir(t, fixture.SampleModule()), r)
			if _, err := oci.Pull(t.Context(), r, t.TempDir(), oci.Options{}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestPushExisting is about a tag that the registry has.
func TestPushExisting(t *testing.T) {
	t.Parallel()
	dir, r := fixture.Dir(t, fixture.SampleModule()), fixture.Reference(t, "oci://"+fixture.Registry(t)+"/app:1.0.0")
	push := func(value string, force bool) (oci.Pushed, error) {
		image := fixture.Must(archive.PackModule(dir, "1.0.0", archive.PackOptions{Annotations: map[string]string{"a": value}}))(t)
		return oci.Push(t.Context(), image, r, []string{"1.0.0", ref.Latest}, force, oci.Options{})
	}
	first := fixture.Must(push("1", false))(t)
	again := fixture.Must(push("1", false))(t)
	if first.Unchanged || !again.Unchanged || first.Digest != again.Digest {
		t.Errorf("pushed %+v, then %+v", first, again)
	}
	_, err := push("2", false)
	fixture.WantError(t, err, `tag "1.0.0" exists already with other content, `+first.Digest)
	if codeOf(err) != fail.Refused {
		t.Errorf("exit code %d", codeOf(err))
	}
	if moved := fixture.Must(push("2", true))(t); moved.Unchanged || moved.Digest == first.Digest {
		t.Errorf("forced: %+v", moved)
	}
}

// TestLayout writes an artifact in both forms and reads it again.
func TestLayout(t *testing.T) {
	t.Parallel()
	image := fixture.Must(archive.PackModule(fixture.Dir(t, fixture.SampleModule()), "1.0.0", archive.PackOptions{}))(t)
	want := fixture.Must(image.Digest())(t)
	for _, name := range []string{"app.tar", "app"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), name)
			if err := archive.WriteLayout(file, "1.0.0", image, archive.LayoutByName); err != nil {
				t.Fatal(err)
			}
			read := fixture.Must(archive.ReadLayout(file, archive.Limits{}))(t)
			if got := fixture.Must(read.Digest())(t); got != want {
				t.Errorf("read %s, want %s", got, want)
			}
			if version := fixture.Must(archive.ModuleVersion(read))(t); version != "1.0.0" || !archive.IsArchive(file) {
				t.Errorf("version %q", version)
			}
		})
	}
}

// TestLayoutRefuses is about archives that are not what they seem.
func TestLayoutRefuses(t *testing.T) {
	t.Parallel()
	image := fixture.Must(archive.PackModule(fixture.Dir(t, fixture.SampleModule()), "1.0.0", archive.PackOptions{}))(t)
	for name, test := range map[string]struct {
		change func(dir string)
		text   string
	}{
		"no index":      {func(dir string) { os.Remove(filepath.Join(dir, "index.json")) }, "index.json"},
		"two images":    {func(dir string) { fixture.Write(t, filepath.Join(dir, "index.json"), `{"manifests":[{},{}]}`) }, "2 images instead of one"},
		"a torn index":  {func(dir string) { fixture.Write(t, filepath.Join(dir, "index.json"), "{") }, "index.json"},
		"other content": {func(dir string) { corrupt(t, dir) }, "digest mismatch"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "layout")
			if err := archive.WriteLayout(dir, "1.0.0", image, archive.LayoutByName); err != nil {
				t.Fatal(err)
			}
			test.change(dir)
			_, err := archive.ReadLayout(dir, archive.Limits{})
			fixture.WantError(t, err, test.text)
		})
	}
}

// corrupt changes every blob of a layout.
func corrupt(t *testing.T, dir string) {
	t.Helper()
	blobs := filepath.Join(dir, "blobs", "sha256")
	for name, data := range contents(t, blobs) {
		fixture.Write(t, filepath.Join(blobs, name), data+" ")
	}
}

// TestList shows which tags are listed, and in which order.
func TestList(t *testing.T) {
	t.Parallel()
	r := fixture.Reference(t, "oci://"+fixture.Registry(t)+"/app:1.9.0")
	digest := fixture.Push(t, fixture.Dir(t, fixture.SampleModule()), r)
	tags := []string{"1.10.0", "1.10.0-rc.1", "2.0.0", "v3.0.0", "nightly", "sha256-" + strings.Repeat("a", 64) + ".sig"}
	if tagged := fixture.Must(oci.Tag(t.Context(), r, tags, oci.Options{}))(t); tagged != digest {
		t.Errorf("tagged %s, want %s", tagged, digest)
	}
	for name, test := range map[string]struct {
		o    oci.ListOptions
		want string
	}{
		"tags":     {oci.ListOptions{}, "1.10.0 1.10.0-rc.1 1.9.0 2.0.0 nightly v3.0.0"},
		"versions": {oci.ListOptions{Versions: true}, "2.0.0 1.10.0 1.10.0-rc.1 1.9.0"},
		"limit":    {oci.ListOptions{Versions: true, Limit: 2}, "2.0.0 1.10.0"},
		"range":    {oci.ListOptions{Versions: true, Range: fixture.Must(ref.ParseRange(">=1.9 <2"))(t)}, "1.10.0 1.9.0"},
		"previews": {oci.ListOptions{Versions: true, Range: fixture.Must(ref.ParseRange(">=1.9.0-0 <2"))(t)}, "1.10.0 1.10.0-rc.1 1.9.0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.o.Digests = true
			var names []string
			for _, tagged := range fixture.Must(oci.List(t.Context(), r, test.o))(t) {
				names = append(names, tagged.Tag)
				if tagged.Digest != digest {
					t.Errorf("%s has digest %q", tagged.Tag, tagged.Digest)
				}
			}
			if diff := cmp.Diff(test.want, strings.Join(names, " ")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if got := fixture.Must(oci.Digest(t.Context(), r, oci.Options{}))(t); got != digest {
		t.Errorf("digest %s, want %s", got, digest)
	}
	_, err := oci.Resolve(t.Context(), fixture.Must(fixture.Reference(t, r.Source()).Select(">5", ""))(t), oci.Options{})
	fixture.WantError(t, err, fmt.Sprintf("no version in the range %q: not found", ">5"))
}
