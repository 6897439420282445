// SPDX-License-Identifier: Apache-2.0

package healthcheck

import (
	"cmp"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/format"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// Kept returns a check of which only the text of Text is left. It is evaluated
// when it is needed.
func Kept(name, group, kind, text string) *Check {
	return &Check{Name: name, Group: group, Kind: kind, text: text}
}

// compile gives a check that was kept its value. Paths in errors are those in the
// module.
func (c *Check) compile() error {
	if c.text == "" {
		return nil
	}
	path := cue.ParsePath("timoni.healthChecks").Append(cue.Str(c.Name))
	v := cuecontext.New().CompileString(c.text, cue.Filename("healthChecks.cue")).LookupPath(path)
	if err := v.Err(); err != nil {
		return err
	}
	c.value, c.text = v, ""
	return nil
}

// Text returns the check as CUE that needs no package, and false where there is
// none that says the same of objects.
func (c *Check) Text() (text string, ok bool) {
	defer func() { ok = recover() == nil && ok }() // of CUE
	expr, isExpr := c.value.Syntax(cue.All(), cue.InlineImports(true)).(ast.Expr)
	if !isExpr {
		return "", false
	}
	nested := ast.NewStruct("timoni", ast.NewStruct("healthChecks", ast.NewStruct(ast.NewString(c.Name), expr)))
	data, err := format.Node(nested)
	if err != nil {
		return "", false
	}
	return string(data), c.isLike(Kept(c.Name, c.Group, c.Kind, string(data)))
}

// isLike says whether two checks say the same of objects as controllers leave
// them.
func (c *Check) isLike(other *Check) bool {
	ready, failed := c.Conditions()
	if r, f := other.Conditions(); r != ready || f != failed {
		return false
	}
	for _, o := range c.samples(cmp.Or(ready, "Ready"), cmp.Or(failed, "Accepted")) {
		want, wantErr := c.Health(o)
		got, err := other.Health(o)
		if got != want || (err == nil) != (wantErr == nil) {
			return false
		}
	}
	return true
}

func (c *Check) samples(conditions ...string) []api.Object {
	statuses := []any{nil, map[string]any{"observedGeneration": int64(1)}}
	for _, kind := range conditions {
		for _, status := range []string{"True", "False"} {
			conditions := []any{map[string]any{"type": kind, "status": status, "observedGeneration": int64(2)}}
			owners := []any{map[string]any{"conditions": conditions, "parentRef": map[string]any{"name": "x"}}}
			statuses = append(statuses, map[string]any{
				"observedGeneration": int64(2), "conditions": conditions, "parents": owners, "ancestors": owners, "phase": kind, "ready": status == "True",
			})
		}
	}
	var objects []api.Object
	for _, status := range statuses {
		o := api.Object{
			"apiVersion": c.Group + "/v1", "kind": cmp.Or(c.Kind, "Sample"),
			"metadata": map[string]any{"name": "sample", "namespace": "default", "generation": int64(2)},
			"spec":     map[string]any{"parentRefs": []any{map[string]any{"name": "x"}}},
		}
		if status != nil {
			o["status"] = status
		}
		objects = append(objects, o)
	}
	return objects
}
