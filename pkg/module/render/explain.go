// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"cuelang.org/go/cue"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/schema"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// explain returns an error of the evaluation with what the user wrote and what
// the module says. It may cost a second evaluation.
func (e *evaluation) explain(err error) error {
	certain, isCertain := errors.AsType[*certainError](err)
	if isCertain {
		err = certain.error
	}
	if err != nil && !isCertain && e.files.part.IsPart() {
		return errPartial
	}
	return e.files.tree.Explain(err, values.Module{Text: e.files.text, Fields: e.fields, Meant: e.files.meant, Advise: e.req.Advise})
}

// certainError is an error about rendered objects, which are the same without
// the vendored fields that nothing refers to: it needs no second evaluation.
type certainError struct{ error }

// text returns a file of the module, as it is before values are merged into
// it, by the name that display gives it.
func (f *files) text(name string) []byte {
	if name == schemaName {
		return schema.Module(f.pkg)
	}
	for path := range f.parsed {
		if f.display(path) == name {
			return read(path)
		}
	}
	if rel, ok := strings.CutPrefix(name, f.display(f.root+string(filepath.Separator))); ok && rel == moduleFile {
		return read(filepath.Join(f.root, filepath.FromSlash(rel)))
	}
	return nil
}

// read returns a file, and nil when it no longer exists.
func read(path string) []byte {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return data
}

// fields returns the fields that the module has at a path of its values. The
// values of the user, which have errors, are left out of it.
func (e *evaluation) fields(path []string) []values.Field {
	tree, err := values.Merge(nil)
	if err != nil {
		return nil
	}
	bare, err := loadModule(e.req, tree)
	if err != nil {
		return nil
	}
	defer bare.confined.Close()
	v := bare.ctx.BuildInstance(bare.instance).LookupPath(cue.MakePath(cue.Str("values")))
	for _, name := range path {
		if v = child(v, name); !v.Exists() {
			return nil // of what is a value as a whole
		}
	}
	iterator, err := v.Fields(cue.Optional(true))
	if err != nil {
		return nil
	}
	var fields []values.Field
	for iterator.Next() {
		field := values.Field{Name: iterator.Selector().Unquoted()}
		if pos := iterator.Value().Pos(); pos.IsValid() {
			field.Position = pos.Position()
		}
		fields = append(fields, field)
	}
	return fields
}

// child returns a field of a struct, be it optional or of a pattern, or what an
// element of a list may be.
func child(v cue.Value, name string) cue.Value {
	for _, selector := range []cue.Selector{cue.Str(name), cue.Str(name).Optional(), cue.AnyString, cue.AnyIndex} {
		if found := v.LookupPath(cue.MakePath(selector)); found.Exists() {
			return found
		}
	}
	return cue.Value{}
}
