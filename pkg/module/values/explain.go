// SPDX-License-Identifier: Apache-2.0

package values

import (
	"cmp"
	stderrors "errors"
	"fmt"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/order"
)

// Module is what an explanation reads of the module. Each function may be nil.
type Module struct {
	// Text returns a file of the module by the name that it has in positions,
	// nil when there is none.
	Text func(name string) []byte
	// Fields returns the fields that the module has at a path below values.
	Fields func(path []string) []Field
	// Meant returns what a reference to nothing may have been meant for.
	Meant func(name string, at token.Position) string
	// Advise returns the advice for a problem with a Remedy, in the words of the
	// caller: a flag, a field of a file.
	Advise func(Problem) string
}

// Field is a field that a module has.
type Field struct {
	Name     string
	Position token.Position // of what it may hold
}

// Explain returns an error of CUE, or an *Error, in the words of the user who wrote
// the values: one problem for each place in the sources, however many
// alternatives of a disjunction and references to the value it was found
// through; what merely follows from another problem is left out. Any other
// error, and nil, is returned as it is.
func (t *Tree) Explain(err error, module Module) error {
	if err == nil {
		return nil
	}
	x := &explainer{sources: t.sources, module: module, nodes: t.written(), files: map[string]*ast.File{}, mask: Mask(t.sources), marked: map[string][]mark{}, unknownFields: map[string]bool{}}
	if e, ok := stderrors.AsType[*Error](err); ok {
		if !e.explained {
			e.Problems, e.explained = x.problems(e.findings()), true
		}
		return err
	}
	if _, ok := stderrors.AsType[errors.Error](err); ok {
		return &Error{Problems: x.problems(findings(err)), explained: true, cause: err}
	}
	return err
}

// schemaPrefix begins the name of the schema that is part of every module.
const schemaPrefix = "timoni.sh/core/v1alpha1/"

// class is what kind of thing CUE found.
type class int

const (
	other class = iota
	consequence
	mismatch // of types
	conflict // of values of one type
	bound    // a value that a validator does not accept
	unknownField
	missing
)

// classify goes by CUE's formats (v0.17.1), of which TestExplain has each.
func classify(format string) class {
	switch format {
	case "conflicting values %s and %s (mismatched types %s and %s)":
		return mismatch
	case "conflicting values %s and %s":
		return conflict
	case "invalid value %v (out of bound %s)", "invalid value %s (does not satisfy %s)":
		return bound
	case "field not allowed":
		return unknownField
	case "field is required but not present", "incomplete value %v":
		return missing
	}
	for _, prefix := range []string{
		"invalid interpolation", "error in call to", "cannot use %s", "non-concrete", "undefined field",
		"cannot convert", "cannot reference optional", "required field missing", "invalid operand", "invalid operation",
	} {
		if strings.HasPrefix(format, prefix) {
			return consequence
		}
	}
	return other
}

// finding is one thing as CUE says it.
type finding struct {
	class  class
	path   []string
	text   string // the whole message
	where  string // the path as it is shown
	args   []string
	places []token.Position // in CUE's order: of a conflict, first those of its two sides
	choice string           // where the disjunction is of which this is one alternative's

	unresolved bool // a reference to nothing
	own        bool // Problem.IsOwn
	unparsed   bool // nothing of the source may be shown: what it holds is not known
}

func (e *Error) findings() []finding {
	if e.cause != nil {
		return findings(e.cause)
	}
	list := make([]finding, len(e.Problems))
	for i, p := range e.Problems {
		if list[i] = (finding{text: p.Message, where: p.Path, places: p.Positions, own: p.IsOwn}); p.finding != nil {
			list[i] = *p.finding
		}
	}
	return list
}

func findings(err error) []finding {
	var list []finding
	choice := ""
	for _, e := range errors.Errors(err) {
		f := newFinding(e)
		if headingRE.MatchString(f.text) {
			choice = f.where
			continue
		}
		if rest, ok := strings.CutPrefix(f.where, choice); ok && choice != "" && strings.Trim(rest[:min(1, len(rest))], ".[") == "" {
			f.choice = choice
		}
		list = append(list, f)
	}
	return list
}

