// SPDX-License-Identifier: Apache-2.0

package cuefile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cuelang.org/go/cue"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/cuefile"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// TestNothingLeaves holds that neither an import nor @embed reads a file
// outside the directory, by name or through a link.
func TestNothingLeaves(t *testing.T) {
	t.Parallel()
	dir := fixture.Dir(t, map[string]string{
		"outside/secret.txt":       "TOPSECRET",
		"outside/lib.cue":          "package lib\n\nsecret: \"TOPSECRET\"\n",
		"in/cue.mod/module.cue":    "module: \"example.com/m\"\nlanguage: version: \"v0.9.0\"\n",
		"in/lib/lib.cue":           "package lib\n\nsecret: \"inside\"\n",
		"in/part/part.cue":         "@extern(embed)\n\npackage part\n\nsecret: string @embed(file=link.txt,type=text)\n",
		"in/text.txt":              "inside",
		"other/cue.mod/none":       "",
		"above/cue.mod/module.cue": "module: \"example.com/m\"\nlanguage: version: \"v0.9.0\"\n",
		"above/lib/lib.cue":        "package lib\n\nsecret: \"above\"\n",
		"above/in/none":            "",
	})
	for link, target := range map[string]string{
		"in/linked": "../outside", "in/link.txt": "../outside/secret.txt", "in/near.txt": "text.txt",
		"in/file/lib.cue": "../../outside/lib.cue", "in/near": "lib", "in/part/link.txt": "../../outside/secret.txt",
		"other/cue.mod/module.cue": "../../in/cue.mod/module.cue", "other/lib": "../in/lib",
	} {
		path := filepath.Join(dir, filepath.FromSlash(link))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.Symlink(filepath.FromSlash(target), path)); err != nil {
			t.Skip(err)
		}
	}
	const importing = "import p \"example.com/m/NAME:PKG\"\n\nout: p.secret\n"
	const embedding = "@extern(embed)\n\npackage main\n\nout: string @embed(file=\"NAME\",type=text)\n"
	for name, test := range map[string]struct{ in, text, what, want string }{
		"a package":                       {"in", importing, "lib:lib", ""},
		"a linked one in the directory":   {"in", importing, "near:lib", ""},
		"a linked one outside":            {"in", importing, "linked:lib", "leads outside through a link"},
		"a linked file of a package":      {"in", importing, "file:lib", "leads outside through a link"},
		"what a package embeds":           {"in", importing, "part:part", "link.txt"},
		"a linked module file":            {"other", importing, "lib:lib", "leads outside through a link"},
		"a module above the directory":    {"above/in", importing, "lib:lib", "there is no CUE module around the file"},
		"an embedded file":                {"in", embedding, "text.txt", ""},
		"an embedded link in it":          {"in", embedding, "near.txt", ""},
		"an embedded link outside":        {"in", embedding, "link.txt", "link.txt"},
		"an embedded file of a directory": {"in", embedding, "linked/secret.txt", "secret.txt"},
		"an embedded file above":          {"in", embedding, "../outside/secret.txt", "parent"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, pkg, _ := strings.Cut(test.what, ":")
			text := strings.NewReplacer("NAME", path, "PKG", pkg).Replace(test.text)
			in := filepath.Join(dir, filepath.FromSlash(test.in))
			v, err := cuefile.Evaluate([]cuefile.File{{Name: "a.cue", Path: filepath.Join(in, "a.cue"), Data: []byte(text)}}, cuefile.Options{Within: in})
			if test.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "TOPSECRET") {
				t.Errorf("%v, error %v, want %q", v, err, test.want)
			}
		})
	}
}

// TestImportsOf holds where imports are resolved: in the module around the file,
// or around its working directory, and for an artifact in none above it.
func TestImportsOf(t *testing.T) {
	t.Parallel()
	module := "module: \"example.com/m\"\nlanguage: version: \"v0.9.0\"\n"
	dir := fixture.Dir(t, map[string]string{
		"near/cue.mod/module.cue": module, "near/lib/lib.cue": "package lib\n\ntext: \"near\"\n", "near/artifact/none": "",
		"far/cue.mod/module.cue": module, "far/lib/lib.cue": "package lib\n\ntext: \"far\"\n", "far/below/none": "",
	})
	in := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	for name, test := range map[string]struct {
		file       cuefile.File
		want, text string
	}{
		"around the file":       {file: cuefile.File{Path: in("near/a.cue")}, want: "near"},
		"above it":              {file: cuefile.File{Path: in("near/artifact/a.cue")}, want: "near"},
		"an artifact":           {file: cuefile.File{Path: in("near/artifact/a.cue"), Root: in("near/artifact")}, text: "there is no CUE module around the file"},
		"a working directory":   {file: cuefile.File{Path: in("near/a.cue"), Workdir: in("far/below")}, want: "far"},
		"of an artifact":        {file: cuefile.File{Path: in("near/artifact/a.cue"), Root: in("near/artifact"), Workdir: in("far")}, want: "far"},
		"of the standard input": {file: cuefile.File{Workdir: in("far")}, want: "far"},
		"of nothing":            {file: cuefile.File{}, text: "there is no CUE module around the file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := test.file
			f.Name, f.Data = "a.cue", []byte("import \"example.com/m/lib\"\n\nout: lib.text\n")
			v, err := cuefile.Evaluate([]cuefile.File{f}, cuefile.Options{})
			if test.text != "" {
				if err == nil || !strings.Contains(err.Error(), test.text) {
					t.Errorf("error %v, want one with %q", err, test.text)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := v.LookupPath(cue.ParsePath("out")).String(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
