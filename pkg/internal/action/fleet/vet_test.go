// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/bundle"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/fleet"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/cuefile"
)

// TestErrorsHideNames holds that no result of vet and no error shows a value of
// the runtime that became a name: of a field, an object or an instance.
func TestErrorsHideNames(t *testing.T) {
	t.Parallel()
	const module = `module: url: "file://../../../../test/modules/raw", namespace: "n", `
	object := func(fields string) string {
		return module + `values: stages: app: x: {apiVersion: "v1", kind: "ConfigMap", metadata: namespace: "n"` + fields + `}`
	}
	shared := fmt.Sprintf("a: {%[1]s}, b: {%[1]s}", object(`, metadata: name: _pw`))
	cases := map[string]struct{ secret, instances, want string }{
		"field of an object":    {"Field-zq81", `a: {` + object(`, data: (_pw): "a" & "b"`) + `}`, "data.<PASSWORD>: conflicting values"},
		"field of an instance":  {"field-zq81", `a: {` + module + `(_pw): 1}`, "a.<PASSWORD>: unknown field"},
		"field of a module":     {"field \"zq81\"", `a: {` + module + `module: (_pw): 1}`, "module.<PASSWORD>: unknown field"},
		"name of an instance":   {"Name-zq81", `(_pw): {` + module + `}`, "instances.<PASSWORD>: name <PASSWORD>"},
		"name of an object":     {"name-zq81", shared, `ConfigMap/n/<PASSWORD> is rendered by instance "a" and by instance "b"`},
		"another case":          {"Name-zq81", strings.ReplaceAll(shared, "_pw", "strings.ToLower(_pw)"), `ConfigMap/n/<PASSWORD> is rendered by`},
		"instance that is not":  {"name-zq81", `(_pw): {` + module + `values: x: 1 & 2}`, "instances.<PASSWORD>.values.x: conflicting"},
		"values from elsewhere": {"name-zq81", `(_pw): {` + module + `valuesFrom: [{file: "absent.yaml"}]}`, `instance <PASSWORD>: values file`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := "import \"strings\"\n_used: strings.ToLower(\"\")\n_pw: string @timoni(runtime:string:PASSWORD)\nbundle: {apiVersion: \"v1alpha1\", name: \"b\", instances: {" + c.instances + "}}\n"
			path, err := filepath.Abs("bundle.cue")
			if err != nil {
				t.Fatal(err)
			}
			req := fleet.Request{
				Files: []cuefile.File{{Name: "bundle.cue", Path: path, Format: cuefile.FormatOf(path), Data: []byte(text)}},
				Env:   bundle.Runtime{"PASSWORD": c.secret},
			}
			ignore := event.Func(func(event.Event) {})
			v, _, vetErr := fleet.Vet(t.Context(), fleet.Site{}, req, ignore)
			b, err := fleet.Load(t.Context(), fleet.Site{}, req)
			if err == nil {
				_, err = fleet.Build(t.Context(), b, ignore)
			}
			var shown strings.Builder
			encoder := json.NewEncoder(&shown)
			encoder.SetEscapeHTML(false)
			if v != nil {
				v.Instances = nil // have the names
				if encoder.Encode(v) != nil || v.Valid {
					t.Errorf("vet: %+v", v)
				}
			}
			all := fmt.Sprintln(strings.ReplaceAll(shown.String(), `\"`, `"`), vetErr, err, fail.HintsOf(errors.Join(vetErr, err)))
			if strings.Contains(strings.ToLower(all), "zq81") || strings.Count(all, c.want) != 2 {
				t.Errorf("want %s twice and nothing of the secret: %s", c.want, all)
			}
		})
	}
}
