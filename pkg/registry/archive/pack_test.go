// SPDX-License-Identifier: Apache-2.0

package archive_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
	"github.com/kubectl-timoni/kubectl-timoni/test/golden"
)

func TestPackGolden(t *testing.T) {
	t.Parallel()
	dir := fixture.Dir(t, fixture.SampleModule())
	image, err := archive.Pack(dir, archive.PackOptions{Annotations: map[string]string{archive.AnnotationVersion: "1.2.3"}})
	if err != nil {
		t.Fatal(err)
	}
	golden.File(t, filepath.Join("testdata", "pack.golden"), []byte(describe(t, image)))
}

// describe prints all that is fixed by the format.
func describe(t *testing.T, image v1.Image) string {
	t.Helper()
	var out strings.Builder
	manifest := fixture.Must(image.RawManifest())(t)
	fmt.Fprintf(&out, "manifest %s\n%s\n", fixture.Must(image.Digest())(t), manifest)
	config := fixture.Must(image.RawConfigFile())(t)
	fmt.Fprintf(&out, "config %d bytes\n%s\n", len(config), config)
	for _, layer := range fixture.Must(image.Layers())(t) {
		compressed := fixture.Must(io.ReadAll(fixture.Must(layer.Compressed())(t)))(t)
		archive := fixture.Must(io.ReadAll(fixture.Must(gzip.NewReader(bytes.NewReader(compressed)))(t)))(t)
		fmt.Fprintf(&out, "layer compressed sha256:%x uncompressed sha256:%x\n", sha256.Sum256(compressed), sha256.Sum256(archive))
		for reader := tar.NewReader(bytes.NewReader(archive)); ; {
			h, err := reader.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&out, "  %c %04o %d:%d %q:%q %d %d %s\n", h.Typeflag, h.Mode, h.Uid, h.Gid, h.Uname, h.Gname, h.ModTime.Unix(), h.Size, h.Name)
		}
	}
	return out.String()
}

// TestPackSame packs the same content from a disk that says other things of it.
func TestPackSame(t *testing.T) {
	t.Parallel()
	one, other := fixture.Dir(t, fixture.SampleModule()), fixture.Dir(t, fixture.SampleModule())
	err := filepath.Walk(other, func(name string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		return errors.Join(os.Chmod(name, 0o700), os.Chtimes(name, time.Unix(1e9, 5), time.Unix(1e9, 5)))
	})
	if err != nil {
		t.Fatal(err)
	}
	var digests []v1.Hash
	for _, dir := range []string{one, other} {
		digests = append(digests, fixture.Must(fixture.Must(archive.Pack(dir, archive.PackOptions{}))(t).Digest())(t))
	}
	if digests[0] != digests[1] {
		t.Errorf("digests differ: %s", digests)
	}
}

// TestPackConfig compares the config blob with what the library makes of an
// empty image, which is how the reference makes it.
func TestPackConfig(t *testing.T) {
	t.Parallel()
	image := fixture.Must(archive.Pack(fixture.Dir(t, fixture.SampleModule()), archive.PackOptions{}))(t)
	want := fixture.Must(json.Marshal(v1.ConfigFile{RootFS: v1.RootFS{Type: "layers"}}))(t)
	if diff := cmp.Diff(string(want), string(fixture.Must(image.RawConfigFile())(t))); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
}

func TestPackSymlinks(t *testing.T) {
	t.Parallel()
	shared := fixture.Dir(t, map[string]string{"k8s.io/types.cue": "package types\n"})
	dir := fixture.Dir(t, map[string]string{"cue.mod/module.cue": "x\n"})
	gen := filepath.Join(dir, "cue.mod", "gen")
	if err := os.Symlink(shared, gen); err != nil {
		t.Fatal(err)
	}
	_, err := archive.Pack(dir, archive.PackOptions{})
	fixture.WantError(t, err, `"cue.mod/gen" is a symbolic link`)
	if diff := cmp.Diff([]string{`pack what it points to with --resolve-symlinks, or list it in timoni.ignore`}, fail.HintsOf(advised(err))); diff != "" {
		t.Errorf("hints (-want +got):\n%s", diff)
	}
	linked := fixture.Must(fixture.Must(archive.Pack(dir, archive.PackOptions{ResolveSymlinks: true}))(t).Digest())(t)

	if err = errors.Join(os.Remove(gen), os.CopyFS(gen, os.DirFS(shared))); err != nil {
		t.Fatal(err)
	}
	copied := fixture.Must(fixture.Must(archive.Pack(dir, archive.PackOptions{}))(t).Digest())(t)
	if linked != copied {
		t.Errorf("packed through a link %s, packed from a copy %s", linked, copied)
	}

	if err = os.Symlink(dir, filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	_, err = archive.Pack(dir, archive.PackOptions{ResolveSymlinks: true})
	fixture.WantError(t, err, `"loop" is a symbolic link to a directory that contains it`)
}

func TestPackErrors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		files  map[string]string
		limits archive.Limits
		is     error
		text   string
	}{
		"no module":     {map[string]string{"values.cue": ""}, archive.Limits{}, archive.ErrNotModule, "it has no cue.mod/module.cue"},
		"a bad pattern": {map[string]string{"timoni.ignore": "a\n\xff\n"}, archive.Limits{}, nil, "timoni.ignore: line 2"},
		"many files":    {map[string]string{"a/b": "", "c": ""}, archive.Limits{Files: 4}, archive.ErrTooLarge, `more than 4 files and directories, the next is "c"`},
		"a large file":  {map[string]string{"a": "12345"}, archive.Limits{File: 4}, archive.ErrTooLarge, `file "a" has 5 bytes, more than 4`},
		"much in all":   {map[string]string{"a": "123", "b": "45"}, archive.Limits{Total: 4}, archive.ErrTooLarge, `the next is "b"`},
		"a large layer": {map[string]string{"a": ""}, archive.Limits{Blob: 10}, archive.ErrTooLarge, "more than the allowed 10"},
		"a deep path":   {map[string]string{strings.Repeat("123456789/", 103) + "x": ""}, archive.Limits{}, archive.ErrUnsafe, "more than 1024 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := fixture.Dir(t, test.files)
			if name != "no module" {
				fixture.Write(t, filepath.Join(dir, "cue.mod", "module.cue"), "")
			}
			_, err := archive.Pack(dir, archive.PackOptions{Limits: test.limits})
			fixture.WantError(t, err, test.text)
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("error %q does not wrap %q", err, test.is)
			}
		})
	}
}
