// SPDX-License-Identifier: Apache-2.0

package arch

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// checkTerms holds that only the command line knows the terms of a command line.
// A package that others may import returns errors of its own types; exit codes
// and hints are given to them by pkg/cli/advice. The verbs, the function and the
// table of Timoni's spellings, which are internal, may add a hint, but no package
// other than those of pkg/cli and that table names a flag.
func (c *checker) checkTerms(tree *ast.File) {
	dir := path.Dir(c.file.Path)
	if !strings.HasPrefix(dir, "pkg/") || strings.HasPrefix(dir+"/", "pkg/cli/") || dir == "pkg/internal/spelling" {
		return
	}
	failName := imported(tree, module+"pkg/fail")
	isLibrary := !strings.HasPrefix(dir, "pkg/internal/action/") && !strings.HasPrefix(dir, "pkg/internal/pipeline/")
	ast.Inspect(tree, func(n ast.Node) bool {
		switch e := n.(type) {
		case *ast.SelectorExpr:
			pkg, name, _ := strings.Cut(selector(e), ".")
			if isLibrary && pkg == failName && isTerm(name) {
				c.add(c.line(n), "terms", "fail.%s is for the command line: return an error of a type of its own, and advise on it in pkg/cli/advice", name)
			}
		case *ast.BasicLit:
			c.checkFlags(dir, e)
		}
		return true
	})
}

// isTerm reports whether a name of package fail is a hint or an exit code.
func isTerm(name string) bool {
	switch name {
	case "Hint", "HintsOf", "Usagef", "With", "Silent", "Advise", "CodeOf",
		"Code", "Done", "No", "Usage", "Failed", "NotReady", "Refused", "Interrupted", "Terminated":
		return true
	}
	return false
}

// checkChoices holds that the words which a flag takes are given to it with package
// choice, where the help and completion find them too.
func (c *checker) checkChoices(tree *ast.File) {
	failName := imported(tree, module+"pkg/fail")
	ast.Inspect(tree, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 || selector(call.Fun) != failName+".OneOf" {
			return true
		}
		if what, isLit := call.Args[0].(*ast.BasicLit); isLit && strings.HasPrefix(what.Value, `"--`) {
			c.add(c.line(n), "terms", "a check of the flag %s: register it with pkg/cli/option/choice, which checks it", what.Value)
		}
		return true
	})
}

// flagRE matches the name of a flag.
var flagRE = regexp.MustCompile(`(?:^|[^\w-])(--[a-z][a-z-]*)`)

func (c *checker) checkFlags(dir string, e *ast.BasicLit) {
	if e.Kind != token.STRING || !strings.Contains(e.Value, "--") {
		return
	}
	text, err := strconv.Unquote(e.Value)
	if err != nil {
		return
	}
	for _, m := range flagRE.FindAllStringSubmatch(text, -1) {
		if !isForeignFlag(dir, m[1]) {
			c.add(c.line(e), "terms", "%s is a flag: only pkg/cli names flags", m[1])
		}
	}
}

// foreignFlags returns the flags with which a package starts a program, and those
// of another project's program that it talks about.
func foreignFlags(dir string) string {
	const kustomize = "--enable-alpha-plugins --enable-exec --network --as-current-user"
	switch strings.TrimPrefix(dir, "pkg/") {
	case "registry/source": // starts kubectl-timoni-artifact
		return "--signatures --policy --trusted-root --certificate-identity --certificate-identity-regexp --certificate-oidc-issuer --certificate-oidc-issuer-regexp"
	case "internal/action/artifact": // starts git
		return "--path-format --git-dir --git-common-dir --show-toplevel --show-object-format --get --get-regexp --null --porcelain --ignore-submodules --stage --no-pager"
	case "internal/action/vendor": // starts kubectl
		return "--raw --output --kubeconfig --context"
	case "sops": // starts sops
		return "--decrypt --input-type --output-type --filename-override --encrypted-regex"
	case "internal/action/deploy": // starts timoni-krm
		return "--namespace --enable-exec"
	case "internal/action/plugins": // starts kubectl and reads the front door's command line; what the doctor finds are commands to paste
		return "--client --help --version --context --kubeconfig --kustomize-plugins " + kustomize
	case "internal/pipeline/kustomize", "internal/pipeline/krm":
		return kustomize
	}
	return ""
}

func isForeignFlag(dir, flag string) bool {
	return slices.Contains(strings.Fields(foreignFlags(dir)), flag)
}
