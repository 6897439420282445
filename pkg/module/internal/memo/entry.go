// SPDX-License-Identifier: Apache-2.0

package memo

import (
	"errors"
	"fmt"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// Entry is a result as it is kept.
type Entry struct {
	ModulePath, Values              string
	Sets                            []Set
	Images, Warnings, ScopeWarnings []string
	Checks                          []api.HealthCheck
}

// Set is a stage of objects and where each of them comes from.
type Set struct {
	Name    string
	Objects []api.Object
	Places  []Place
}

// Place is where an object comes from.
type Place struct {
	Path, File   string
	Line, Column int
}

// Encode returns the bytes of the entry.
func (e Entry) Encode() ([]byte, error) {
	var sets, checks []any
	for _, set := range e.Sets {
		var objects []any
		for i, o := range set.Objects {
			at := set.Places[i]
			objects = append(objects, []any{map[string]any(o), at.Path, at.File, int64(at.Line), int64(at.Column)})
		}
		sets = append(sets, []any{set.Name, objects})
	}
	for _, c := range e.Checks {
		checks = append(checks, []any{c.Name, c.Group, c.Kind, c.CUE})
	}
	return appendValue(nil, []any{e.ModulePath, e.Values, sets, list(e.Images), list(e.Warnings), list(e.ScopeWarnings), checks})
}

func list(texts []string) []any {
	all := make([]any, len(texts))
	for i, text := range texts {
		all[i] = text
	}
	return all
}

// DecodeEntry is the inverse of Encode.
func DecodeEntry(data []byte) (e Entry, err error) {
	defer func() {
		if reason := recover(); reason != nil { // of another form
			err = fmt.Errorf("%w: %v", errDamaged, reason)
		}
	}()
	v, err := decode(data)
	if err != nil {
		return Entry{}, err
	}
	parts := v.([]any)
	e.ModulePath, e.Values = parts[0].(string), parts[1].(string)
	for _, s := range items(parts[2]) {
		set := Set{Name: s[0].(string)}
		for _, o := range items(s[1]) {
			set.Objects = append(set.Objects, api.Object(o[0].(map[string]any)))
			set.Places = append(set.Places, Place{o[1].(string), o[2].(string), int(o[3].(int64)), int(o[4].(int64))})
		}
		e.Sets = append(e.Sets, set)
	}
	e.Images, e.Warnings, e.ScopeWarnings = texts(parts[3]), texts(parts[4]), texts(parts[5])
	for _, c := range items(parts[6]) {
		e.Checks = append(e.Checks, api.HealthCheck{Name: c[0].(string), Group: c[1].(string), Kind: c[2].(string), CUE: c[3].(string)})
	}
	return e, nil
}

var errDamaged = errors.New("the entry is damaged")

func items(v any) [][]any {
	var all [][]any
	for _, item := range v.([]any) {
		all = append(all, item.([]any))
	}
	return all
}

func texts(v any) []string {
	var all []string
	for _, item := range v.([]any) {
		all = append(all, item.(string))
	}
	return all
}
