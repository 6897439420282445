// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	"bytes"
	"testing"

	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/format"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd"
	"github.com/kubectl-timoni/kubectl-timoni/test/golden"
)

// TestGenerate reads a CRD from in.yaml of each archive and compares what is
// generated with the archive's other files; those below defaults/ are with the
// defaults.
func TestGenerate(t *testing.T) {
	t.Parallel()
	golden.Run(t, "testdata/generate/*.txtar", func(t *testing.T, archive *txtar.Archive) *txtar.Archive {
		t.Helper()
		archive.Files = archive.Files[:1] // in.yaml
		definitions, err := crd.Parse(archive.Files[0].Data)
		if err != nil {
			t.Fatal(err)
		}
		archive.Files = append(archive.Files, generate(t, definitions, crd.GenerateOptions{})...)
		for _, file := range generate(t, definitions, crd.GenerateOptions{Defaults: true}) {
			file.Name = "defaults/" + file.Name
			archive.Files = append(archive.Files, file)
		}
		return archive
	})
}

// generate returns the CUE files of definitions, which must be formatted and
// free of errors.
func generate(t *testing.T, definitions []crd.Definition, options crd.GenerateOptions) []txtar.File {
	t.Helper()
	var files []txtar.File
	for _, d := range definitions {
		for _, v := range d.Versions {
			out, err := d.Generate(v, options)
			if err != nil {
				t.Error(err)
				continue
			}
			if again, err := format.Source(out, format.Simplify()); err != nil || !bytes.Equal(again, out) {
				t.Errorf("%s %s is not formatted: %v\n%s", d.Name, v.Name, err, cmp.Diff(string(out), string(again)))
			}
			if err := cuecontext.New().CompileBytes(out).Validate(); err != nil {
				t.Errorf("%s %s: %v\n%s", d.Name, v.Name, err, out)
			}
			files = append(files, txtar.File{Name: d.Path(v.Name), Data: out})
		}
	}
	return files
}
