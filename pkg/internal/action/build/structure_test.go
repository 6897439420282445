// SPDX-License-Identifier: Apache-2.0

package build_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

const things = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  names: {kind: Thing, plural: things, singular: thing}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {data: {type: object, properties: {message: {type: string, maxLength: 4}}}}}}}
`

// custom returns the test module with a custom resource for its one object.
func custom(t *testing.T) string {
	t.Helper()
	dir := module(t)
	file := filepath.Join(dir, "timoni.cue")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(data), `apiVersion: "v1", kind: "ConfigMap"`, `apiVersion: "example.com/v1", kind: "Thing"`, 1)
	fixture.Write(t, file, text)
	return dir
}

func TestValidate(t *testing.T) {
	t.Parallel()
	definitions, err := crd.Parse([]byte(things))
	if err != nil {
		t.Fatal(err)
	}
	problems := []string{
		"Thing.example.com/apps/x: data.message: must be at most 4 chars long (CRD things.example.com v1)\n    timoni.apply.app[0] in values.cue:3:18",
		"Thing.example.com/apps/x: data.version: the CRD has no such field, and the API server drops it (CRD things.example.com v1)\n    timoni.apply.app[0] in timoni.cue:6:30",
	}
	for name, tc := range map[string]struct {
		mode          build.Validation
		err, warnings []string
	}{
		"strict":  {mode: build.ValidateStrict, err: problems},
		"warn":    {mode: build.ValidateWarn, warnings: problems},
		"off":     {mode: build.ValidateOff},
		"default": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := custom(t)
			var warnings []string
			observer := event.Func(func(e event.Event) {
				if w, ok := e.(event.Warning); ok && strings.Contains(w.Text, "CRD") {
					warnings = append(warnings, strings.ReplaceAll(w.Text, dir+string(filepath.Separator), ""))
				}
			})
			_, err := build.Render(t.Context(), build.Request{
				Module: fixture.Reference(t, dir), Name: "app", Namespace: "apps", Validate: tc.mode, CRDs: definitions,
			}, observer)
			var got []string
			if e, ok := errors.AsType[*build.StructureError](err); ok {
				err = nil
				for _, p := range e.Problems {
					got = append(got, strings.ReplaceAll(p.String(), dir+string(filepath.Separator), ""))
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.err, got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.warnings, warnings); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStructureError(t *testing.T) {
	t.Parallel()
	err := &build.StructureError{Problems: slices.Repeat([]build.StructureProblem{{Message: "problem"}}, 13)}
	if want := strings.Repeat("problem\n    \n", 10) + "and 3 more"; err.Error() != want {
		t.Errorf("Error() = %q, want %q", err.Error(), want)
	}
}
