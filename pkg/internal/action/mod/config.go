// SPDX-License-Identifier: Apache-2.0

package mod

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/format"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
)

// Field is a field of a module's values that a user may set.
type Field struct {
	Name     string
	Doc      string // its comment in the module
	Required bool   // the user has to set it
	Optional bool   // there is no such field unless the user sets it
	Fields   []Field

	elements []Field   // of each struct in a map: its names are the user's
	value    cue.Value // of the schema
	typ      string    // of a field without Fields and elements, as CUE
	initial  string    // the default, as CUE; empty when there is none
}

// Config is the schema of a module's values.
type Config struct {
	ModulePath string
	Fields     []Field
}

// ReadConfig reads the schema of the values of a module. Left out are the
// fields that the module itself fills in, such as the instance's name, and those
// it computes. deps says how the CUE modules are fetched that it names; nil: none.
func ReadConfig(ctx context.Context, module ref.Reference, pkg string, options oci.Options, deps *render.CUERegistry) (config *Config, err error) {
	m, err := source.Open(ctx, module, source.Options{OCI: options})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	config, err = render.Inspect(ctx, render.Request{
		Dir: m.Dir, Origin: module.String(), Package: pkg, ModuleVersion: m.Version, CUERegistry: deps,
	}, func(s *render.Schema) *Config {
		return &Config{ModulePath: s.ModulePath, Fields: fieldsOf(s.Type, s.Defaults, s.Config)}
	})
	if err != nil {
		return nil, fmt.Errorf("module %s: %w", module, err)
	}
	return config, nil
}

// fieldsOf returns the fields of a struct: typ says what they may hold, defaults
// what they hold when nothing is set, and config what they then hold in an
// instance.
func fieldsOf(typ, defaults, config cue.Value) []Field {
	var fields []Field
	items, err := typ.Fields(cue.Optional(true))
	for err == nil && items.Next() {
		selector := items.Selector()
		path := cue.MakePath(cue.Str(selector.Unquoted()))
		f := Field{Name: selector.Unquoted(), Doc: doc(items.Value()), value: items.Value()}
		f.Optional = selector.ConstraintType() == cue.OptionalConstraint && !defaults.LookupPath(path).Exists()
		initial, filled := defaults.LookupPath(path), config.LookupPath(path)
		isChoice := choices(f.value) != nil
		if hasFields(f.value) && !isChoice {
			below := initial
			if !below.Exists() {
				below = f.value // the defaults of a struct that only the user sets
			}
			if f.Fields = fieldsOf(f.value, below, filled); len(f.Fields) > 0 {
				f.Required = selector.ConstraintType() == cue.RequiredConstraint && !initial.Exists()
				fields = append(fields, f)
			}
			continue
		}
		if element, ok := element(f.value); ok && hasFields(element) {
			f.elements = fieldsOf(element, element, cue.Value{})
			fields = append(fields, f)
			continue
		}
		if isFixed(f.value) || !isKnown(initial) && isKnown(filled) {
			continue
		}
		f.typ = typeText(f.value)
		if isKnown(initial) && (isChoice || initial.IncompleteKind() != cue.StructKind) {
			f.initial = text(initial)
		}
		f.Required = f.initial == "" && selector.ConstraintType() != cue.OptionalConstraint && (isChoice || f.value.IncompleteKind() != cue.StructKind)
		fields = append(fields, f)
	}
	return fields
}

func hasFields(v cue.Value) bool {
	if v.IncompleteKind() != cue.StructKind {
		return false
	}
	items, err := v.Fields(cue.Optional(true))
	return err == nil && items.Next()
}

// isKnown says whether v is one value, by default at least.
func isKnown(v cue.Value) bool {
	if !v.Exists() {
		return false
	}
	v, _ = v.Default()
	return v.Validate(cue.Concrete(true)) == nil
}

// isFixed reports whether no user can set a field, since the module fixes its value
// or the expression that computes it.
func isFixed(v cue.Value) bool {
	if op, _ := v.Expr(); op == cue.InterpolationOp {
		return true
	}
	_, hasDefault := v.Default()
	return !hasDefault && isKnown(v) && v.IncompleteKind() != cue.StructKind && v.IncompleteKind() != cue.ListKind
}

// doc returns the comment of a field. Where a field is declared in several
// places, the first that has one counts.
func doc(v cue.Value) string {
	for _, group := range v.Doc() {
		if text := strings.TrimSpace(group.Text()); text != "" && !strings.HasPrefix(text, "SPDX-") {
			return text
		}
	}
	return ""
}

// text returns a value as CUE, on one line where it fits.
func text(v cue.Value) string {
	if isKnown(v) {
		v, _ = v.Default()
		if out, err := format.Node(v.Syntax(cue.Final())); err == nil {
			return string(out)
		}
	}
	return fmt.Sprint(v)
}
