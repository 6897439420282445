// SPDX-License-Identifier: Apache-2.0

package bundle

import (
	"regexp"
	"strings"

	"cuelang.org/go/cue/ast"
	cueerrors "cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// The names under which a bundle knows the cluster it goes to.
const (
	ClusterName  = "TIMONI_CLUSTER_NAME"
	ClusterGroup = "TIMONI_CLUSTER_GROUP"
)

// Runtime holds the values that fields with the attribute
// @timoni(runtime:TYPE:NAME) take, by NAME.
type Runtime map[string]string

// attributeRE matches what is between the parentheses of the attribute.
var attributeRE = regexp.MustCompile(`^runtime:(string|number|bool):([^:()\s]+)$`)

// injection puts the values of a runtime into the syntax of a file.
type injection struct {
	runtime Runtime
	asked   map[string]bool // names, filled
}

// file replaces the values of the fields that have the attribute, where the
// name is known. Any other field stays as it is.
func (i *injection) file(file *ast.File) error {
	var problems cueerrors.Error
	replaced := map[ast.Node]ast.Expr{}
	ast.Walk(file, func(n ast.Node) bool {
		f, ok := n.(*ast.Field)
		if !ok {
			return true
		}
		for _, attr := range f.Attrs {
			if attr.Name() != "timoni" {
				continue
			}
			value, err := i.value(attr)
			problems = cueerrors.Append(problems, err)
			if value != nil {
				ast.Walk(value, func(n ast.Node) bool { ast.SetPos(n, f.Value.Pos()); return true }, nil)
				replaced[f.Value], f.Value = value, value
			}
		}
		return true
	}, nil)
	ast.Walk(file, nil, func(n ast.Node) { // references are to the value
		if ident, ok := n.(*ast.Ident); ok {
			if value, ok := replaced[ident.Node]; ok {
				ident.Node = value
			}
		}
	})
	if problems == nil {
		return nil
	}
	return problems
}

// value returns what an attribute stands for, nil when that is not known.
func (i *injection) value(attr *ast.Attribute) (ast.Expr, cueerrors.Error) {
	_, body := attr.Split()
	if strings.HasPrefix(strings.TrimSpace(body), updatePrefix) {
		if _, err := ParseUpdateRule(body); err != nil {
			return nil, cueerrors.Newf(attr.Pos(), "%v", err)
		}
		return nil, nil
	}
	m := attributeRE.FindStringSubmatch(strings.TrimSpace(body))
	if m == nil {
		return nil, cueerrors.Newf(attr.Pos(), "@timoni(%s) is not of the form @timoni(runtime:TYPE:NAME) with string, number or bool as TYPE", body)
	}
	kind, name := m[1], m[2]
	i.asked[name] = true
	text, known := i.runtime[name]
	if !known {
		return nil, nil
	}
	switch kind {
	case "number":
		if expr, err := parser.ParseExpr("", text); err == nil && isNumber(expr) {
			return expr, nil
		}
		return nil, cueerrors.Newf(attr.Pos(), "the runtime's value of %s is not a number", name)
	case "bool":
		if text != "true" && text != "false" {
			return nil, cueerrors.Newf(attr.Pos(), "the runtime's value of %s is neither true nor false", name)
		}
		return ast.NewBool(text == "true"), nil
	}
	return ast.NewString(text), nil
}

func isNumber(e ast.Expr) bool {
	if u, ok := e.(*ast.UnaryExpr); ok && (u.Op == token.SUB || u.Op == token.ADD) {
		e = u.X
	}
	lit, ok := e.(*ast.BasicLit)
	return ok && (lit.Kind == token.INT || lit.Kind == token.FLOAT)
}

// only returns the values of these names.
func (r Runtime) only(names map[string]bool) Runtime {
	used := Runtime{}
	for name := range names {
		if value, known := r[name]; known {
			used[name] = value
		}
	}
	return used
}

// Hide returns an error without the runtime's values in it: each stands there
// as its name. It is for the errors of Read and of what is done with the
// instances.
func (r Runtime) Hide(err error) error {
	if err == nil || len(r) == 0 {
		return err
	}
	return values.HideIn(r.Hider())(err)
}

// Hider returns the function that puts names in the place of values.
func (r Runtime) Hider() func(string) string { return values.Hider(r) }
