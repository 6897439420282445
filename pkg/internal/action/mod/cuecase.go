// SPDX-License-Identifier: Apache-2.0

package mod

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/cuefile"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// caseSchema is what a file of tests in CUE is unified with.
const caseSchema = `
#Case: {
	name:          *"app" | string
	namespace:     *"default" | string
	package:       *"" | string
	kubeVersion:   *"" | string
	moduleVersion: *"" | string
	debug:         *false | bool
	values?: {...}
	want?: [...]
	objects?: [...]
	absent?: [...string]
	error?: string | [...string]
}

cases: [string]: #Case
`

// cueTests is a file of tests in CUE.
type cueTests struct {
	file  string // as a user would write it
	data  []byte
	mu    sync.Mutex // over the values of the file and the edits
	edits []edit
}

// constraint is what a test in CUE says of a field without saying its value.
type constraint struct {
	tests *cueTests
	value cue.Value
}

// allows says whether a value of an object meets the constraint.
func (c *constraint) allows(got any) bool {
	c.tests.mu.Lock()
	defer c.tests.mu.Unlock()
	return c.value.Unify(cuecontext.New().Encode(got)).Validate(cue.Concrete(true)) == nil
}

// String returns the constraint as the file has it, or else as it is evaluated.
func (c *constraint) String() string {
	c.tests.mu.Lock()
	defer c.tests.mu.Unlock()
	said := fmt.Sprint(c.value)
	if node := c.tests.source(c.value); node != nil {
		said = string(c.tests.data[node.Pos().Offset():node.End().Offset()])
	}
	return strings.Join(strings.Fields(said), " ")
}

// source returns where the file says a value, nil where it does not or in
// several places.
func (t *cueTests) source(v cue.Value) ast.Node {
	node := v.Source()
	if field, ok := node.(*ast.Field); ok {
		node = field.Value
	}
	if node == nil || node.Pos().Filename() != t.file || !node.End().IsValid() {
		return nil
	}
	return node
}

// readCUE reads the tests of a file below dir, the module. In errors, and in
// those of its values, the places are those of the file.
func readCUE(dir, file string, data []byte) ([]*testCase, error) {
	root, err := cuefile.Evaluate(
		[]cuefile.File{{Name: file, Path: file, Format: values.CUE, Data: data}},
		cuefile.Options{Within: dir, Schema: cuefile.File{Name: "the schema of tests", Format: values.CUE, Data: []byte(caseSchema)}})
	if err != nil {
		return nil, err
	}
	tests := &cueTests{file: file, data: data}
	var all []*testCase
	items, err := root.LookupPath(cue.ParsePath("cases")).Fields()
	for err == nil && items.Next() {
		var c *testCase
		c, err = tests.read(items.Selector().Unquoted(), items.Value())
		all = append(all, c)
	}
	if err != nil {
		return nil, values.Explain(err)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: there is nothing in the field cases", file)
	}
	return all, nil
}

func (t *cueTests) read(title string, v cue.Value) (*testCase, error) {
	c := &testCase{file: t.file, cue: t, title: title}
	for name, to := range map[string]any{
		"name": &c.name, "namespace": &c.namespace, "package": &c.pkg, "kubeVersion": &c.kubeVersion,
		"moduleVersion": &c.moduleVersion, "debug": &c.debug, "absent": &c.absent,
	} {
		if field := v.LookupPath(cue.MakePath(cue.Str(name))); field.Exists() {
			if err := field.Decode(to); err != nil {
				return nil, err
			}
		}
	}
	if given := v.LookupPath(cue.ParsePath("values")); given.Exists() {
		literal, err := values.Literal(given)
		if err != nil {
			return nil, err
		}
		c.values = []values.Source{{Name: t.file, Expr: literal, Dir: filepath.Dir(t.file)}}
	}
	return c, t.readExpected(c, v)
}

// readExpected reads what the values are to make.
func (t *cueTests) readExpected(c *testCase, v cue.Value) error {
	if said := v.LookupPath(cue.ParsePath("error")); said.Exists() {
		c.expectsError = true
		var one string
		if said.Decode(&one) == nil {
			c.errors = []string{one}
		} else if err := said.Decode(&c.errors); err != nil {
			return err
		}
	}
	if exact := v.LookupPath(cue.ParsePath("objects")); exact.Exists() {
		var objects []api.Object
		if err := decode(exact, &objects); err != nil {
			return err
		}
		c.exact, c.objects = true, string(api.YAML(objects))
	}
	want := v.LookupPath(cue.ParsePath("want"))
	if !want.Exists() {
		return nil
	}
	items, err := want.List()
	if err != nil {
		return err
	}
	for items.Next() {
		object, _ := t.expected(items.Value()).(map[string]any)
		if api.Object(object).Kind() == "" {
			return errors.Newf(items.Value().Pos(), "an object has no kind")
		}
		c.want = append(c.want, wanted{object: object, value: items.Value()})
	}
	return nil
}

// expected returns a value in the form of rendered objects, with a constraint
// for each part that is not concrete.
func (t *cueTests) expected(v cue.Value) any {
	v, _ = v.Default()
	switch v.IncompleteKind() {
	case cue.StructKind:
		items, err := v.Fields()
		if err != nil || hasPattern(v) {
			break
		}
		object := map[string]any{}
		for items.Next() {
			object[items.Selector().Unquoted()] = t.expected(items.Value())
		}
		return object
	case cue.ListKind:
		items, err := v.List()
		if err != nil || !v.IsConcrete() {
			break
		}
		list := []any{}
		for items.Next() {
			list = append(list, t.expected(items.Value()))
		}
		return list
	default:
		var concrete any
		if decode(v, &concrete) == nil {
			return normalize(concrete)
		}
	}
	return &constraint{t, v}
}

// hasPattern says whether a struct constrains fields that it does not name.
func hasPattern(v cue.Value) bool {
	of := v.LookupPath(cue.MakePath(cue.AnyString))
	return of.Exists() && of.IncompleteKind() != cue.TopKind
}

// decode reads a concrete value as JSON.
func decode(v cue.Value, to any) error {
	data, err := v.MarshalJSON()
	if err != nil {
		return err
	}
	return json.Unmarshal(data, to)
}

// readable returns a value of a test with a word in place of each constraint,
// and adds the word and the constraint's text to replace: YAML would quote it.
func readable(v any, replace *[]string) any {
	switch v := v.(type) {
	case map[string]any:
		all := map[string]any{}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			all[key] = readable(v[key], replace)
		}
		return all
	case []any:
		all := make([]any, len(v))
		for i, value := range v {
			all[i] = readable(value, replace)
		}
		return all
	case *constraint:
		word := fmt.Sprintf("constraint-%d-of-the-test", len(*replace)/2)
		*replace = append(*replace, word, v.String())
		return word
	}
	return v
}

// encode returns a value of an object as CUE.
func encode(v any) string { return text(cuecontext.New().Encode(v)) }
