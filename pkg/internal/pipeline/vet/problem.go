// SPDX-License-Identifier: Apache-2.0

package vet

import (
	"errors"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/token"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// Check returns what is wrong with an object, which consists of maps, slices
// and scalars: first what is missing, which CUE itself does not report next to
// anything else. Paths are those of the object.
func (d Definition) Check(object any) []values.Problem {
	v := d.value.Unify(d.context.Encode(object))
	err := v.Validate(cue.Concrete(true), cue.Final())
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*values.Error](values.Explain(err))
	if !ok {
		return []values.Problem{{Message: err.Error()}}
	}
	var g gaps
	g.look(v, "")
	list := g.found
	for _, p := range e.Problems {
		p.Path = strings.TrimPrefix(strings.TrimPrefix(p.Path, d.path), ".")
		switch {
		case slices.Contains(g.seen, p.Path):
			continue // CUE says it, too
		case p.Message == notAllowed:
			p.Message += d.closed(p.Path)
		}
		p.Positions = d.texts.places(p.Positions)
		list = append(list, p)
	}
	return list
}

const notAllowed = "field not allowed" // in the words of CUE

// gaps are what a value does not have: required fields, and fields that have a
// type and no value, wherever there are other problems in it.
type gaps struct {
	found []values.Problem
	seen  []string // the paths of these, and of what more than one alternative fits
}

func (g *gaps) add(path string, p values.Problem) {
	g.found, g.seen = append(g.found, p), append(g.seen, path)
}

func (g *gaps) look(v cue.Value, at string) {
	if fields, err := v.Fields(cue.Optional(true)); err == nil {
		for fields.Next() {
			switch path := below(at, fields.Selector()); fields.FieldType() & (cue.RequiredConstraint | cue.OptionalConstraint) {
			case cue.RequiredConstraint:
				g.add(path, lacks(fields.Value(), path))
			case 0:
				g.look(fields.Value(), path)
			}
		}
		return
	}
	list, err := v.List()
	if err != nil {
		g.choose(v, at)
		return
	}
	for i := 0; list.Next(); i++ {
		g.look(list.Value(), below(at, cue.Index(i)))
	}
}

// choose looks at a value that has a type and nothing else, or that more than
// one alternative may fit. One that does is enough.
func (g *gaps) choose(v cue.Value, at string) {
	v, _ = v.Default()
	if v.Err() != nil || v.IsConcrete() {
		return
	}
	op, alternatives := v.Eval().Expr()
	if op != cue.OrOp || v.IncompleteKind()&(cue.StructKind|cue.ListKind) == 0 {
		g.add(at, lacks(v, at))
		return
	}
	var of gaps
	for _, a := range alternatives {
		if a.Validate(cue.Concrete(true), cue.Final()) == nil {
			g.seen = append(g.seen, at)
			return
		}
		of.look(a, at)
	}
	p := lacks(v, at)
	if p.Message == isMissing && len(of.seen) > 0 {
		p.Message = "one of these is missing: " + strings.Join(slices.Compact(slices.Sorted(slices.Values(of.seen))), ", ")
	}
	g.add(at, p)
}

// below returns the path of a field or an element. The elements of a list that
// is an error are fields to CUE.
func below(at string, s cue.Selector) string {
	if s.Type() == cue.IndexLabel {
		return at + "[" + s.String() + "]"
	}
	return strings.TrimPrefix(at+"."+nameOf(s), ".")
}

// nameOf returns the name of a field without the mark that it is required or
// optional.
func nameOf(s cue.Selector) string { return strings.TrimRight(s.String(), "!?") }

const isMissing = "required field is missing"

// lacks returns the problem that a field is missing. A definition may have a
// text for it: string | error("…").
func lacks(v cue.Value, path string) values.Problem {
	p := values.Problem{Path: path, Message: isMissing}
	if pos := v.Pos(); pos.IsValid() {
		p.Positions = []token.Position{pos.Position()}
	}
	if text := textOf(v, maxDepth); text != "" {
		p.Message = text
	}
	return p
}

// maxDepth bounds how deep a text is looked for in an expression.
const maxDepth = 4

// textOf returns the text that a definition has for what does not fit, if it
// has one.
func textOf(v cue.Value, depth int) string {
	op, parts := v.Expr()
	if depth == 0 || op != cue.OrOp && op != cue.AndOp {
		return ""
	}
	for _, part := range parts {
		if text := textOf(part, depth-1); text != "" {
			return text
		}
		if op != cue.OrOp {
			continue
		}
		if e, ok := errors.AsType[*values.Error](values.Explain(part.Err())); ok {
			return e.Problems[0].Message
		}
	}
	return ""
}

// closed explains that a definition has no such field.
func (d Definition) closed(path string) string {
	parsed := cue.ParsePath(path).Selectors()
	if len(parsed) == 0 {
		return ""
	}
	at := d.value
	for _, s := range parsed[:len(parsed)-1] {
		next := at.LookupPath(cue.MakePath(s.Optional()))
		if s.Type() == cue.IndexLabel {
			next = at.LookupPath(cue.MakePath(cue.AnyIndex))
		}
		at = next
	}
	var known []string
	if fields, err := at.Fields(cue.Optional(true)); err == nil {
		for fields.Next() {
			known = append(known, nameOf(fields.Selector()))
		}
	}
	text := `: the definition has no "..." here`
	if nearest, ok := fail.Nearest(parsed[len(parsed)-1].String(), known); ok {
		text += ", did you mean \"" + nearest + `"?`
	}
	return text
}
