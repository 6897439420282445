// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/token"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// reader reads the stages of timoni.apply and collects what is wrong on the
// way, so that an author sees all of it at once.
type reader struct {
	namespace string
	scopes    []Scope                                                      // of kinds whose CRD is not among the objects
	vendored  func(gk api.GroupKind, version string) (cluster, known bool) // of the module's own schemas
	unscoped  []api.Object
	problems  []values.Problem
	warnings  []string
	found     []*found
}

// found is an object and where it comes from.
type found struct {
	object api.Object
	value  cue.Value
	stage  int
}

// readSets returns the stages in their order, with namespaces filled in and
// without what is the server's.
func (r *reader) readSets(apply cue.Value) (sets []Set, warnings []string, err error) {
	stages, err := apply.Fields()
	if err != nil {
		return nil, nil, values.Explain(err)
	}
	for stages.Next() {
		if err := r.readStage(len(sets), stages.Value()); err != nil {
			return nil, nil, err
		}
		sets = append(sets, Set{Name: stages.Selector().Unquoted()})
	}
	if err := problems(r.problems); err != nil {
		return nil, nil, err // what could not be read cannot be checked
	}
	r.defaultNamespaces()
	r.validate()
	if err := problems(r.problems); err != nil {
		return nil, nil, &certainError{err}
	}
	var all []api.Object
	for _, f := range r.found {
		set := &sets[f.stage]
		set.Objects, set.values = append(set.Objects, f.object), append(set.values, f.value)
		all = append(all, f.object)
	}
	return sets, append(r.warnings, DropServerFields(all)...), nil
}

func (r *reader) readStage(stage int, list cue.Value) error {
	items, err := list.List()
	if err != nil {
		return values.Explain(err)
	}
	for items.Next() {
		r.readItem(stage, items.Value())
	}
	return nil
}

// readItem reads an element of a stage: an object, a list of objects, or what
// is to be skipped (docs/interop.md, section 1).
func (r *reader) readItem(stage int, v cue.Value) {
	before := len(r.problems)
	decoded := r.decode(v)
	object, isMap := decoded.(map[string]any)
	switch {
	case decoded == nil || len(r.problems) > before:
	case !isMap:
		r.problem(v, "expected an object, got %s", v.Kind())
	case isKustomization(object):
	case isList(object):
		r.readItems(stage, v)
	default:
		r.found = append(r.found, &found{object: object, value: v, stage: stage})
	}
}

func (r *reader) readItems(stage int, list cue.Value) {
	items, err := list.LookupPath(cue.MakePath(cue.Str("items"))).List()
	if err != nil {
		return // decode has said so
	}
	for items.Next() {
		r.readItem(stage, items.Value())
	}
}

func isKustomization(o api.Object) bool {
	return o.Kind() == "Kustomization" && o.Group() == "kustomize.config.k8s.io"
}

func isList(o api.Object) bool {
	_, hasItems := o["items"].([]any)
	return hasItems && strings.HasSuffix(o.Kind(), "List")
}

// decode returns a value as its JSON would decode, without making JSON of it.
func (r *reader) decode(v cue.Value) any {
	kind := v.Kind()
	if kind == cue.BottomKind {
		v, _ = v.Default()
		kind = v.Kind()
	}
	switch kind {
	case cue.StructKind:
		return r.decodeStruct(v)
	case cue.ListKind:
		return r.decodeList(v)
	case cue.StringKind:
		s, err := v.String()
		r.cueProblem(err)
		return s
	case cue.BytesKind:
		return r.decodeBytes(v)
	case cue.BoolKind:
		b, err := v.Bool()
		r.cueProblem(err)
		return b
	case cue.IntKind, cue.FloatKind, cue.NumberKind:
		return r.decodeNumber(v)
	case cue.NullKind:
		return nil
	}
	if err := v.Validate(cue.Concrete(true), cue.Final()); err != nil {
		r.cueProblem(err)
		return nil
	}
	r.problem(v, "the value is not concrete")
	return nil
}

func (r *reader) decodeStruct(v cue.Value) any {
	fields, err := v.Fields()
	if err != nil {
		r.cueProblem(err)
		return nil
	}
	m := map[string]any{}
	for fields.Next() {
		m[fields.Selector().Unquoted()] = r.decode(fields.Value())
	}
	return m
}

func (r *reader) decodeList(v cue.Value) any {
	items, err := v.List()
	if err != nil {
		r.cueProblem(err)
		return nil
	}
	list := []any{}
	for items.Next() {
		list = append(list, r.decode(items.Value()))
	}
	return list
}

// decodeBytes returns bytes as a plain string, which only text can be.
func (r *reader) decodeBytes(v cue.Value) any {
	b, err := v.Bytes()
	r.cueProblem(err)
	if !utf8.Valid(b) {
		r.problem(v, "the bytes are not UTF-8 text: encode them with encoding/base64")
	}
	return string(b)
}

// decodeNumber returns an integer where the value is one, as a YAML round trip
// does with 1.0 and 1e3.
func (r *reader) decodeNumber(v cue.Value) any {
	if n, err := v.Int64(); err == nil {
		return n
	}
	// What is larger would be another number in the cluster, which reads it as a
	// floating-point one.
	if v.Kind() == cue.IntKind {
		if n, err := v.Int(nil); err == nil && n.IsInt64() { // the least one, which CUE's Int64 (v0.17.1) refuses
			return n.Int64()
		}
		r.problem(v, "the integer does not fit into 64 bits")
		return nil
	}
	f, err := v.Float64()
	if err != nil {
		r.problem(v, "the number does not fit into 64 bits")
		return nil
	}
	if f == math.Trunc(f) && math.Abs(f) < 1<<63 {
		return int64(f)
	}
	return f
}

func (r *reader) cueProblem(err error) {
	if err != nil {
		r.problems = append(r.problems, values.Problems(err)...)
	}
}

func (r *reader) problem(v cue.Value, format string, args ...any) {
	r.problems = append(r.problems, values.Problem{
		Path: v.Path().String(), Message: fmt.Sprintf(format, args...), Positions: positions(v), IsOwn: true,
	})
}

func positions(v cue.Value) []token.Position {
	if pos := v.Pos(); pos.IsValid() {
		return []token.Position{pos.Position()}
	}
	return nil
}
