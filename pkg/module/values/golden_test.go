// SPDX-License-Identifier: Apache-2.0

package values_test

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/parser"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
	"github.com/kubectl-timoni/kubectl-timoni/test/golden"
)

// TestMerge runs the scripts of testdata/merge. In each, values.cue and, if
// there, other.cue are files of one package, and the other files are sources in
// the order in which they stand; stdin is the standard input. "want" is the
// merged values, or the error.
func TestMerge(t *testing.T) {
	t.Parallel()
	golden.Text(t, "testdata/merge/*.txtar", merge)
}

// merge returns what the script's want must be.
func merge(t *testing.T, archive *txtar.Archive) string {
	t.Helper()
	var paths []string
	stdin, module := "", map[string]string{}
	dir := t.TempDir()
	for _, f := range archive.Files {
		switch f.Name {
		case "values.cue", "other.cue":
			module[f.Name] = string(f.Data)
		case "want":
		case "stdin":
			stdin = string(f.Data)
			paths = append(paths, "-")
		default:
			path := fixture.Write(t, filepath.Join(dir, f.Name), f.Data)
			if !strings.HasPrefix(f.Name, "embedded") {
				paths = append(paths, path)
			}
		}
	}
	text, err := evaluate(paths, stdin, module)
	if err != nil {
		text = "error: " + err.Error() + "\n"
	}
	return filepath.ToSlash(strings.ReplaceAll(text, dir+string(filepath.Separator), ""))
}

func evaluate(paths []string, stdin string, module map[string]string) (string, error) {
	sources, err := values.ReadFiles(context.Background(), paths, values.Inputs{Stdin: strings.NewReader(stdin)})
	if err != nil {
		return "", err
	}
	tree, err := values.Merge(sources)
	if err != nil {
		return "", err
	}
	root, err := overlay(tree, module)
	if err != nil {
		return "", err
	}
	v := root.LookupPath(cue.ParsePath("values"))
	if err := v.Validate(cue.Concrete(true)); err != nil {
		return "", values.Explain(err)
	}
	text, err := values.Text(v)
	return text + "\n", err
}

// overlay evaluates a package with the tree merged over its values.cue.
func overlay(tree *values.Tree, module map[string]string) (cue.Value, error) {
	inst := build.NewContext().NewInstance("", nil)
	for _, name := range slices.Sorted(maps.Keys(module)) { // as the loader has it
		file, err := parser.ParseFile("module/"+name, module[name])
		if err != nil {
			return cue.Value{}, values.Explain(err)
		}
		if name == "values.cue" {
			tree.Overlay(file)
		}
		if err := inst.AddSyntax(file); err != nil {
			return cue.Value{}, values.Explain(err)
		}
	}
	if err := inst.Complete(); err != nil {
		return cue.Value{}, values.Explain(err)
	}
	root := cuecontext.New().BuildInstance(inst)
	return root, values.Check(root)
}
