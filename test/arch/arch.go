// SPDX-License-Identifier: Apache-2.0

// Package arch holds the rules of this repository that a compiler does not:
// who may import whom, no init, no package variable that changes, short
// functions, process state read in one place, a licence line in each file.
//
// The rules read source text and nothing else, so that a test can feed them
// code that breaks one, and so that the go command sees every file the test
// over the repository depends on: a test that runs "go list" passes from the
// cache after a bad import.
package arch

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

const (
	module = "github.com/kubectl-timoni/kubectl-timoni/"

	// maxLines is the longest that a function may be, signature and closing
	// brace included; maxTestLines that of one that only serves tests, where
	// the tables are.
	maxLines     = 56
	maxTestLines = 80

	// maxPackage is the most lines of code that a package may have, without its
	// tests, comments and blank lines.
	maxPackage = 2500

	licence = "SPDX-License-Identifier: Apache-2.0"
)

// File is one file of the repository.
type File struct {
	Path   string // from the repository's root, with slashes
	Source string
}

// Finding is one breach of a rule.
type Finding struct {
	Path string
	Line int
	Rule string
	Text string
}

// String returns the finding as "path:line: rule: text".
func (f Finding) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", f.Path, f.Line, f.Rule, f.Text)
}

// Check returns the breaches in files, sorted by path and line.
func Check(files []File) []Finding {
	var all []Finding
	for _, f := range files {
		all = append(all, checkFile(f)...)
	}
	all = append(all, checkDocuments(files)...)
	all = append(all, checkEvidence(files)...)
	all = append(all, checkPaths(files)...)
	all = append(all, checkPackages(files)...)
	all = append(all, checkWords(files)...)
	all = append(all, checkExported(files)...)
	all = append(all, checkAPI(files)...)
	slices.SortFunc(all, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Text, b.Text))
	})
	return all
}

// checkPackages reports packages that are too large for one thing.
func checkPackages(files []File) []Finding {
	lines := map[string]int{}
	for _, f := range files {
		if path.Ext(f.Path) != ".go" || isTestdata(f.Path) || strings.HasSuffix(f.Path, "_test.go") {
			continue
		}
		for line := range strings.Lines(f.Source) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
				lines[path.Dir(f.Path)]++
			}
		}
	}
	var all []Finding
	for dir, n := range lines {
		if n > maxPackage {
			all = append(all, Finding{dir, 1, "package", fmt.Sprintf("has %d lines of code, at most %d: split it", n, maxPackage)})
		}
	}
	return all
}

// checker collects the findings of one file.
type checker struct {
	file     File
	fset     *token.FileSet
	findings []Finding
}

func checkFile(f File) []Finding {
	c := &checker{file: f, fset: token.NewFileSet()}
	if needsLicence(f.Path) {
		c.checkLicence()
	}
	c.checkScript()
	if path.Ext(f.Path) != ".go" || isTestdata(f.Path) || strings.HasSuffix(f.Path, "_test.go") {
		return c.findings
	}
	tree, err := parser.ParseFile(c.fset, f.Path, f.Source, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		c.add(1, "parse", "%v", err)
		return c.findings
	}
	c.checkImports(tree)
	c.checkTerminal(tree)
	c.checkWrites(tree)
	c.checkTerms(tree)
	c.checkChoices(tree)
	for _, decl := range tree.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			c.checkFunc(d)
		case *ast.GenDecl:
			c.checkVars(d)
		}
	}
	if !mayReadProcess(f.Path) {
		c.checkProcess(tree)
	}
	return c.findings
}

func (c *checker) add(line int, rule, format string, args ...any) {
	c.findings = append(c.findings, Finding{c.file.Path, line, rule, fmt.Sprintf(format, args...)})
}

func (c *checker) line(n ast.Node) int { return c.fset.Position(n.Pos()).Line }

// checkLicence wants the licence on the first line, or on the second after a
// line that tells the system how to run the file.
func (c *checker) checkLicence() {
	first, rest, _ := strings.Cut(c.file.Source, "\n")
	if strings.HasPrefix(first, "#!") {
		first, _, _ = strings.Cut(rest, "\n")
	}
	if !strings.Contains(first, licence) {
		c.add(1, "licence", "the first line must hold %q", licence)
	}
}

func needsLicence(name string) bool {
	if isTestdata(name) || strings.Contains(name, "/cue.mod/") {
		return false
	}
	switch path.Ext(name) {
	case ".go", ".cue", ".sh":
		return true
	case ".yml", ".yaml":
		return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "krew-manifests/")
	}
	return path.Base(name) == "Makefile" || name == ".ci/run"
}

func isTestdata(name string) bool {
	return slices.Contains(strings.Split(name, "/"), "testdata")
}

func (c *checker) checkFunc(d *ast.FuncDecl) {
	if d.Recv == nil && d.Name.Name == "init" {
		c.add(c.line(d), "init", "no init: what must happen first is called by name")
	}
	most := maxLines
	if strings.HasPrefix(c.file.Path, "test/") {
		most = maxTestLines
	}
	first, last := c.line(d), c.fset.Position(d.End()).Line
	if n := last - first + 1; n > most {
		c.add(first, "length", "%s has %d lines, at most %d", d.Name.Name, n, most)
	}
}

// checkVars reports package variables, except those that do not change by
// their nature: sentinel errors, compiled expressions, parsed constants,
// embedded files and interface assertions.
func (c *checker) checkVars(d *ast.GenDecl) {
	if d.Tok != token.VAR {
		return
	}
	for _, spec := range d.Specs {
		v, ok := spec.(*ast.ValueSpec)
		if !ok || isEmbedded(d, v) || isConstant(v) {
			continue
		}
		for _, name := range v.Names {
			if name.Name != "_" && !mayChange(c.file.Path, name.Name) {
				c.add(c.line(name), "variable", "%s can change: make it a constant, a function or a parameter", name.Name)
			}
		}
	}
}

