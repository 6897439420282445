// SPDX-License-Identifier: Apache-2.0

package bundle

import (
	"fmt"
	"path/filepath"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// Origin is where values of an instance come from, other than the files of the
// bundle: a file, or a key of an object in the instance's namespace.
type Origin struct {
	// File is relative to the working directory of the process, computed from
	// the file that names it; empty for an object.
	File   string
	Object values.Reference
	at     token.Position // where it is named
}

// origins returns the field valuesFrom, in its order: a later one wins.
func (r *reader) origins(v cue.Value) []Origin {
	list := field(v, "valuesFrom")
	if !list.Exists() {
		return nil
	}
	items, err := list.List()
	if err != nil {
		r.problem(list, "expected a list, got %s", list.IncompleteKind())
		return nil
	}
	var all []Origin
	for items.Next() {
		if r.isStruct(items.Value()) {
			all = append(all, r.origin(items.Value()))
		}
	}
	return all
}

func (r *reader) origin(v cue.Value) Origin {
	r.fields(v, "file", "kind", "name", "key")
	o := Origin{at: position(v), File: r.text(v, "file", false)}
	o.Object = values.Reference{Kind: r.text(v, "kind", false), Name: r.text(v, "name", false), Key: r.text(v, "key", false)}
	switch object := o.Object; {
	case o.File != "" && object != values.Reference{}:
		r.problem(v, "a file and an object are two sources of values")
	case o.File != "":
		o.File = r.path(field(v, "file"), o.File)
	case object.Kind != values.ConfigMap && object.Kind != values.Secret:
		r.problem(v, "expected file, or kind (%s or %s), name and key", values.ConfigMap, values.Secret)
	case object.Name == "" || object.Key == "":
		r.problem(v, "name or key of the %s is missing", object.Kind)
	}
	return o
}

func (o Origin) syntax() ast.Expr {
	if o.File != "" {
		return ast.NewStruct(newField("file", ast.NewString(filepath.ToSlash(o.File))))
	}
	return ast.NewStruct(newField("kind", ast.NewString(o.Object.Kind)),
		newField("name", ast.NewString(o.Object.Name)), newField("key", ast.NewString(o.Object.Key)))
}

// Explain says in an error about an origin which instance names it, and where.
func (o Origin) Explain(instance string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("instance %q: %w\n    %s", instance, err, o.at)
}