func newFinding(e errors.Error) finding {
	format, args := e.Msg()
	f := finding{
		class: classify(format), unresolved: format == "reference %q not found", path: e.Path(), where: pathString(e.Path()),
		text: errors.StringWithConfig(e, &errors.Config{OmitPath: true}),
	}
	for _, arg := range args {
		f.args = append(f.args, fmt.Sprint(arg))
	}
	for _, pos := range append([]token.Pos{e.Position()}, e.InputPositions()...) {
		if p := pos.Position(); p.IsValid() && !slices.Contains(f.places, p) {
			f.places = append(f.places, p)
		}
	}
	return f
}

// explainer turns findings into problems.
type explainer struct {
	sources []Source
	module  Module
	nodes   map[token.Position][]written
	files   map[string]*ast.File // of the module, by name
	mask    func(string) string  // of what is secret
	marked  map[string][]mark    // by the name of the source

	unknownFields map[string]bool // paths below values that the module does not know
}

// problems groups the findings by the place that is to blame.
func (x *explainer) problems(list []finding) []Problem {
	for i := range list {
		list[i].text = x.mask(list[i].text)
		for j, arg := range list[i].args {
			list[i].args[j] = x.mask(arg)
		}
	}
	if slices.ContainsFunc(list, func(f finding) bool { return f.class != consequence }) {
		list = slices.DeleteFunc(list, func(f finding) bool { return f.class == consequence })
	}
	list = x.bestAlternatives(list)
	groups := map[string][]finding{}
	for _, f := range list {
		groups[x.key(f)] = append(groups[x.key(f)], f)
		at, blamed := x.blamed(f)
		x.unknownFields[pathString(x.pathIn(f, at, blamed))] = f.class == unknownField
	}
	problems := make([]Problem, 0, len(groups))
	for _, group := range groups {
		problems = append(problems, x.problem(nearestToValues(group)))
	}
	slices.SortFunc(problems, x.compare)
	return problems
}

// bestAlternatives leaves of each disjunction the findings at one place: where
// a type or a bound was broken, rather than where a value is not the default.
func (x *explainer) bestAlternatives(list []finding) []finding {
	score := func(f finding) int {
		users := 0
		for _, place := range f.places {
			if x.isUsers(place) {
				users++
			}
		}
		switch f.class {
		case bound, mismatch, unknownField:
			return 100 + users
		case conflict:
			return 10 + users
		}
		return users
	}
	best := map[string]finding{}
	for _, f := range list {
		if b, ok := best[f.choice]; !ok || score(f) > score(b) {
			best[f.choice] = f
		}
	}
	return slices.DeleteFunc(list, func(f finding) bool {
		at, _ := x.blamed(f)
		bestAt, _ := x.blamed(best[f.choice])
		return f.choice != "" && at != bestAt
	})
}

// key is equal for what has one cause.
func (x *explainer) key(f finding) string {
	switch blamed, ok := x.blamed(f); {
	case ok && f.class != other && f.class != consequence:
		return blamed.String()
	case f.class == missing:
		return "missing " + strings.Join(valuePath(f.path), "\x00")
	}
	return fmt.Sprint(f.where, f.text, f.places)
}

// blamed returns the place that the user has to change: the user's, if there is
// one, or that of the value which does not fit.
func (x *explainer) blamed(f finding) (token.Position, bool) {
	for _, place := range f.places {
		if x.isUsers(place) {
			return place, true
		}
	}
	switch {
	case f.class == missing || len(f.places) == 0:
		return token.Position{}, false
	case f.class == bound && len(f.places) > 1:
		return f.places[1], true // the bound's own comes first
	case len(f.places) > 1 && (f.class == mismatch && isKind(f.args[0]) ||
		f.class == conflict && (!x.isModules(f.places[0]) || strings.Contains("/"+f.places[0].Filename, "/cue.mod/"))):
		return f.places[1], true
	}
	return f.places[0], true
}

func (x *explainer) isUsers(p token.Position) bool { return x.order(p) >= 0 }

// isModules says whether a place is in a file that the user can change.
func (x *explainer) isModules(p token.Position) bool {
	return !strings.HasPrefix(p.Filename, schemaPrefix)
}

func (x *explainer) order(p token.Position) int {
	return slices.IndexFunc(x.sources, func(s Source) bool { return s.Name == p.Filename })
}

