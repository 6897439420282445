// SPDX-License-Identifier: Apache-2.0

package archive_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// stored is compress for a fuzz target: quick, and as large as the data, so that
// the fuzzer sees what each byte does.
func stored(t *testing.T, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := fixture.Must(gzip.NewWriterLevel(&out, gzip.NoCompression))(t)
	_, err := w.Write(data)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func tenThousandAndOne() []fixture.Entry {
	var entries []fixture.Entry
	for i := range 10_001 {
		entries = append(entries, fixture.FileEntry(fmt.Sprintf("f%05d", i), ""))
	}
	return entries
}

func TestExtractRefuses(t *testing.T) {
	t.Parallel()
	pax, old := fixture.SparseBombs(t)
	small := archive.Limits{File: 100, Total: 150, Files: 5}
	for name, test := range map[string]struct {
		archive []byte
		limits  archive.Limits
		is      error
		text    string
	}{
		"traversal":        {fixture.Archive(t, fixture.FileEntry("ok", "x"), fixture.FileEntry("../../escape", "x")), small, archive.ErrUnsafe, `"../../escape" leads out of the directory`},
		"hidden traversal": {fixture.Archive(t, fixture.FileEntry("a/../../escape", "x")), small, archive.ErrUnsafe, `"a/../../escape" leads out`},
		"absolute path":    {fixture.Archive(t, fixture.FileEntry("/etc/escape", "x")), small, archive.ErrUnsafe, `"/etc/escape" has an absolute path`},
		"Windows path":     {fixture.Archive(t, fixture.FileEntry(`..\escape`, "x")), small, archive.ErrUnsafe, `"..\\escape" is not a portable file name`},
		"a root file":      {fixture.Archive(t, fixture.FileEntry(".", "x")), small, archive.ErrUnsafe, `"." exists already`},
		"symbolic link":    {fixture.Archive(t, fixture.SpecialEntry(tar.TypeSymlink, "link", "/etc")), small, archive.ErrUnsafe, `"link" is a symbolic link`},
		"through a link":   {fixture.Archive(t, fixture.SpecialEntry(tar.TypeSymlink, "d", ".."), fixture.FileEntry("d/escape", "x")), small, archive.ErrUnsafe, `"d" is a symbolic link`},
		"hard link":        {fixture.Archive(t, fixture.SpecialEntry(tar.TypeLink, "link", "/etc/passwd")), small, archive.ErrUnsafe, `"link" is a hard link`},
		"character device": {fixture.Archive(t, fixture.SpecialEntry(tar.TypeChar, "null", "")), small, archive.ErrUnsafe, `"null" is a device`},
		"block device":     {fixture.Archive(t, fixture.SpecialEntry(tar.TypeBlock, "sda", "")), small, archive.ErrUnsafe, `"sda" is a device`},
		"named pipe":       {fixture.Archive(t, fixture.SpecialEntry(tar.TypeFifo, "pipe", "")), small, archive.ErrUnsafe, `"pipe" is a named pipe`},
		"global header":    {fixture.Archive(t, fixture.Entry{Header: tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "x"}}}), small, archive.ErrUnsafe, `of type 'g'`},
		"twice":            {fixture.Archive(t, fixture.FileEntry("a", "x"), fixture.FileEntry("./a", "y")), small, archive.ErrUnsafe, `"a" exists already`},
		"file, then dir":   {fixture.Archive(t, fixture.FileEntry("a", "x"), fixture.FileEntry("a/b", "y")), small, archive.ErrUnsafe, `"a" exists already`},
		"large file":       {fixture.Archive(t, fixture.FileEntry("big", strings.Repeat("x", 101))), small, archive.ErrTooLarge, `"big" has 101 bytes, more than 100`},
		"much in all":      {fixture.Archive(t, fixture.FileEntry("a", strings.Repeat("x", 80)), fixture.FileEntry("b", strings.Repeat("x", 80))), small, archive.ErrTooLarge, `more than 150 bytes in all files, the next is "b"`},
		"deep directories": {fixture.Archive(t, fixture.FileEntry("1/2/3/4/5/6", "")), small, archive.ErrTooLarge, `more than 5 files and directories`},
		"long name":        {fixture.Archive(t, fixture.FileEntry(strings.Repeat("n", 1025), "")), small, archive.ErrUnsafe, "a name of more than 1024 bytes"},
		"10 001 files":     {fixture.Archive(t, tenThousandAndOne()...), archive.Limits{}, archive.ErrTooLarge, `more than 10000 files and directories, the next is "f10000"`},
		"1 kB bomb":        {pax, archive.Limits{}, archive.ErrTooLarge, `"bomb" has 9999999999 bytes`},
		"another bomb":     {old, archive.Limits{}, archive.ErrUnsafe, `"bomb" is of type 'S'`},
		"header bomb":      {fixture.Compress(t, bytes.Repeat(paxHeader(t), 30)), small, archive.ErrTooLarge, "inflates to more than"},
		"not compressed":   {[]byte("plain"), small, nil, "not a gzip file"},
		"not an archive":   {fixture.Compress(t, bytes.Repeat([]byte("x"), 512)), small, nil, "unpack layer"},
		"cut":              {fixture.Archive(t, fixture.FileEntry("a", "x"))[:30], small, nil, "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parent := t.TempDir()
			dir := filepath.Join(parent, "a", "b")
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			err := archive.Extract(t.Context(), dir, test.limits, nil, bytes.NewReader(fixture.Archive(t, fixture.SpecialEntry(tar.TypeDir, ".", ""))), bytes.NewReader(test.archive))
			fixture.WantError(t, err, test.text)
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("error %q does not wrap %q", err, test.is)
			}
			if diff := cmp.Diff([]string{"a/", "a/b/"}, fixture.Tree(t, parent)); diff != "" {
				t.Errorf("on disk (-want +got):\n%s", diff)
			}
		})
	}
}

