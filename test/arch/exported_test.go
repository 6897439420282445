// SPDX-License-Identifier: Apache-2.0

package arch_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/test/arch"
)

// TestExported holds what a package exports to be used by another one.
func TestExported(t *testing.T) {
	t.Parallel()
	const (
		uses = "import \"github.com/kubectl-timoni/kubectl-timoni/pkg/fail\"\n\n"
		only = " is used in its own package only: unexport or delete it"
	)
	for name, tc := range map[string]struct {
		declared, by, used string
		want               []string
	}{
		"by another package":       {"func F() {}", "pkg/ref/a.go", uses + "var _ = fail.F", nil},
		"by a test of another":     {"func F() {}", "pkg/ref/a_test.go", uses + "var _ = fail.F", nil},
		"by a command":             {"func F() {}", "plugins/x/main.go", uses + "var _ = fail.F", nil},
		"by an example":            {"func F() {}", "pkg/fail/e_test.go", uses + "func ExampleF() { fail.F() }", nil},
		"by a page":                {"func F() {}", "docs/library.md", "Call `fail.F`.", nil},
		"by its own test":          {"func F() {}", "pkg/fail/a_test.go", uses + "func TestF(*testing.T) { fail.F() }", []string{"F" + only}},
		"by its own package":       {"func F() {}\nvar _ = errors.New(F())", "pkg/fail/b.go", "func f() { F() }", []string{"F" + only}},
		"one of another package":   {"func F() {}", "pkg/ref/a.go", "var _ = ref.F", []string{"F" + only}},
		"a type in a result":       {"type T struct{}\nfunc F() *T { return nil }", "pkg/ref/a.go", uses + "var _ = fail.F", nil},
		"a type of a field":        {"type T struct{}\ntype U struct{ T T }", "pkg/ref/a.go", uses + "var _ = fail.U{T: nil}", nil},
		"a type":                   {"type T struct{}", "pkg/ref/a.go", "", []string{"T" + only}},
		"a field that is read":     {"type T struct{ A, B int }", "pkg/ref/a.go", uses + "func f(t fail.T) int { return t.A }", []string{"T.B" + only}},
		"a field that is set":      {"type T struct{ A int }", "pkg/ref/a.go", uses + "var _ = errors.New(fail.T{A: 1})", nil},
		"a field that is encoded":  {"type T struct{ A int `json:\"a\"` }", "pkg/ref/a.go", uses + "func f(t fail.T) {}", nil},
		"the data of an error":     {"type TError struct{ A int }", "pkg/ref/a.go", uses + "func f(t fail.TError) {}", nil},
		"a method":                 {"type T struct{}\nfunc (T) M() {}", "pkg/ref/a.go", uses + "func f(t fail.T) {}", []string{"T.M" + only}},
		"a method of an interface": {"type T struct{}\nfunc (T) M() {}", "pkg/ref/a.go", uses + "type i interface{ M() }\nvar _ i = fail.T{}", nil},
		"a standard method":        {"type T struct{}\nfunc (T) String() string", "pkg/ref/a.go", uses + "func f(t fail.T) {}", nil},
		"a method of a local type": {"type t struct{}\nfunc (t) M() {}", "pkg/ref/a.go", "", nil},
		"one constant of several":  {"const (\n\tA = 1\n\tB = 2\n)", "pkg/ref/a.go", uses + "var _ = errors.New(fail.A)", nil},
		"one of several errors":    {"var (\n\tErrA = errors.New(\"\")\n\tErrB = errors.New(\"\")\n)", "pkg/ref/a.go", uses + "var _ = errors.New(fail.ErrA)", []string{"ErrB" + only}},
		"a page names nothing":     {"", "docs/library.md", "Call `fail.F`, `errors.Is`.", []string{"fail.F does not exist"}},
		"test code":                {"", "test/kit/a.go", "func F() {}", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := tc.used
			if tc.by != "docs/library.md" {
				source = head + source
			}
			var got []string
			for _, f := range arch.Check([]arch.File{{Path: "pkg/fail/a.go", Source: head + tc.declared}, {Path: tc.by, Source: source}}) {
				if f.Rule == "exported" {
					got = append(got, f.Text)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
