// SPDX-License-Identifier: Apache-2.0

package ref_test

import (
	"cmp"
	"runtime"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
)

var digest = "sha256:" + strings.Repeat("ab", 32)

// A directory on a drive of Windows, elsewhere one that is named so. 'make
// test-interop' runs this on Windows, too.
func TestParseDrive(t *testing.T) {
	t.Parallel()
	want := map[string]string{"windows": "C:/modules/app"}[runtime.GOOS]
	got, err := ref.Parse("file:///C:/modules/app")
	if err != nil || got.Dir != cmp.Or(want, "/C:/modules/app") {
		t.Errorf("directory %q, %v", got.Dir, err)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]struct{ source, tag, digest, dir, err string }{
		"./module":                       {source: "./module", dir: "./module"},
		"module":                         {source: "module", dir: "module"},
		`C:\modules\app`:                 {source: `C:\modules\app`, dir: `C:\modules\app`},
		"file://./module":                {source: "file://./module", dir: "./module"},
		"file:///srv/module":             {source: "file:///srv/module", dir: "/srv/module"},
		"oci://reg.example.com/a/b":      {source: "oci://reg.example.com/a/b"},
		"oci://localhost:5000/app:1.2.":  {source: "oci://localhost:5000/app", tag: "1.2."},
		"oci://[::1]:5000/app:1":         {source: "oci://[::1]:5000/app", tag: "1"},
		"oci://r/a_b/c__d/e-f@" + digest: {source: "oci://r/a_b/c__d/e-f", digest: digest},
		"oci://r/app:1.0.0@" + digest:    {source: "oci://r/app", tag: "1.0.0", digest: digest},
		"":                               {err: "is empty"},
		"file://":                        {err: "names no directory"},
		"https://example.com/m":          {err: "unknown scheme"},
		"oci://u:secret@h:5000/app":      {err: `module "oci://…@h:5000/app" holds credentials`},
		"oci://u:sec/ret@h/app":          {err: `module "oci://…@h/app" holds credentials`},
		"https://u:secret@h":             {err: `module "https://…@h" holds credentials`},
		"oci://r/app@1.2.3":              {err: "is not a digest"},
		"oci://r@sha256:1":               {err: "is not a digest"},
		"oci://":                         {err: "not a registry host"},
		"oci://host":                     {err: "not a repository path"},
		"oci://host/UPPER":               {err: "not a repository path"},
		"oci://host/app:":                {err: "not a tag"},
		"oci://host/app:a b":             {err: "not a tag"},
		"oci://host/app@sha256:12":       {err: "not a digest"},
		"oci://host/../app":              {err: "not a repository path"},
		"oci://-h/app":                   {err: "not a registry host"},
	} {
		t.Run(in, func(t *testing.T) {
			t.Parallel()
			got, err := ref.Parse(in)
			if want.err != "" {
				if err == nil || !strings.Contains(err.Error(), want.err) {
					t.Fatalf("Parse(%q) error %v, want one with %q", in, err, want.err)
				}
				if fail.CodeOf(err) != fail.Usage {
					t.Errorf("exit code %d, want usage", fail.CodeOf(err))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.Source() != want.source || got.Tag != want.tag || got.Digest != want.digest || got.Dir != want.dir {
				t.Errorf("Parse(%q) = %+v, want %+v", in, got, want)
			}
			if got.String() != in {
				t.Errorf("String() = %q, want what was parsed, %q", got.String(), in)
			}
		})
	}
}

func TestSelect(t *testing.T) {
	t.Parallel()
	other := "sha256:" + strings.Repeat("cd", 32)
	for name, tc := range map[string]struct{ in, version, digest, want, err string }{
		"nothing":             {in: "oci://r/app", want: "oci://r/app"},
		"version":             {in: "oci://r/app", version: "1.0.0", want: "oci://r/app:1.0.0"},
		"latest":              {in: "oci://r/app", version: "latest", want: "oci://r/app:latest"},
		"both":                {in: "oci://r/app", version: "1.0.0", digest: digest, want: "oci://r/app:1.0.0@" + digest},
		"the same again":      {in: "oci://r/app:1.0.0", version: "1.0.0", want: "oci://r/app:1.0.0"},
		"another version":     {in: "oci://r/app:1.0.0", version: "1.0.1", err: `names version "1.0.0"`},
		"another digest":      {in: "oci://r/app@" + digest, digest: other, err: "names digest"},
		"not a digest":        {in: "oci://r/app", digest: "md5:1", err: "not a digest"},
		"not a version":       {in: "oci://r/app", version: "1.0", err: "not a semantic version such as 1.2.3 or 1.2.3-rc.1: it takes three numbers"},
		"a leading zero":      {in: "oci://r/app", version: "01.0.0", err: "no number begins with 0"},
		"zero in pre-release": {in: "oci://r/app", version: "1.0.0-01", err: "no number begins with 0"},
		"bad pre-release":     {in: "oci://r/app", version: "1.0.0-ä", err: "a pre-release is letters, digits and -"},
		"letters":             {in: "oci://r/app", version: "1.0.a", err: "the three parts are numbers"},
		"not a range":         {in: "oci://r/app", version: ">=a", err: "is not a range of versions"},
		"range and a tag":     {in: "oci://r/app:1.0.0", version: ">=1", err: "no range to choose from"},
		"range of a folder":   {in: "./app", version: ">=1", err: "is a directory"},
		"prefix":              {in: "oci://r/app", version: "v1.0.0", err: "leave out the prefix"},
		"metadata":            {in: "oci://r/app", version: "1.0.0+b1", err: "build metadata"},
		"version of a folder": {in: "./app", version: "1.0.0", err: "is a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := ref.Parse(tc.in)
			if err != nil {
				t.Fatal(err)
			}
			got, err := r.Select(tc.version, tc.digest)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Fatalf("error %v, want one with %q", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != tc.want {
				t.Errorf("Select = %q, want %q", got, tc.want)
			}
		})
	}
}

// TestCheckContent compares a version, a range and a digest with those of an archive.
func TestCheckContent(t *testing.T) {
	t.Parallel()
	other := "sha256:" + strings.Repeat("cd", 32)
	for name, tc := range map[string]struct{ version, digest, err string }{
		"nothing":         {},
		"version":         {version: "1.0.0"},
		"range":           {version: ">=1 <2"},
		"digest":          {digest: digest},
		"both":            {version: "1.0.0", digest: digest},
		"another version": {version: "2.0.0", err: `holds version "1.0.0", but "2.0.0" is asked for`},
		"another range":   {version: ">=2", err: `holds version "1.0.0", but ">=2" is asked for`},
		"another digest":  {version: "1.0.0", digest: other, err: "has the digest " + digest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := ref.Parse("./app.tar")
			if err != nil {
				t.Fatal(err)
			}
			if r, err = r.Select(tc.version, tc.digest); err != nil {
				t.Fatal(err)
			}
			err = r.CheckContent("1.0.0", digest)
			if tc.err == "" && err != nil || tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)) {
				t.Errorf("got %v, want %q", err, tc.err)
			}
		})
	}
}

