// SPDX-License-Identifier: Apache-2.0

package arch_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/test/arch"
)

// TestRepository holds the whole repository to the rules.
func TestRepository(t *testing.T) {
	t.Parallel()
	files := readRepository(t, filepath.Join("..", ".."))
	if len(files) < 20 {
		t.Fatalf("found %d files only: the walk is broken", len(files))
	}
	for _, finding := range arch.Check(files) {
		t.Error(finding)
	}
}

func readRepository(t *testing.T, root string) []arch.File {
	t.Helper()
	var files []arch.File
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel == ".git" || rel == "bin" || rel == "dist" {
				return filepath.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || !isSource(rel) {
			return nil
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		files = append(files, arch.File{Path: rel, Source: string(data)})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func isSource(name string) bool {
	switch filepath.Ext(name) {
	case ".go", ".cue", ".sh", ".yml", ".yaml", ".md", ".svg", ".txtar":
		return true
	}
	return filepath.Base(name) == "Makefile" || filepath.Base(name) == "LICENSE" || strings.HasPrefix(name, ".ci/")
}

const head = "// SPDX-License-Identifier: Apache-2.0\n\npackage p\n\n"

func TestCheck(t *testing.T) {
	t.Parallel()
	const ours = "github.com/kubectl-timoni/kubectl-timoni/"
	long := "func f() {\n" + strings.Repeat("\t_ = 1\n", 55) + "}\n"
	for name, tc := range map[string]struct {
		path, source string
		want         []string // rule and text of each finding
	}{
		"an import of a lower rank":            {"pkg/module/render/a.go", `import "` + ours + `pkg/module/values"`, nil},
		"an import of a higher rank":           {"pkg/module/values/a.go", `import "` + ours + `pkg/module/render"`, []string{"5: import: pkg/module/values of rank 1 imports pkg/module/render of rank 3"}},
		"an import of a sibling":               {"pkg/cluster/internal/survey/a.go", `import "` + ours + `pkg/bundle"`, []string{"5: import: pkg/cluster/internal/survey and pkg/bundle are siblings of rank 3"}},
		"one family imports another":           {"pkg/cli/cmd/applycmd/a.go", `import "` + ours + `pkg/cli/cmd/buildcmd"`, []string{"5: import: pkg/cli/cmd/applycmd and pkg/cli/cmd/buildcmd are siblings of rank 10"}},
		"an import of test code":               {"pkg/cluster/kube/a.go", `import "` + ours + `test/kit"`, []string{"5: import: pkg/cluster/kube imports test/kit, which has no rank"}},
		"a package without a row":              {"pkg/util/a.go", "", []string{"3: import: package pkg/util has no rank: add its row to test/arch/layers.go"}},
		"a package below one with a row":       {"pkg/cluster/kube/fake/a.go", "", []string{"3: import: package pkg/cluster/kube/fake has no rank: add its row to test/arch/layers.go"}},
		"a Go file at the top":                 {"tool.go", "", []string{"3: import: package . has no rank: add its row to test/arch/layers.go"}},
		"a main imports a command":             {"plugins/kubectl-timoni/main.go", `import "` + ours + `pkg/cli/cmd/front"`, nil},
		"a main imports cobra":                 {"krmfn/main.go", `import "github.com/spf13/cobra"`, []string{"5: import: krmfn must not import github.com/spf13/cobra"}},
		"cobra in an action":                   {"pkg/internal/action/build/a.go", `import "github.com/spf13/cobra"`, []string{"5: import: pkg/internal/action/build must not import github.com/spf13/cobra"}},
		"cobra in a command":                   {"pkg/cli/cmd/modcmd/a.go", `import "github.com/spf13/cobra"`, nil},
		"client-go in render":                  {"pkg/module/render/a.go", `import c "k8s.io/client-go/rest"`, []string{"5: import: pkg/module/render must not import k8s.io/client-go/rest"}},
		"client-go in kube":                    {"pkg/cluster/kube/a.go", `import "k8s.io/client-go/rest"`, nil},
		"CUE in apply":                         {"pkg/cluster/apply/a.go", `import "cuelang.org/go/cue"`, []string{"5: import: pkg/cluster/apply must not import cuelang.org/go/cue"}},
		"a terminal outside ui":                {"pkg/cli/a.go", `import "golang.org/x/term"`, []string{"5: import: pkg/cli must not import golang.org/x/term"}},
		"cli-runtime in ui":                    {"pkg/cli/ui/a.go", `import "k8s.io/cli-runtime/pkg/printers"`, []string{"5: import: pkg/cli/ui must not import k8s.io/cli-runtime/pkg/printers"}},
		"a module whose name begins the same":  {"pkg/cli/cmd/modcmd/a.go", `import "github.com/spf13/cobra-extra"`, []string{"5: import: pkg/cli/cmd/modcmd must not import github.com/spf13/cobra-extra"}},
		"the standard library":                 {"pkg/fail/a.go", `import "net/http"`, nil},
		"imports of a test":                    {"pkg/fail/a_test.go", `import "github.com/spf13/cobra"`, nil},
		"imports of test code":                 {"test/kit/a.go", `import "k8s.io/client-go/rest"`, nil},
		"an init":                              {"pkg/fail/a.go", "func init() {}", []string{"5: init: no init: what must happen first is called by name"}},
		"an init in test code":                 {"test/kit/a.go", "func init() {}", []string{"5: init: no init: what must happen first is called by name"}},
		"a method named init":                  {"pkg/fail/a.go", "func (t T) init() {}", nil},
		"a variable":                           {"pkg/fail/a.go", "var debug bool", []string{"5: variable: debug can change: make it a constant, a function or a parameter"}},
		"a table":                              {"pkg/fail/a.go", "var codes = map[string]int{}", []string{"5: variable: codes can change: make it a constant, a function or a parameter"}},
		"a variable in a group":                {"pkg/fail/a.go", "var (\n\terr1 = errors.New(\"1\")\n\ta, b = 1, 2\n)", []string{"7: variable: a can change: make it a constant, a function or a parameter", "7: variable: b can change: make it a constant, a function or a parameter"}},
		"a function variable":                  {"pkg/fail/a.go", "var now = time.Now", []string{"5: variable: now can change: make it a constant, a function or a parameter"}},
		"a sentinel, an expression, a version": {"pkg/fail/a.go", "var (\n\ta = errors.New(\"a\")\n\tb = fmt.Errorf(\"b: %w\", a)\n\tc = regexp.MustCompile(`c`)\n\td = semver.MustParse(\"1.0.0\")\n)", nil},
		"an interface assertion":               {"pkg/fail/a.go", "var _ error = T{}", nil},
		"embedded files":                       {"pkg/module/schema/a.go", "//go:embed *.cue\nvar files embed.FS", nil},
		"a variable of a test":                 {"pkg/fail/a_test.go", "var update = os.Getenv(\"UPDATE\")", nil},
		"a function of 57 lines":               {"pkg/fail/a.go", long, []string{"5: length: f has 57 lines, at most 56"}},
		"a function of 56 lines":               {"pkg/fail/a.go", strings.Replace(long, "\t_ = 1\n", "", 1), nil},
		"a function of 57 lines of a test":     {"test/kit/a.go", long, nil},
		"a package of 2501 lines":              {"test/kit/a.go", strings.Repeat("// A reason.\n\ntype _ int\n", 2500), []string{"1: package: has 2501 lines of code, at most 2500: split it"}},
		"a package of 2500 lines":              {"test/kit/a.go", strings.Repeat("// A reason.\n\ntype _ int\n", 2499), nil},
		"the environment":                      {"pkg/cluster/kube/a.go", "import \"os\"\n\nfunc f() string { return os.Getenv(\"A\") }", []string{"7: process: os.Getenv belongs to pkg/cli and the mains: take it from cli.Env"}},
		"the environment under another name":   {"pkg/cluster/kube/a.go", "import sys \"os\"\n\nfunc f() { sys.Exit(1) }", []string{"7: process: sys.Exit belongs to pkg/cli and the mains: take it from cli.Env"}},
		"a stream as a value":                  {"pkg/cli/ui/a.go", "import \"os\"\n\nfunc f() { g(os.Stderr) }", []string{"7: process: os.Stderr belongs to pkg/cli and the mains: take it from cli.Env"}},
		"a print":                              {"pkg/cli/ui/a.go", "import \"fmt\"\n\nfunc f() { fmt.Println() }", []string{"7: process: fmt.Println belongs to pkg/cli and the mains: take it from cli.Env"}},
		"a print of a command":                 {"pkg/cli/cmd/x/a.go", "import \"fmt\"\n\nfunc f() { fmt.Fprintf(env.Stdout, \"%s\", a) }", []string{"7: terminal: fmt.Fprintf to Stdout: use package ui, which escapes control characters"}},
		"a file that is written":               {"pkg/internal/action/mod/a.go", "import sys \"os\"\n\nfunc f() { sys.WriteFile(a, b, 0) }", []string{"7: write: os.WriteFile may write through a symbolic link: use pkg/internal/link"}},
		"a file that is written below a root":  {"pkg/internal/action/mod/a.go", "import \"os\"\n\nfunc f() { root.WriteFile(a, b, 0) }", nil},
		"a log":                                {"pkg/cli/ui/a.go", "import \"log\"\n\nfunc f() { log.Fatal() }", []string{"7: process: log.Fatal belongs to pkg/cli and the mains: take it from cli.Env"}},
		"files are not process state":          {"pkg/cli/ui/a.go", "import \"os\"\n\nfunc f() { os.Open(\"a\") }", nil},
		"process state in cli":                 {"pkg/cli/a.go", "import \"os\"\n\nfunc f() { os.Exit(1) }", nil},
		"process state in a main":              {"krmfn/main.go", "import \"os\"\n\nfunc f() { os.Exit(1) }", nil},
		"Go as test data":                      {"pkg/fail/testdata/a.go", "func init() {}", nil},
		"Go that does not parse":               {"pkg/fail/a.go", "func", []string{`1: parse: pkg/fail/a.go:5:5: expected 'IDENT', found 'EOF'`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := check(tc.path, head+tc.source)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLicence(t *testing.T) {
	t.Parallel()
	missing := []string{`1: licence: the first line must hold "SPDX-License-Identifier: Apache-2.0"`}
	for name, tc := range map[string]struct {
		path, source string
		want         []string
	}{
		"Go without":             {"pkg/fail/a.go", "package fail\n", missing},
		"a test without":         {"pkg/fail/a_test.go", "package fail\n", missing},
		"on the third line":      {"pkg/fail/a.go", "\n\n" + head, missing},
		"CUE without":            {"test/modules/a/b.cue", "package a\n", missing},
		"generated CUE":          {"test/modules/a/cue.mod/gen/b.cue", "package a\n", nil},
		"a script":               {".ci/run", "#!/bin/bash\n# SPDX-License-Identifier: Apache-2.0\n", nil},
		"a script without":       {".ci/run", "#!/bin/bash\nset -e\n", missing},
		"a workflow without":     {".github/workflows/ci.yml", "name: CI\n", missing},
		"the Makefile without":   {"Makefile", "all:\n", missing},
		"a manifest of a test":   {"test/modules/a/b.yaml", "a: 1\n", nil},
		"anything as test data":  {"pkg/fail/testdata/b.cue", "package a\n", nil},
		"a file of another kind": {"README.md", "# Title\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, check(tc.path, tc.source)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDocuments holds what is cited to what exists.
func TestEvidence(t *testing.T) {
	t.Parallel()
	files := []arch.File{
		{Path: "pkg/a/a_test.go", Source: head + "func TestA(t *testing.T) {}\nfunc FuzzA(f *testing.F) {}\n"},
		{Path: "pkg/b/b_test.go", Source: head + "func TestB(t *testing.T) {}\n"},
		{Path: "test/e2e/testdata/f/s.txtar"}, {Path: "test/e2e/testdata/safety/safety_s01.txtar"},
	}
	for name, tc := range map[string]struct {
		row  string
		want []string
	}{
		"tests":              {"| cannot x | `pkg/a` TestA/part, FuzzA; `pkg/b` TestB |", nil},
		"of any directory":   {"| S7 | x | TestA, TestB |", nil},
		"a script":           {"| cannot x | `test/e2e/testdata/f/s.txtar`; TestB |", nil},
		"the script":         {"| S1 | x | script |", nil},
		"no test":            {"| cannot x | `pkg/a` TestA, TestB |", []string{"pkg/a TestB does not exist"}},
		"no test anywhere":   {"| S7 | x | TestC |", []string{"TestC does not exist"}},
		"no directory":       {"| cannot x | `pkg/c` TestA |", []string{"pkg/c does not exist"}},
		"no script":          {"| cannot x | `test/e2e/testdata/f/t.txtar` |", []string{"test/e2e/testdata/f/t.txtar does not exist"}},
		"not the script":     {"| S2 | x | script; TestA |", []string{"the script safety_s02.txtar does not exist"}},
		"nothing":            {"| cannot x | – |", []string{"a line that says cannot names no test"}},
		"what is possible":   {"| can x | – |", nil},
		"a text of its kind": {"TestC is no row.", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, f := range arch.Check(append(slices.Clone(files), arch.File{Path: "docs/security.md", Source: "\n" + tc.row + "\n"})) {
				if f.Rule == "evidence" && f.Line == 2 {
					got = append(got, f.Text)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestPaths checks what the table of CONTRIBUTING.md names.
func TestPaths(t *testing.T) {
	t.Parallel()
	files := []arch.File{{Path: "pkg/a/one.go", Source: head}, {Path: "pkg/b/two.go", Source: head}}
	for name, tc := range map[string]struct {
		row  string
		want []string
	}{
		"a directory":     {"| x | `pkg/a`, tables: `pkg/b` |", nil},
		"a file":          {"| x | `pkg/a/one.go` |", nil},
		"a file below":    {"| x | `pkg/a`: `one.go`; `pkg/b`: `two.go` |", nil},
		"no directory":    {"| x | `pkg/c` |", []string{"pkg/c does not exist"}},
		"another's file":  {"| x | `pkg/a`: `two.go` |", []string{"pkg/a/two.go does not exist"}},
		"a placeholder":   {"| x | `pkg/VERBcmd` |", []string{"pkg/VERBcmd does not exist"}},
		"outside a table": {"Write `pkg/c` first.", nil},
		"not a path":      {"| x | `status.Compute`, `ls pkg/c` |", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, f := range arch.Check(append(slices.Clone(files), arch.File{Path: "CONTRIBUTING.md", Source: tc.row + "\n"})) {
				if f.Rule == "path" {
					got = append(got, f.Text)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	page := arch.File{Path: "docs/page.md", Source: "# Page\n\n## 1. First thing, `x`\n\n14. **A decision.**\n"}
	for name, tc := range map[string]struct {
		path, source string
		want         []string
	}{
		"a page":                 {"pkg/a.go", "// See docs/page.md.\n", nil},
		"a section":              {"pkg/a.go", "// See docs/page.md,\n// section 1.\n", nil},
		"a decision":             {"pkg/a.go", "// See (docs/page.md, decision 14).\n", nil},
		"no page":                {"pkg/a.go", "\n// See docs/none.md.\n", []string{"2: document: cites docs/none.md, which does not exist"}},
		"no section":             {"pkg/a.go", "// See docs/page.md,\n// section 2.\n", []string{"1: document: cites docs/page.md, section 2, which does not exist"}},
		"no decision":            {"pkg/a.go", "// See docs/page.md decision 1.\n", []string{"1: document: cites docs/page.md decision 1, which does not exist"}},
		"outside":                {"pkg/a.go", "// See DESIGN.md.\n", []string{"1: document: cites DESIGN.md, which is not in the repository"}},
		"no comment":             {"pkg/a.go", `var s = "docs/none.md"`, nil},
		"a link":                 {"README.md", "[a](docs/page.md) [b](docs/page.md#1-first-thing-x) [c](docs) [d](https://example.com/x)\n", nil},
		"a link within":          {"docs/other.md", "# Here\n[a](#here) [b](page.md)\n", nil},
		"a page on the map":      {"docs/README.md", "[a](page.md)\n", nil},
		"a page off the map":     {"docs/README.md", "# Map\n", []string{"1: map: docs/README.md has no link to it"}},
		"a link to no page":      {"README.md", "\n[a](docs/none.md)\n", []string{"2: link: docs/none.md does not exist"}},
		"a link to no anchor":    {"README.md", "[a](docs/page.md#none)\n", []string{"1: link: docs/page.md#none does not exist"}},
		"code is no link":        {"README.md", "`[a](none)`\n```\n[a](none)\n```\n", nil},
		"a link out of the code": {"README.md", "```\nx\n```\n[a](none)\n", []string{"4: link: none does not exist"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, f := range arch.Check([]arch.File{page, {Path: tc.path, Source: tc.source}}) {
				if f.Rule == "document" || f.Rule == "link" || f.Rule == "map" {
					got = append(got, fmt.Sprintf("%d: %s: %s", f.Line, f.Rule, f.Text))
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func check(path, source string) []string {
	var found []string
	for _, f := range arch.Check([]arch.File{{Path: path, Source: source}}) {
		found = append(found, fmt.Sprintf("%d: %s: %s", f.Line, f.Rule, f.Text))
	}
	return found
}

// TestTerms holds flags, hints and exit codes to the command line.
func TestTerms(t *testing.T) {
	t.Parallel()
	const imports = "import \"github.com/kubectl-timoni/kubectl-timoni/pkg/fail\"\n\n"
	for name, tc := range map[string]struct {
		path, source string
		want         []string
	}{
		"a hint of the library":         {"pkg/cluster/store/a.go", imports + "var _ = fail.Hint(nil, \"\")", []string{"7: terms: fail.Hint is for the command line: return an error of a type of its own, and advise on it in pkg/cli/advice"}},
		"an exit code of the library":   {"pkg/ref/a.go", imports + "const a = fail.Usage", []string{"7: terms: fail.Usage is for the command line: return an error of a type of its own, and advise on it in pkg/cli/advice"}},
		"an error that is invalid":      {"pkg/ref/a.go", imports + "var _ = fail.Invalidf(\"\")", nil},
		"a hint of a verb":              {"pkg/internal/action/mod/a.go", imports + "var _ = fail.Hint(nil, \"\")", nil},
		"a flag of the library":         {"pkg/cluster/apply/a.go", "const a = \"give --force\"", []string{"5: terms: --force is a flag: only pkg/cli names flags"}},
		"the words of a flag":           {"pkg/cli/option/a.go", imports + "var _ = fail.OneOf(\"--a\", \"\")", []string{"7: terms: a check of the flag \"--a\": register it with pkg/cli/option/choice, which checks it"}},
		"a flag of a verb":              {"pkg/internal/action/mod/a.go", "const a = `(--wait-for)`", []string{"5: terms: --wait-for is a flag: only pkg/cli names flags"}},
		"a flag of a command":           {"pkg/cli/cmd/modcmd/a.go", "const a = \"--force\"", nil},
		"a flag of Timoni":              {"pkg/internal/spelling/a.go", "const a = \"--overwrite-ownership\"", nil},
		"a flag of another program":     {"pkg/internal/action/vendor/a.go", "const a = \"--kubeconfig=x\"", nil},
		"a flag of another one's other": {"pkg/internal/action/vendor/a.go", "const a = \"--porcelain\"", []string{"5: terms: --porcelain is a flag: only pkg/cli names flags"}},
		"no flag":                       {"pkg/ref/a.go", "const a = \"a--b -- c --1 ---\"", nil},
		"a flag of a test":              {"pkg/ref/a_test.go", "const a = \"--force\"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, check(tc.path, head+tc.source)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
