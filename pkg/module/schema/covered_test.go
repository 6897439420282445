// SPDX-License-Identifier: Apache-2.0

package schema_test

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/schema"
	"github.com/kubectl-timoni/kubectl-timoni/test/golden"
)

// TestCovered holds that each definition is in a case of testdata, and each field
// of each definition in the input or the outcome of one.
func TestCovered(t *testing.T) {
	t.Parallel()
	var inputs, all strings.Builder
	for _, archive := range golden.Scripts(t, "testdata/*.txtar") {
		for _, f := range archive.Files {
			all.Write(f.Data)
			if strings.HasSuffix(f.Name, "/in.cue") {
				inputs.Write(f.Data)
			}
		}
	}
	isIn := func(text, expression string) bool { return regexp.MustCompile(expression).MatchString(text) }
	for definition, fields := range declared(t) {
		if strings.HasPrefix(definition, "_") {
			continue // only the others can refer to it
		}
		if !isIn(inputs.String(), `timoniv1\.`+regexp.QuoteMeta(definition)+`\b`) {
			t.Errorf("%s is in no case", definition)
		}
		for _, field := range fields {
			if !isIn(all.String(), `(^|[^\w#])`+regexp.QuoteMeta(field)+`\b`) {
				t.Errorf("field %s of %s is in no case", field, definition)
			}
		}
	}
}

// declared returns the names of the package, and of each those of its fields.
func declared(t *testing.T) map[string][]string {
	t.Helper()
	names := map[string][]string{}
	err := fs.WalkDir(schema.Core(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		src, err := fs.ReadFile(schema.Core(), name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(name, src)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			if field, ok := decl.(*ast.Field); ok {
				if label, _, err := ast.LabelName(field.Label); err == nil {
					names[label] = append(names[label], fieldsOf(field.Value)...)
				}
			}
		}
		return nil
	})
	if err != nil || len(names) < 50 {
		t.Fatalf("%d names, %v", len(names), err)
	}
	return names
}

// internalRE matches what a module cannot, or by convention does not, refer to.
var internalRE = regexp.MustCompile(`^(_|#[a-z])`)

// fieldsOf returns the names of the fields in an expression.
func fieldsOf(e ast.Expr) []string {
	var names []string
	ast.Walk(e, func(n ast.Node) bool {
		if field, ok := n.(*ast.Field); ok {
			if name, _, err := ast.LabelName(field.Label); err == nil && !internalRE.MatchString(name) {
				names = append(names, name)
			}
		}
		return true
	}, nil)
	return names
}