// mayChange reports the one variable that does: a process has one heap, and its
// renderings share a limit.
func mayChange(file, name string) bool {
	return file == "pkg/module/internal/budget/budget.go" && name == "process"
}

func isEmbedded(d *ast.GenDecl, v *ast.ValueSpec) bool {
	for _, group := range []*ast.CommentGroup{d.Doc, v.Doc} {
		if group == nil {
			continue
		}
		for _, comment := range group.List {
			if strings.HasPrefix(comment.Text, "//go:embed ") {
				return true
			}
		}
	}
	return false
}

// isConstant reports whether each value of v comes from a function whose
// result does not change.
func isConstant(v *ast.ValueSpec) bool {
	for _, value := range v.Values {
		call, ok := value.(*ast.CallExpr)
		if !ok {
			return false
		}
		name := selector(call.Fun)
		switch name {
		case "errors.New", "fmt.Errorf", "regexp.MustCompile", "semver.MustParse", "resource.MustParse":
		default:
			return false
		}
	}
	return len(v.Values) > 0
}

// selector returns "x.Name" for such an expression, and "" for any other.
func selector(e ast.Expr) string {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	x, ok := sel.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return x.Name + "." + sel.Sel.Name
}

// mayReadProcess reports whether a file may read arguments, environment and
// streams, and may exit: pkg/cli, the mains, and what only serves tests.
func mayReadProcess(name string) bool {
	if top, _, _ := strings.Cut(name, "/"); top != "pkg" {
		return true
	}
	return path.Dir(name) == "pkg/cli"
}

func (c *checker) checkProcess(tree *ast.File) {
	osName, fmtName, logName := imported(tree, "os"), imported(tree, "fmt"), imported(tree, "log")
	ast.Inspect(tree, func(n ast.Node) bool {
		e, ok := n.(ast.Expr)
		if !ok {
			return true
		}
		pkg, name, ok := strings.Cut(selector(e), ".")
		switch {
		case !ok:
		case pkg == osName && isProcessState(name),
			pkg == fmtName && (name == "Print" || name == "Printf" || name == "Println"),
			pkg == logName && logName != "":
			c.add(c.line(n), "process", "%s.%s belongs to pkg/cli and the mains: take it from cli.Env", pkg, name)
		}
		return true
	})
}

// checkTerminal holds that commands write through package ui, which lets nothing
// through that controls a terminal.
func (c *checker) checkTerminal(tree *ast.File) {
	if !strings.HasPrefix(c.file.Path, "pkg/cli/cmd/") || strings.HasSuffix(c.file.Path, "_test.go") {
		return
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) < 2 {
			return true
		}
		stream, isStream := call.Args[0].(*ast.SelectorExpr)
		switch name := selector(call.Fun); name {
		case "fmt.Fprint", "fmt.Fprintf", "fmt.Fprintln", "io.WriteString":
			if isStream && (stream.Sel.Name == "Stdout" || stream.Sel.Name == "Stderr") {
				c.add(c.line(n), "terminal", "%s to %s: use package ui, which escapes control characters", name, stream.Sel.Name)
			}
		}
		return true
	})
}

// checkWrites holds that what writes files knows of symbolic links.
func (c *checker) checkWrites(tree *ast.File) {
	osName := imported(tree, "os")
	if !strings.HasPrefix(c.file.Path, "pkg/") || osName == "" || mayWrite(c.file.Path) {
		return
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		e, ok := n.(ast.Expr)
		if !ok {
			return true
		}
		if pkg, name, found := strings.Cut(selector(e), "."); found && pkg == osName && isWrite(name) {
			c.add(c.line(n), "write", "os.%s may write through a symbolic link: use pkg/internal/link", name)
		}
		return true
	})
}

func isWrite(name string) bool {
	switch name {
	case "WriteFile", "Create", "CreateTemp", "OpenFile", "Mkdir", "MkdirAll", "Rename", "Link", "Symlink", "Truncate", "CopyFS":
		return true
	}
	return false
}

// mayWrite reports whether a file writes where no hostile party has put links:
// to a directory of its own, or to one that it has checked.
func mayWrite(name string) bool {
	switch name {
	case "pkg/internal/link/link.go",
		"pkg/registry/cache/cache.go", "pkg/internal/cachedir/cachedir.go", // the user's cache, below a root
		"pkg/registry/archive/extract.go",                               // a directory that was empty, below a root
		"pkg/registry/archive/layout.go",                                // an archive, which takes the place of a link
		"pkg/internal/action/artifact/git.go", "pkg/cli/ui/external.go", // a temporary directory
		"pkg/internal/action/plugins/version.go",
		"pkg/internal/action/build/directory.go",                                         // a directory that it has checked
		"pkg/internal/action/plugins/shim.go", "pkg/internal/action/function/install.go": // a directory of PATH, where each file takes the place of a link
		return true
	}
	return false
}

func isProcessState(name string) bool {
	switch name {
	case "Args", "Exit", "Stdin", "Stdout", "Stderr",
		"Getenv", "LookupEnv", "Environ", "ExpandEnv", "Setenv", "Unsetenv", "Clearenv":
		return true
	}
	return false
}

// imported returns the name under which a file knows a package, or "".
func imported(tree *ast.File, importPath string) string {
	for _, spec := range tree.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err != nil || p != importPath {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(importPath)
	}
	return ""
}
