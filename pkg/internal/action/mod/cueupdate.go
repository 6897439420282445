// SPDX-License-Identifier: Apache-2.0

package mod

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// edit puts text in place of what stands between two offsets of a file.
type edit struct {
	start, end int
	text       string
}

// add adds edits. Several cases do at once.
func (t *cueTests) add(edits ...edit) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.edits = append(t.edits, edits...)
}

// takeOver changes what v, of which want is the form, says of an object to what
// it is, unless that is not possible. Fields are changed one by one, so that
// constraints stay.
func (t *cueTests) takeOver(v cue.Value, want, got any) bool {
	edits, ok := t.changes(v, want, got)
	if ok {
		t.add(edits...)
	}
	return ok
}

func (t *cueTests) changes(v cue.Value, want, got any) (edits []edit, ok bool) {
	switch want := want.(type) {
	case *constraint:
		return nil, want.allows(got)
	case map[string]any:
		fields, ok := got.(map[string]any)
		if !ok {
			return nil, false
		}
		for key, value := range want {
			field, has := fields[key]
			if !has && value == nil {
				continue
			}
			of, ok := t.changes(v.LookupPath(cue.MakePath(cue.Str(key))), value, field)
			if !ok || !has {
				return nil, false
			}
			edits = append(edits, of...)
		}
		return edits, true
	case []any:
		if list, ok := got.([]any); ok {
			return t.changesOfList(v, want, list)
		}
		return nil, false
	}
	if reflect.DeepEqual(want, got) {
		return nil, true
	}
	return t.replace(v, got)
}

func (t *cueTests) changesOfList(v cue.Value, want, got []any) (edits []edit, ok bool) {
	byName := named(got)
	if byName == nil || named(want) == nil {
		if len(want) != len(got) {
			return t.replace(v, got)
		}
		byName = nil
	}
	for i, value := range want {
		element := byName[nameOf(value)]
		if byName == nil {
			element = got[i]
		}
		of, ok := t.changes(v.LookupPath(cue.MakePath(cue.Index(i))), value, element)
		if !ok {
			return nil, false
		}
		edits = append(edits, of...)
	}
	return edits, true
}

// replace puts the value with where a literal of the file says v. It is not ok
// when the file says it in another way.
func (t *cueTests) replace(v cue.Value, with any) (edits []edit, ok bool) {
	t.mu.Lock()
	node := t.source(v)
	t.mu.Unlock()
	switch node.(type) {
	case *ast.BasicLit, *ast.UnaryExpr, *ast.ListLit:
	default:
		return nil, false
	}
	return []edit{{node.Pos().Offset(), node.End().Offset(), encode(with)}}, true
}

// setObjects makes a case expect objects and no others: where it has objects,
// in its struct, or else at the end of the file.
func (t *cueTests) setObjects(c *testCase, objects []api.Object) bool {
	literal := t.literal(c.title)
	at := edit{len(t.data), len(t.data), "\ncases: " + strconv.Quote(c.title) + ": objects: " + encode(objects) + "\n"}
	if literal != nil && literal.Rbrace.IsValid() {
		end := literal.Rbrace.Offset()
		at = edit{end, end, "\nobjects: " + encode(objects) + "\n"}
	}
	if !c.exact {
		t.add(at)
		return true
	}
	if literal == nil {
		return false
	}
	for _, decl := range literal.Elts {
		if field, ok := decl.(*ast.Field); ok && labelOf(field) == "objects" {
			t.add(edit{field.Value.Pos().Offset(), field.Value.End().Offset(), encode(objects)})
			return true
		}
	}
	return false
}

// literal returns the struct that is written for a case, nil where it comes
// about in another way.
func (t *cueTests) literal(title string) *ast.StructLit {
	file, err := parser.ParseFile(t.file, t.data)
	if err != nil {
		return nil
	}
	for _, cases := range structsOf(file.Decls, "cases") {
		for _, literal := range structsOf(cases.Elts, title) {
			return literal
		}
	}
	return nil
}

// structsOf returns the structs that are written for a field.
func structsOf(decls []ast.Decl, label string) (found []*ast.StructLit) {
	for _, decl := range decls {
		if field, ok := decl.(*ast.Field); ok && labelOf(field) == label {
			if literal, ok := field.Value.(*ast.StructLit); ok {
				found = append(found, literal)
			}
		}
	}
	return found
}

func labelOf(field *ast.Field) string {
	label, _, _ := ast.LabelName(field.Label)
	return label
}

// write writes the file with its edits, formatted, if there are any. The
// module is in dir.
func (t *cueTests) write(dir string) error {
	if len(t.edits) == 0 {
		return nil
	}
	slices.SortFunc(t.edits, func(a, b edit) int { return cmp.Compare(b.start, a.start) })
	data := t.data
	for _, e := range t.edits {
		data = slices.Concat(data[:e.start], []byte(e.text), data[e.end:])
	}
	data, err := FormatSource(t.file, data)
	if err != nil {
		return err
	}
	return writeTest(dir, t.file, data)
}
