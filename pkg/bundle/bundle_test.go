// SPDX-License-Identifier: Apache-2.0

package bundle_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/bundle"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/advice/moduleadvice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/cuefile"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
	"github.com/kubectl-timoni/kubectl-timoni/test/golden"
)

// TestRead runs the scripts of testdata/read. The comment of each has a line
// "bundle FILE…", may have lines "runtime NAME VALUE" and "select NAME…".
// "want" is the bundle, or the error.
func TestRead(t *testing.T) {
	t.Parallel()
	golden.Text(t, "testdata/read/*.txtar", read)
}

func read(t *testing.T, archive *txtar.Archive) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range archive.Files {
		fixture.Write(t, filepath.Join(dir, f.Name), f.Data)
	}
	req := bundle.Request{Runtime: bundle.Runtime{}, Within: dir}
	var names []string
	for line := range strings.Lines(string(archive.Comment)) {
		switch words := strings.Fields(line); {
		case len(words) == 0:
		case words[0] == "bundle":
			for _, name := range words[1:] {
				f, err := cuefile.Read(t.Context(), filepath.Join(dir, name))
				if err != nil {
					t.Fatal(err)
				}
				f.Name = name
				req.Files = append(req.Files, f)
			}
		case words[0] == "runtime":
			req.Runtime[words[1]] = words[2]
		case words[0] == "select":
			names = words[1:]
		}
	}
	b, err := bundle.Read(req)
	text := describe(b, names, err)
	for name, value := range req.Runtime {
		if err != nil && len(value) > 1 && strings.Contains(text, value) {
			t.Errorf("the value of %s is in the error:\n%s", name, text)
		}
	}
	return filepath.ToSlash(strings.ReplaceAll(text, dir, "TMP"))
}

func describe(b *bundle.Bundle, names []string, err error) string {
	var instances []bundle.Instance
	if err == nil {
		instances, err = b.Select(names)
	}
	if err != nil {
		text := fmt.Sprintf("error %d: %v\n", fail.CodeOf(err), err)
		for _, hint := range fail.HintsOf(fail.Advise(err, moduleadvice.For)) {
			text += "hint: " + hint + "\n"
		}
		return text
	}
	var text strings.Builder
	fmt.Fprintf(&text, "bundle %s\n", b.Name)
	for _, in := range instances {
		fmt.Fprintf(&text, "\n%s/%s\nmodule %s", in.Namespace, in.Name, in.Module)
		if in.Module.IsLocal() {
			fmt.Fprintf(&text, " in %s", in.Module.Dir)
		}
		fmt.Fprintln(&text)
		for _, o := range in.From {
			fmt.Fprintf(&text, "values from %s%s\n", o.File, o.Object)
		}
		tree, err := values.Merge(in.Values)
		if err != nil {
			return fmt.Sprintf("values: %v\n", err)
		}
		file := &ast.File{}
		tree.Overlay(file)
		out, err := format.Node(file, format.Simplify())
		if err != nil {
			return fmt.Sprintf("values: %v\n", err)
		}
		text.Write(out)
	}
	return text.String()
}

// FuzzRead feeds anything as a bundle file: it must not panic, a bundle has
// instances with names, and no error shows a value of the runtime.
func FuzzRead(f *testing.F) {
	for _, archive := range golden.Scripts(f, "testdata/read/*.txtar") {
		f.Add(archive.Files[0].Data, filepath.Ext(archive.Files[0].Name))
	}
	f.Fuzz(func(t *testing.T, data []byte, extension string) {
		if len(data) > 1<<12 {
			return
		}
		const secret = "runtime-value-that-nothing-else-has"
		b, err := bundle.Read(bundle.Request{
			Files:   []cuefile.File{{Name: "b" + extension, Format: cuefile.FormatOf("b" + extension), Data: data}},
			Runtime: bundle.Runtime{"HOST": secret, "PASSWORD": secret, "REPLICAS": secret},
		})
		switch {
		case err != nil && strings.Contains(err.Error(), secret):
			t.Errorf("the runtime's value is in the error: %v", err)
		case err == nil && (b.Name == "" || len(b.Instances) == 0):
			t.Errorf("bundle %+v", b)
		}
	})
}

// TestReadDefinition runs the scripts of testdata/definition: "runtime" is the
// file, "want" what it says, or the error.
func TestReadDefinition(t *testing.T) {
	t.Parallel()
	golden.Text(t, "testdata/definition/*.txtar", func(_ *testing.T, archive *txtar.Archive) string {
		var files []cuefile.File
		for _, f := range archive.Files {
			if f.Name != "want" {
				files = append(files, cuefile.File{Name: f.Name, Format: cuefile.FormatOf(f.Name), Data: f.Data})
			}
		}
		d, err := bundle.ReadDefinition(files)
		if err != nil {
			return fmt.Sprintf("error %d: %v\n", fail.CodeOf(err), err)
		}
		var text strings.Builder
		fmt.Fprintf(&text, "runtime %s\n", d.Name)
		for _, c := range d.Clusters {
			fmt.Fprintf(&text, "cluster %s in %s, context %s\n", c.Name, c.Group, c.Context)
		}
		for _, q := range d.Queries {
			fmt.Fprintf(&text, "query %s of %s, secret %t, optional %t: %v\n", q, q.APIVersion+"/"+q.Kind, q.IsSecret(), q.Optional, q.Values)
		}
		return text.String()
	})
}

func TestSelectClusters(t *testing.T) {
	t.Parallel()
	d := &bundle.Definition{Name: "all", Clusters: []bundle.Cluster{
		{Name: "s1", Group: "staging"}, {Name: "p1", Group: "production"}, {Name: "p2", Group: "production"},
	}}
	for name, test := range map[string]struct {
		names, groups []string
		want          string
	}{
		"all":           {nil, nil, "s1 p1 p2"},
		"star":          {[]string{"*"}, []string{"*"}, "s1 p1 p2"},
		"group":         {nil, []string{"production"}, "p1 p2"},
		"name":          {[]string{"p2", "s1"}, nil, "s1 p2"},
		"both":          {[]string{"p2", "s1"}, []string{"production"}, "p2"},
		"unknown":       {[]string{"p3"}, nil, `the runtime "all" has no cluster "p3", known are s1, p1, p2`},
		"unknown group": {nil, []string{"stagin"}, `the runtime "all" has no group "stagin", did you mean "staging"?`},
		"none":          {[]string{"s1"}, []string{"production"}, `the runtime "all" has no cluster of this name in this group`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clusters, err := d.Select(test.names, test.groups)
			var got []string
			for _, c := range clusters {
				got = append(got, c.Name)
			}
			if err != nil {
				got = []string{err.Error()}
			}
			if text := strings.Join(got, " "); text != test.want {
				t.Errorf("got %q, want %q", text, test.want)
			}
		})
	}
}
