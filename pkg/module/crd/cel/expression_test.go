// SPDX-License-Identifier: Apache-2.0

package cel_test

import (
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd/cel"
)

func TestExpressions(t *testing.T) {
	t.Parallel()
	object := api.Object{
		"metadata": map[string]any{"name": "a"},
		"spec":     map[string]any{"size": int64(3), "memory": "512Mi", "ratio": 0.5, "none": nil, "list": []any{"x"}, "many": make([]any, 200)},
		"status":   map[string]any{"phase": "Ready", "ok": true},
	}
	e, err := cel.NewExpressions()
	if err != nil {
		t.Fatal(err)
	}
	type result struct {
		holds     bool
		lack, err string
	}
	for expression, want := range map[string]result{
		`self.status.phase == "Ready"`:                           {holds: true},
		`self.status.phase == "Failed"`:                          {},
		`self.status.ok`:                                         {holds: true},
		`self.spec.size >= 3 && self.spec.ratio < 1`:             {holds: true},
		`quantity(self.spec.memory).isLessThan(quantity("1Gi"))`: {holds: true},
		`self.spec.list.exists(x, x == "x")`:                     {holds: true},
		`self.?status.none.orValue(true)`:                        {holds: true},
		`has(self.status.none)`:                                  {},
		`self.spec.none == null`:                                 {holds: true},
		`self.status.none == "x"`:                                {lack: "no such key: none"},
		`self.none.none == "x"`:                                  {lack: "no such key: none"},
		`self["none"] == "x"`:                                    {lack: "no such key: none"},
		`self.spec.list[1] == "x"`:                               {lack: "index out of bounds: 1"},
		`self.spec.list.map(x, [x])[1][0] == "x"`:                {lack: "index out of bounds: 1"},
		`self.status.phase`:                                      {err: "it gives string and not true or false"},
		`self.status.phase >= 3`:                                 {err: "no such overload"},
		`size(self.metadata.name)`:                               {err: "it gives int and not true or false"},
		`self.`:                                                  {err: "column 6: Syntax error: "},
		`object.status.ok`:                                       {err: "column 1: undeclared reference to 'object' (in container '')"},
		`self.spec.many.all(a, self.spec.many.all(b, self.spec.many.all(c, true)))`: {err: "cost limit exceeded"},
	} {
		for range 2 { // the second time it is compiled already
			holds, lack, err := e.Holds(expression, object)
			if holds != want.holds || lack != want.lack || (err == nil) != (want.err == "") || err != nil && !strings.Contains(err.Error(), want.err) {
				t.Errorf("%s: %v %q %v, want %+v", expression, holds, lack, err, want)
			}
		}
	}
}
