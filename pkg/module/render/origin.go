// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"sync"

	"cuelang.org/go/cue"
)

// Origin is where an object, or a field of one, comes from.
type Origin struct {
	Path         string // of the object in the module: timoni.apply.app[0]
	File         string // as it is named in errors, empty where it is not known
	Line, Column int
}

// String returns the path and the place.
func (o Origin) String() string {
	if o.File == "" {
		return o.Path
	}
	return fmt.Sprintf("%s in %s:%d:%d", o.Path, o.File, o.Line, o.Column)
}

// Origin returns where the nth of Objects comes from. With a field, such as
// spec.rules[0].host, the place is that of the field, if it was written down.
func (r *Result) Origin(n int, field string) Origin {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.again != nil && field != "" {
		return r.evaluated(n, field)
	}
	for _, set := range r.Sets {
		switch {
		case n < len(set.values):
			return origin(set.values[n], field, r.nested)
		case n < len(set.places):
			return Origin(set.places[n])
		}
		n -= len(set.Objects)
	}
	return Origin{}
}

// evaluated is Origin of a field for a result that was kept, which does not hold
// the places of fields.
func (r *Result) evaluated(n int, field string) Origin {
	again, err := r.again()
	if err != nil {
		again = &Result{Sets: r.Sets, mu: &sync.Mutex{}} // the module is gone
		field = ""
	}
	r.again = func() (*Result, error) { return again, nil }
	return again.Origin(n, field)
}

// origin returns where an object, or a field of one, comes from. The first
// selectors, which are nested, are not of the module.
func origin(object cue.Value, field string, nested int) Origin {
	o := Origin{Path: cue.MakePath(object.Path().Selectors()[nested:]...).String()}
	at := positions(object)
	if path := cue.ParsePath(field); field != "" && path.Err() == nil {
		if found := positions(object.LookupPath(path)); len(found) > 0 {
			at = found
		}
	}
	if len(at) > 0 {
		o.File, o.Line, o.Column = at[0].Filename, at[0].Line, at[0].Column
	}
	return o
}