func TestSelectRange(t *testing.T) {
	t.Parallel()
	for _, within := range []string{">=1.2 <2", "1.x", "~1.2", "^1", "*", "1.2.3 || 2.x"} {
		r, err := ref.Parse("oci://r/app")
		if err != nil {
			t.Fatal(err)
		}
		if r, err = r.Select(within, ""); err != nil || r.Range != within || r.Tag != "" {
			t.Errorf("Select(%q) = %+v, %v", within, r, err)
		}
	}
}

// FuzzParse holds that a reference that parses prints as something that parses
// to the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"./m", "file://m", "oci://h/p:t@" + digest, "oci://[::1]:5/p"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ref.Parse(s)
		if err != nil {
			return
		}
		again, err := ref.Parse(r.String())
		if err != nil || again != r && again.String() != r.String() {
			t.Errorf("Parse(%q) = %+v, prints as %q, which parses to %+v (%v)", s, r, r.String(), again, err)
		}
	})
}

func TestParseRanged(t *testing.T) {
	t.Parallel()
	digest := "sha256:" + strings.Repeat("a", 64)
	for text, want := range map[string]string{
		"oci://host:5000/app":            "host:5000/app|||",
		"oci://host:5000/app:1.0.0":      "host:5000/app|1.0.0||",
		"oci://host/app:latest":          "host/app|latest||",
		"oci://host/app:>=1.0.0 <2":      "host/app||>=1.0.0 <2|",
		"oci://host/app:1.x":             "host/app||1.x|",
		"oci://host/app:1.0.0@" + digest: "host/app|1.0.0||" + digest,
		"oci://host/app:^1@" + digest:    "host/app||^1|" + digest,
		"oci://host/app:>=one":           `module "oci://host/app": ">=one" is not a range of versions such as '>=1.2 <2'`,
		"oci://host/App:>=1":             `module "oci://host/App": "App" is not a repository path (lower case letters, digits and ._-/)`,
		"oci://user:secret@host/app:>=1": "secret",
		"oci://:>=1":                     "is not",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			r, err := ref.ParseRanged(text)
			got := strings.Join([]string{r.Repository, r.Tag, r.Range, r.Digest}, "|")
			switch {
			case want == "secret":
				if err == nil || strings.Contains(err.Error(), want) {
					t.Errorf("error %v", err)
				}
			case err != nil:
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %s", err, want)
				}
			case got != want:
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}