// paxHeader is a record of 1 kB that describes no file.
func paxHeader(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "x", PAXRecords: map[string]string{"TEST.x": strings.Repeat("x", 900)}})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()[:out.Len()-512]
}

func TestExtract(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	dir := filepath.Join(parent, "new")
	vendor := fixture.Archive(t, fixture.SpecialEntry(tar.TypeDir, ".", ""), fixture.SpecialEntry(tar.TypeDir, "cue.mod", ""), fixture.FileEntry("cue.mod/module.cue", "m"))
	// The forms of other tools: a leading ./ and parents that are not listed.
	rest := fixture.Archive(t, fixture.SpecialEntry(tar.TypeDir, "./", ""), fixture.FileEntry("./timoni.cue", "t"), fixture.FileEntry("templates/deep/x.cue", "x"))
	if err := archive.Extract(t.Context(), dir, archive.Limits{}, nil, bytes.NewReader(vendor), bytes.NewReader(rest)); err != nil {
		t.Fatal(err)
	}
	want := []string{"new/", "new/cue.mod/", "new/cue.mod/module.cue", "new/templates/", "new/templates/deep/", "new/templates/deep/x.cue", "new/timoni.cue"}
	if diff := cmp.Diff(want, fixture.Tree(t, parent)); diff != "" {
		t.Errorf("on disk (-want +got):\n%s", diff)
	}

	err := archive.Extract(t.Context(), dir, archive.Limits{}, nil, bytes.NewReader(vendor))
	fixture.WantError(t, err, "is not empty")
	if diff := cmp.Diff(want, fixture.Tree(t, parent)); diff != "" {
		t.Errorf("after a refusal (-want +got):\n%s", diff)
	}

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("interrupt"))
	err = archive.Extract(ctx, filepath.Join(parent, "other"), archive.Limits{}, nil, bytes.NewReader(vendor))
	fixture.WantError(t, err, "interrupt")
	if diff := cmp.Diff(want, fixture.Tree(t, parent)); diff != "" {
		t.Errorf("after an interrupt (-want +got):\n%s", diff)
	}
}

// FuzzExtract unpacks what it is given and looks for traces outside of the
// directory, for links, and for more than the limits allow.
func FuzzExtract(f *testing.F) {
	for _, entries := range [][]fixture.Entry{
		{fixture.FileEntry("a/b", "x")},
		{fixture.FileEntry("../a", "x")},
		{fixture.SpecialEntry(tar.TypeSymlink, "l", ".."), fixture.FileEntry("l/a", "x")},
		{fixture.SpecialEntry(tar.TypeDir, "d/", ""), fixture.FileEntry("d/e", "x"), fixture.SpecialEntry(tar.TypeLink, "h", "d/e")},
	} {
		data, err := gunzip(fixture.Archive(f, entries...))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	limits := archive.Limits{File: 1000, Total: 2000, Files: 20}
	f.Fuzz(func(t *testing.T, data []byte) {
		parent := t.TempDir()
		dir := filepath.Join(parent, "in")
		err := archive.Extract(t.Context(), dir, limits, nil, bytes.NewReader(stored(t, data)))
		names := fixture.Tree(t, parent)
		if err != nil && len(names) > 0 {
			t.Fatalf("after error %v there is %q", err, names)
		}
		if len(names) > limits.Files+1 {
			t.Errorf("%d files", len(names))
		}
		total := int64(0)
		for _, name := range names {
			info := fixture.Must(os.Lstat(filepath.Join(parent, name)))(t)
			if !strings.HasPrefix(name, "in/") || !info.IsDir() && !info.Mode().IsRegular() {
				t.Errorf("%q is there", name)
			}
			if info.Mode().IsRegular() {
				total += info.Size()
			}
		}
		if total > limits.Total {
			t.Errorf("%d bytes", total)
		}
	})
}

func gunzip(data []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// An artifact is not unpacked through a link, whatever it leads to.
func TestExtractToLink(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	dir := filepath.Join(top, "linked")
	if err := os.Mkdir(filepath.Join(top, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("empty", dir); err != nil {
		t.Skip(err)
	}
	err := archive.Extract(t.Context(), dir, archive.Limits{}, nil, bytes.NewReader(fixture.Archive(t, fixture.FileEntry("a", "a"))))
	if fail.CodeOf(advised(err)) != fail.Refused {
		t.Errorf("error %v", err)
	}
	if entries, err := os.ReadDir(filepath.Join(top, "empty")); err != nil || len(entries) > 0 {
		t.Errorf("there is %v, %v", entries, err)
	}
}
