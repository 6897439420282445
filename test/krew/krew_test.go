// SPDX-License-Identifier: Apache-2.0

package krew_test

import (
	"archive/tar"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/test/golden"
	"github.com/kubectl-timoni/kubectl-timoni/test/krew"
)

func linux() krew.Target { return krew.Target{OS: "linux", Arch: "amd64"} }

// TestManifestIsCurrent compares the committed manifest with the generated
// one. UPDATE=1 rewrites it.
func TestManifestIsCurrent(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	binaries, err := krew.Binaries(root)
	if err != nil {
		t.Fatal(err)
	}
	p, err := krew.Manifest(binaries, "")
	if err != nil {
		t.Fatal(err)
	}
	if err = krew.Validate(p); err != nil {
		t.Errorf("krew would refuse the manifest: %v", err)
	}
	manifest, err := krew.Render(p)
	if err != nil {
		t.Fatal(err)
	}
	golden.File(t, filepath.Join(root, "krew-manifests", "timoni.yaml"), manifest)
}

func TestInstall(t *testing.T) {
	t.Parallel()
	archive, p := pack(t, "one")
	root := t.TempDir()
	link, err := krew.Install(p, linux(), archive, root)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(root, "bin", "kubectl-timoni"); link != want {
		t.Errorf("link %s, want %s", link, want)
	}
	target, err := os.Readlink(link)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join("..", "store", "timoni", krew.Version, "kubectl-timoni"); target != want {
		t.Errorf("the link leads to %s, want %s", target, want)
	}
	want := map[string]string{
		"bin/kubectl-timoni":                               "one kubectl-timoni",
		"store/timoni/" + krew.Version + "/LICENSE":        "licence",
		"store/timoni/" + krew.Version + "/kubectl-timoni": "one kubectl-timoni",
		"store/timoni/" + krew.Version + "/timoni-krm":     "one timoni-krm",
	}
	got := read(t, root)
	if receipt := got["receipts/timoni.yaml"]; !strings.Contains(receipt, "name: detached") {
		t.Errorf("the receipt names no source:\n%s", receipt)
	}
	delete(got, "receipts/timoni.yaml")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestInstallReplaces(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, content := range []string{"one", "two"} {
		archive, p := pack(t, content)
		if _, err := krew.Install(p, linux(), archive, root); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, root)["bin/kubectl-timoni"]; got != "two kubectl-timoni" {
		t.Errorf("got %q", got)
	}
}

func TestInstallRefuses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(t *testing.T, p *krew.Plugin, archive, root string)
		want   string
	}{
		"an archive with another checksum": {func(_ *testing.T, p *krew.Plugin, _, _ string) {
			p.Spec.Platforms[0].Sha256 = strings.Repeat("0", 64)
		}, "the manifest wants 000"},
		"a platform that is not offered": {func(_ *testing.T, p *krew.Plugin, _, _ string) {
			p.Spec.Platforms = p.Spec.Platforms[1:]
		}, "not offered for linux/amd64"},
		"a file in place of the link": {func(t *testing.T, _ *krew.Plugin, _, root string) {
			t.Helper()
			write(t, filepath.Join(root, "bin", "kubectl-timoni"), "mine")
		}, "it is not a link"},
		"a manifest that krew refuses": {func(_ *testing.T, p *krew.Plugin, _, _ string) {
			p.Spec.ShortDescription = strings.Repeat("x", 51)
		}, "shortDescription"},
		"a binary that is not in the archive": {func(_ *testing.T, p *krew.Plugin, _, _ string) {
			p.Spec.Platforms[0].Bin = "other"
		}, `bin "other" is not one of the files`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			archive, p := pack(t, "one")
			root := t.TempDir()
			tc.change(t, &p, archive, root)
			_, err := krew.Install(p, linux(), archive, root)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

// TestInstallTakesPlainFilesOnly gives it archives that krew does not unpack.
func TestInstallTakesPlainFilesOnly(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		entry tar.Header
		want  string
	}{
		"a link":      {tar.Header{Typeflag: tar.TypeSymlink, Name: "timoni-krm", Linkname: "kubectl-timoni"}, "not a plain file"},
		"a way out":   {tar.Header{Typeflag: tar.TypeReg, Name: "../x"}, "leads out"},
		"an absolute": {tar.Header{Typeflag: tar.TypeReg, Name: "/x"}, "leads out"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			archive := filepath.Join(t.TempDir(), "a.tar.gz")
			writeArchive(t, archive, tc.entry)
			p, err := krew.LocalManifest([]string{"kubectl-timoni"}, archive, linux())
			if err != nil {
				t.Fatal(err)
			}
			_, err = krew.Install(p, linux(), archive, t.TempDir())
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestRelease(t *testing.T) {
	t.Parallel()
	dist := t.TempDir()
	if _, err := krew.Manifest([]string{"kubectl-timoni"}, dist); err == nil || !strings.Contains(err.Error(), "pack it first") {
		t.Errorf("without archives: %v", err)
	}
	for _, target := range krew.Targets() {
		write(t, filepath.Join(dist, target.Archive()), target.OS)
	}
	p, err := krew.Manifest([]string{"kubectl-timoni"}, dist)
	if err != nil {
		t.Fatal(err)
	}
	out, err := krew.Render(p)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(out), "A template") || strings.Contains(string(out), strings.Repeat("0", 64)) {
		t.Errorf("the manifest of a release is still a template:\n%s", out)
	}
}

// TestPackIsReproducible packs the same files, of another age, twice.
func TestPackIsReproducible(t *testing.T) {
	t.Parallel()
	one, _ := pack(t, "one")
	two, _ := pack(t, "one")
	if diff := cmp.Diff(read(t, filepath.Dir(one)), read(t, filepath.Dir(two))); diff != "" {
		t.Error(diff)
	}
}

// pack returns an archive of two binaries and the manifest for it.
func pack(t *testing.T, content string) (string, krew.Plugin) {
	t.Helper()
	dir := t.TempDir()
	binaries := []string{"kubectl-timoni", "timoni-krm"}
	write(t, filepath.Join(dir, "LICENSE"), "licence")
	for _, name := range binaries {
		write(t, filepath.Join(dir, "bin", name), content+" "+name)
	}
	archive, err := krew.Pack(dir, filepath.Join(dir, "bin"), filepath.Join(dir, "dist"), linux(), binaries)
	if err != nil {
		t.Fatal(err)
	}
	p, err := krew.LocalManifest(binaries, archive, linux())
	if err != nil {
		t.Fatal(err)
	}
	return archive, p
}

func writeArchive(t *testing.T, path string, entry tar.Header) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	zip := gzip.NewWriter(file)
	out := tar.NewWriter(zip)
	for _, err := range []error{out.WriteHeader(&entry), out.Close(), zip.Close(), file.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
}

// read returns the content of all files below root, links followed.
func read(t *testing.T, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		files[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
