// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd"
)

const keptCRD = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  names: {kind: Thing, plural: things}
  scope: Cluster
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        description: What is not kept.
        properties:
          description: {type: string, description: A field of that name is.}
          size: {type: integer, default: 3, maximum: 4}
          any: {type: object, default: {description: x}, x-kubernetes-preserve-unknown-fields: true}
        x-kubernetes-validations: [{rule: "self.size < 4"}]
`

func TestKeep(t *testing.T) {
	t.Parallel()
	definitions, err := crd.Parse([]byte(keptCRD))
	if err != nil {
		t.Fatal(err)
	}
	d := definitions[0]
	data, err := d.Keep(d.Versions[0])
	if err != nil {
		t.Fatal(err)
	}
	module := t.TempDir()
	file := filepath.Join(module, "cue.mod", "gen", filepath.FromSlash(d.KeptPath("v1")))
	if err = errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, data, 0o644)); err != nil {
		t.Fatal(err)
	}
	object := api.Object{"apiVersion": "example.com/v1", "kind": "Thing", "metadata": map[string]any{"name": "x"}, "size": int64(5), "nope": true, "status": "dropped"}
	kept, ok, err := crd.FindKept(module, object, func(string) error { return nil })
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	if kept.Name != d.Name || kept.Namespaced {
		t.Errorf("%+v", kept)
	}
	want := crd.NewValidator(definitions).Validate(object)
	if diff := cmp.Diff(want, crd.NewValidator([]crd.Definition{kept}).Validate(object)); diff != "" || len(want) != 2 {
		t.Errorf("problems (-CRD +kept):\n%s", diff)
	}
	if diff := cmp.Diff(d.Versions[0].Complete(object), kept.Versions[0].Complete(object)); diff != "" {
		t.Errorf("defaults (-CRD +kept):\n%s", diff)
	}
	schema := kept.Versions[0].Schema()
	if _, has := schema["description"]; has || schema["x-kubernetes-validations"] == nil {
		t.Errorf("schema %v", schema)
	}
}

// TestFindKept asks for what a module has not, or must not have.
func TestFindKept(t *testing.T) {
	t.Parallel()
	module := t.TempDir()
	write := func(name, text string) {
		file := filepath.Join(module, "cue.mod", "gen", "example.com", name, "v1", "crd.json")
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	write("broken", "{")
	write("other", `{"kind": "ConfigMap"}`)
	write("refused", "{}")
	write("wrong", `{"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": {"group": "example.com", "names": {"kind": "Other"}, "versions": [{"name": "v1", "schema": {"openAPIV3Schema": {}}}]}}`)
	for kind, want := range map[string]string{
		"None":    "",
		"../x":    "",
		"Broken":  "cue.mod/gen/example.com/broken/v1/crd.json: unexpected end of JSON input",
		"Other":   "cue.mod/gen/example.com/other/v1/crd.json: not a CustomResourceDefinition",
		"Wrong":   "cue.mod/gen/example.com/wrong/v1/crd.json: not a CustomResourceDefinition of Wrong.example.com",
		"Refused": "no",
	} {
		_, ok, err := crd.FindKept(module, api.Object{"apiVersion": "example.com/v1", "kind": kind}, func(string) error {
			if kind == "Refused" {
				return errors.New("no")
			}
			return nil
		})
		got := ""
		if err != nil {
			got = err.Error()
		}
		if ok || got != want {
			t.Errorf("%s: %v %q, want %q", kind, ok, got, want)
		}
	}
}
