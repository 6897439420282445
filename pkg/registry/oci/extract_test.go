// SPDX-License-Identifier: Apache-2.0

package oci_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
)

// entry is one of an archive that a test makes by hand.
type entry struct {
	tar.Header
	content string
}

func file(name, content string) entry {
	return entry{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(content))}, content}
}

func special(flag byte, name, link string) entry {
	return entry{tar.Header{Typeflag: flag, Name: name, Linkname: link}, ""}
}

func archive(tb testing.TB, entries ...entry) []byte {
	tb.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		if err := w.WriteHeader(&e.Header); err != nil {
			tb.Fatal(err)
		}
		if _, err := io.WriteString(w, e.content); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return compress(tb, out.Bytes())
}

func compress(tb testing.TB, data []byte) []byte {
	tb.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(data); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// stored is compress for a fuzz target: quick, and as large as the data, so that
// the fuzzer sees what each byte does.
func stored(t *testing.T, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := must(gzip.NewWriterLevel(&out, gzip.NoCompression))(t)
	_, err := w.Write(data)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// block returns a tar header that the library would not write.
func block(flag byte, name, size, sparse string) []byte {
	header := make([]byte, 512)
	copy(header, name)
	copy(header[100:], "0000644\x000000000\x000000000\x00"+size+"\x0000000000000\x00        "+string(flag))
	copy(header[257:], "ustar  \x00")
	copy(header[386:], sparse)
	sum := 0
	for _, b := range header {
		sum += int(b)
	}
	copy(header[148:], fmt.Sprintf("%06o\x00 ", sum))
	return header
}

// The sparse bombs are archives of less than a kilobyte with one file of 10 GB,
// all of it a hole, in the two ways in which GNU tar writes sparse files.
func sparseBombs(t *testing.T) (pax, old []byte) {
	t.Helper()
	records := "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n34 GNU.sparse.realsize=9999999999\n"
	data := make([]byte, 512)
	copy(data, records)
	raw := append(block('x', "x", fmt.Sprintf("%011o", len(records)), ""), data...)
	holes := make([]byte, 512)
	copy(holes, "0\n") // no data
	raw = append(raw, block('0', "bomb", "00000001000", "")...)
	raw = append(raw, holes...)
	end := make([]byte, 1024)
	hole := "00000000000\x0000000000000\x00"
	first := block('S', "bomb", "00000000000", hole+strings.Repeat("\x00", 73)+"112402762000\x00")
	return compress(t, append(raw, end...)), compress(t, append(first, end...))
}

func tenThousandAndOne() []entry {
	var entries []entry
	for i := range 10_001 {
		entries = append(entries, file(fmt.Sprintf("f%05d", i), ""))
	}
	return entries
}

func TestExtractRefuses(t *testing.T) {
	t.Parallel()
	pax, old := sparseBombs(t)
	small := oci.Limits{File: 100, Total: 150, Files: 5}
	for name, test := range map[string]struct {
		archive []byte
		limits  oci.Limits
		is      error
		text    string
	}{
		"traversal":        {archive(t, file("ok", "x"), file("../../escape", "x")), small, oci.ErrUnsafe, `"../../escape" leads out of the directory`},
		"hidden traversal": {archive(t, file("a/../../escape", "x")), small, oci.ErrUnsafe, `"a/../../escape" leads out`},
		"absolute path":    {archive(t, file("/etc/escape", "x")), small, oci.ErrUnsafe, `"/etc/escape" has an absolute path`},
		"Windows path":     {archive(t, file(`..\escape`, "x")), small, oci.ErrUnsafe, `"..\\escape" is not a portable file name`},
		"a root file":      {archive(t, file(".", "x")), small, oci.ErrUnsafe, `"." exists already`},
		"symbolic link":    {archive(t, special(tar.TypeSymlink, "link", "/etc")), small, oci.ErrUnsafe, `"link" is a symbolic link`},
		"through a link":   {archive(t, special(tar.TypeSymlink, "d", ".."), file("d/escape", "x")), small, oci.ErrUnsafe, `"d" is a symbolic link`},
		"hard link":        {archive(t, special(tar.TypeLink, "link", "/etc/passwd")), small, oci.ErrUnsafe, `"link" is a hard link`},
		"character device": {archive(t, special(tar.TypeChar, "null", "")), small, oci.ErrUnsafe, `"null" is a device`},
		"block device":     {archive(t, special(tar.TypeBlock, "sda", "")), small, oci.ErrUnsafe, `"sda" is a device`},
		"named pipe":       {archive(t, special(tar.TypeFifo, "pipe", "")), small, oci.ErrUnsafe, `"pipe" is a named pipe`},
		"global header":    {archive(t, entry{tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "x"}}, ""}), small, oci.ErrUnsafe, `of type 'g'`},
		"twice":            {archive(t, file("a", "x"), file("./a", "y")), small, oci.ErrUnsafe, `"a" exists already`},
		"file, then dir":   {archive(t, file("a", "x"), file("a/b", "y")), small, oci.ErrUnsafe, `"a" exists already`},
		"large file":       {archive(t, file("big", strings.Repeat("x", 101))), small, oci.ErrTooLarge, `"big" has 101 bytes, more than 100`},
		"much in all":      {archive(t, file("a", strings.Repeat("x", 80)), file("b", strings.Repeat("x", 80))), small, oci.ErrTooLarge, `more than 150 bytes in all files, the next is "b"`},
		"deep directories": {archive(t, file("1/2/3/4/5/6", "")), small, oci.ErrTooLarge, `more than 5 files and directories`},
		"long name":        {archive(t, file(strings.Repeat("n", 1025), "")), small, oci.ErrUnsafe, "a name of more than 1024 bytes"},
		"10 001 files":     {archive(t, tenThousandAndOne()...), oci.Limits{}, oci.ErrTooLarge, `more than 10000 files and directories, the next is "f10000"`},
		"1 kB bomb":        {pax, oci.Limits{}, oci.ErrTooLarge, `"bomb" has 9999999999 bytes`},
		"another bomb":     {old, oci.Limits{}, oci.ErrUnsafe, `"bomb" is of type 'S'`},
		"header bomb":      {compress(t, bytes.Repeat(paxHeader(t), 30)), small, oci.ErrTooLarge, "inflates to more than"},
		"not compressed":   {[]byte("plain"), small, nil, "not a gzip file"},
		"not an archive":   {compress(t, bytes.Repeat([]byte("x"), 512)), small, nil, "unpack layer"},
		"cut":              {archive(t, file("a", "x"))[:30], small, nil, "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parent := t.TempDir()
			dir := filepath.Join(parent, "a", "b")
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			err := oci.Extract(t.Context(), dir, test.limits, nil, bytes.NewReader(archive(t, special(tar.TypeDir, ".", ""))), bytes.NewReader(test.archive))
			wantError(t, err, test.text)
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("error %q does not wrap %q", err, test.is)
			}
			if diff := cmp.Diff([]string{"a/", "a/b/"}, tree(t, parent)); diff != "" {
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
	vendor := archive(t, special(tar.TypeDir, ".", ""), special(tar.TypeDir, "cue.mod", ""), file("cue.mod/module.cue", "m"))
	// The forms of other tools: a leading ./ and parents that are not listed.
	rest := archive(t, special(tar.TypeDir, "./", ""), file("./timoni.cue", "t"), file("templates/deep/x.cue", "x"))
	if err := oci.Extract(t.Context(), dir, oci.Limits{}, nil, bytes.NewReader(vendor), bytes.NewReader(rest)); err != nil {
		t.Fatal(err)
	}
	want := []string{"new/", "new/cue.mod/", "new/cue.mod/module.cue", "new/templates/", "new/templates/deep/", "new/templates/deep/x.cue", "new/timoni.cue"}
	if diff := cmp.Diff(want, tree(t, parent)); diff != "" {
		t.Errorf("on disk (-want +got):\n%s", diff)
	}

	err := oci.Extract(t.Context(), dir, oci.Limits{}, nil, bytes.NewReader(vendor))
	wantError(t, err, "is not empty")
	if diff := cmp.Diff(want, tree(t, parent)); diff != "" {
		t.Errorf("after a refusal (-want +got):\n%s", diff)
	}

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("interrupt"))
	err = oci.Extract(ctx, filepath.Join(parent, "other"), oci.Limits{}, nil, bytes.NewReader(vendor))
	wantError(t, err, "interrupt")
	if diff := cmp.Diff(want, tree(t, parent)); diff != "" {
		t.Errorf("after an interrupt (-want +got):\n%s", diff)
	}
}

// tree lists what is in dir; directories end in a slash, and what is neither
// file nor directory in its type.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || name == ".":
			return err
		case d.IsDir():
			name += "/"
		case !d.Type().IsRegular():
			name += " " + d.Type().String()
		}
		names = append(names, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// FuzzExtract unpacks what it is given and looks for traces outside of the
// directory, for links, and for more than the limits allow.
func FuzzExtract(f *testing.F) {
	for _, entries := range [][]entry{
		{file("a/b", "x")},
		{file("../a", "x")},
		{special(tar.TypeSymlink, "l", ".."), file("l/a", "x")},
		{special(tar.TypeDir, "d/", ""), file("d/e", "x"), special(tar.TypeLink, "h", "d/e")},
	} {
		data, err := gunzip(archive(f, entries...))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	limits := oci.Limits{File: 1000, Total: 2000, Files: 20}
	f.Fuzz(func(t *testing.T, data []byte) {
		parent := t.TempDir()
		dir := filepath.Join(parent, "in")
		err := oci.Extract(t.Context(), dir, limits, nil, bytes.NewReader(stored(t, data)))
		names := tree(t, parent)
		if err != nil && len(names) > 0 {
			t.Fatalf("after error %v there is %q", err, names)
		}
		if len(names) > limits.Files+1 {
			t.Errorf("%d files", len(names))
		}
		total := int64(0)
		for _, name := range names {
			info := must(os.Lstat(filepath.Join(parent, name)))(t)
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
	err := oci.Extract(t.Context(), dir, oci.Limits{}, nil, bytes.NewReader(archive(t, file("a", "a"))))
	if codeOf(err) != fail.Refused {
		t.Errorf("error %v", err)
	}
	if entries, err := os.ReadDir(filepath.Join(top, "empty")); err != nil || len(entries) > 0 {
		t.Errorf("there is %v, %v", entries, err)
	}
}
