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

// kept returns a check of which only its text is left. It is evaluated when it is
// needed.
func kept(k api.HealthCheck) *Check {
	return &Check{Name: k.Name, Group: k.Group, Kind: k.Kind, text: k.CUE}
}

// AllKept is kept for the checks of a module.
func AllKept(texts []api.HealthCheck) []*Check {
	var checks []*Check
	for _, k := range texts {
		checks = append(checks, kept(k))
	}
	return checks
}

// KeepAll returns the texts of checks, and false where one has none.
func KeepAll(checks []*Check) ([]api.HealthCheck, bool) {
	var texts []api.HealthCheck
	for _, c := range checks {
		text, ok := c.asText()
		if !ok {
			return nil, false
		}
		texts = append(texts, api.HealthCheck{Name: c.Name, Group: c.Group, Kind: c.Kind, CUE: text})
	}
	return texts, true
}

// compile gives a check that was kept its value. Paths in errors are those in the
// module.
func (c *Check) compile() error {
	if c.text == "" || c.value.Exists() {
		return nil
	}
	path := cue.ParsePath("timoni.healthChecks").Append(cue.Str(c.Name))
	v := cuecontext.New().CompileString(c.text, cue.Filename("healthChecks.cue")).LookupPath(path)
	if err := v.Err(); err != nil {
		return err
	}
	c.value = v
	return nil
}

// asText returns the check as CUE that needs no package, and false where there is
// none that says the same of objects.
func (c *Check) asText() (text string, ok bool) {
	if c.text != "" {
		return c.text, true
	}
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
	keep := api.HealthCheck{Name: c.Name, Group: c.Group, Kind: c.Kind, CUE: string(data)}
	return keep.CUE, c.isLike(kept(keep))
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