// nearestToValues returns the findings of a group at the path that is nearest
// to what the user knows: in the values, then in the configuration, then
// wherever they are referred to.
func nearestToValues(group []finding) []finding {
	rank := func(f finding) int {
		switch {
		case len(f.path) > 0 && f.path[0] == fieldName:
			return -1
		case len(valuePath(f.path)) < len(f.path):
			return 0
		}
		return len(f.path)
	}
	nearest := slices.MinFunc(group, func(a, b finding) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.where, b.where))
	})
	return slices.DeleteFunc(group, func(f finding) bool { return f.where != nearest.where })
}

// valuePath returns the path below values of what CUE reports in the values or
// in the instance's configuration, and any other path as it is.
func valuePath(path []string) []string {
	for _, prefix := range [][]string{{fieldName}, {"timoni", "instance", "config"}} {
		if len(path) > len(prefix) && slices.Equal(path[:len(prefix)], prefix) {
			return path[len(prefix):]
		}
	}
	return path
}

// compare orders problems: those of the user's values as the sources stand,
// then the module's by their paths.
func (x *explainer) compare(a, b Problem) int {
	order := func(p Problem) int {
		if len(p.Positions) > 0 && x.isUsers(p.Positions[0]) {
			return x.order(p.Positions[0])
		}
		return len(x.sources)
	}
	byPlace := 0
	if order(a) < len(x.sources) {
		byPlace = slices.CompareFunc(a.Positions, b.Positions, comparePositions)
	}
	return cmp.Or(cmp.Compare(order(a), order(b)), byPlace, cmp.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message),
		slices.CompareFunc(a.Positions, b.Positions, comparePositions))
}

// written is a value in a source.
type written struct {
	path  []string
	label bool
	null  bool
}

// written returns what the sources set, by place.
func (t *Tree) written() map[token.Position][]written {
	found := map[token.Position][]written{}
	add := func(n ast.Node, path []string, label, null bool) {
		if n == nil || !n.Pos().IsValid() {
			return
		}
		at := n.Pos().Position()
		found[at] = append(found[at], written{slices.Clone(path), label, null})
	}
	var values func(e ast.Expr, path []string)
	values = func(e ast.Expr, path []string) {
		add(e, path, false, false)
		switch x := e.(type) {
		case *ast.ListLit:
			for i, elem := range x.Elts {
				values(elem, append(path, fmt.Sprint(i)))
			}
		case *ast.StructLit:
			for _, decl := range x.Elts {
				if field, ok := decl.(*ast.Field); ok {
					below := slices.Concat(path, []string{order.LabelName(field.Label)})
					add(field.Label, below, true, false)
					values(field.Value, below)
				}
			}
		}
	}
	var nodes func(n *node, path []string)
	nodes = func(n *node, path []string) {
		if n.label != nil {
			add(n.label, path, true, n.kind == unset)
		}
		if n.kind == leaf {
			values(n.value, path)
		}
		for _, child := range n.children {
			name, _, _ := ast.LabelName(child.label)
			nodes(child, append(path, name))
		}
	}
	nodes(&t.root, nil)
	return found
}

// pathOf returns the path below values of what stands at a place of the
// sources, which CUE found at a path, or within what is there. More than one
// path may come from one place in a CUE file.
func (x *explainer) pathOf(at token.Position, path []string) ([]string, bool) {
	candidates, below := x.nodes[at], valuePath(path)
	inValues := len(below) < len(path)
	for _, w := range candidates {
		isThere := len(w.path) <= len(path) && slices.Equal(w.path, path[len(path)-len(w.path):])
		isWithin := inValues && !w.label && len(w.path) > len(below) && slices.Equal(below, w.path[:len(below)])
		if isThere || isWithin {
			return w.path, true
		}
	}
	if len(candidates) == 0 || inValues {
		return nil, false
	}
	return candidates[0].path, true
}

// nullAt returns the place where a source takes the value at a path away.
func (x *explainer) nullAt(path []string) (token.Position, bool) {
	for at, list := range x.nodes {
		for _, w := range list {
			if w.null && slices.Equal(w.path, path) {
				return at, true
			}
		}
	}
	return token.Position{}, false
}
