// SPDX-License-Identifier: Apache-2.0

package mod

import (
	"fmt"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
)

// typeText returns what a field may hold. Its default is left out where it is
// only one of many values.
func typeText(v cue.Value) string {
	if structs := choices(v); structs != nil {
		return strings.Join(structs, " | ")
	}
	if v.IncompleteKind() == cue.StructKind {
		return "{[string]: " + elementText(v) + "}"
	}
	if namesFields(v) {
		return withoutFields(v)
	}
	// The elements of a list that lead back to the struct around it print as an error.
	whole := strings.ReplaceAll(fmt.Sprint(v), "..._|_", "...")
	expr, err := parser.ParseExpr("", whole)
	if err != nil {
		return whole
	}
	var marked, others []ast.Expr
	types := false
	for _, a := range alternatives(expr) {
		if mark, ok := a.(*ast.UnaryExpr); ok && mark.Op == token.MUL {
			marked = append(marked, mark.X)
			continue
		}
		_, isLiteral := a.(*ast.BasicLit)
		types = types || !isLiteral
		others = append(others, a)
	}
	if !types || len(others) == 0 {
		others = append(marked, others...)
	}
	texts := make([]string, len(others))
	for i, e := range others {
		out, err := format.Node(e)
		if err != nil {
			return whole
		}
		texts[i] = string(out)
	}
	return strings.Join(texts, " | ")
}

// choices returns the structs that a value may be one of, as CUE; nil where it is
// no choice of several. A default that is only one value of them is left out.
func choices(v cue.Value) []string {
	op, parts := operands(v)
	if op != cue.OrOp || v.IncompleteKind() != cue.StructKind {
		return nil
	}
	var structs []string
	for _, part := range parts {
		text := fmt.Sprint(part)
		if hasFields(part) && part.Validate(cue.Concrete(true)) != nil && !slices.Contains(structs, text) {
			structs = append(structs, text)
		}
	}
	if len(structs) < 2 {
		return nil
	}
	return structs
}

// operands returns the operator of an expression and what it is applied to. Of a
// default that a type includes CUE returns the type alone, without an operator.
func operands(v cue.Value) (cue.Op, []cue.Value) {
	op, parts := v.Expr()
	if op == cue.NoOp && len(parts) == 1 {
		return parts[0].Expr()
	}
	return op, parts
}

// namesFields says whether a bound in a type is another field, which the user may
// set: its default is not the bound.
func namesFields(v cue.Value) bool {
	op, parts := operands(v)
	switch op {
	case cue.AndOp, cue.OrOp:
		return slices.ContainsFunc(parts, namesFields)
	case cue.LessThanOp, cue.LessThanEqualOp, cue.GreaterThanOp, cue.GreaterThanEqualOp, cue.NotEqualOp:
		return len(parts) == 1 && isSettable(parts[0])
	}
	return false
}

// isSettable says whether an operand has other values than the one that it has
// now.
func isSettable(v cue.Value) bool {
	if _, path := v.ReferencePath(); len(path.Selectors()) == 0 {
		op, parts := operands(v)
		return op != cue.NoOp && op != cue.SelectorOp && slices.ContainsFunc(parts, isSettable)
	}
	_, hasDefault := v.Default()
	return hasDefault || !isKnown(v)
}

// withoutFields is typeText of a type without its bounds that name fields.
func withoutFields(v cue.Value) string {
	op, parts := operands(v)
	joint := " & "
	if op == cue.OrOp {
		joint = " | "
		parts = slices.DeleteFunc(parts, isKnown) // the default, and what the types include
	}
	var texts []string
	for _, part := range parts {
		switch {
		case !namesFields(part):
			texts = append(texts, typeText(part))
		case isJoint(part):
			texts = append(texts, withoutFields(part))
		}
	}
	if len(texts) == 0 {
		return v.IncompleteKind().String()
	}
	return strings.Join(texts, joint)
}

// isJoint says whether a type unifies others, or has alternatives.
func isJoint(v cue.Value) bool {
	op, _ := operands(v)
	return op == cue.AndOp || op == cue.OrOp
}

func alternatives(e ast.Expr) []ast.Expr {
	if or, ok := e.(*ast.BinaryExpr); ok && or.Op == token.OR {
		return append(alternatives(or.X), alternatives(or.Y)...)
	}
	return []ast.Expr{e}
}

// elementText returns the type of the fields of a map.
func elementText(v cue.Value) string {
	if element, ok := element(v); ok {
		return typeText(element)
	}
	return "_"
}

// element returns what the fields of a map may hold. CUE tells that of a pattern
// for all names; others are found with a name that most allow.
func element(v cue.Value) (cue.Value, bool) {
	for _, selector := range anyNames() {
		if element := v.LookupPath(cue.MakePath(selector.Optional())); element.Exists() {
			return element, true
		}
	}
	return cue.Value{}, false
}

// anyNames returns names that a pattern may allow, and that no module declares.
func anyNames() []cue.Selector {
	return []cue.Selector{cue.AnyString, cue.Str("example.com/name"), cue.Str("name0"), cue.Str("anyname")}
}
