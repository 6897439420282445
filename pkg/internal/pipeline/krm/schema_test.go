// SPDX-License-Identifier: Apache-2.0

package krm_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/krm"
	"github.com/kubectl-timoni/kubectl-timoni/test/golden"
)

// TestSchema compares the schema with the one that reviewers have seen.
func TestSchema(t *testing.T) {
	t.Parallel()
	got, err := krm.Schema()
	if err != nil {
		t.Fatal(err)
	}
	golden.File(t, "testdata/schema.json", append(got, '\n'))
}

// TestSchemaIsDecode holds that a field that the schema does not have is none
// that the function takes, and the other way round.
func TestSchemaIsDecode(t *testing.T) {
	t.Parallel()
	text, err := krm.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Definitions map[string]node `json:"definitions"`
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	access := map[string]any{"credentialsFrom": map[string]any{}, "insecure": false, "offline": true, "cacheDir": "cache"}
	const url = "oci://example.com/app"
	for kind, replaced := range map[string]map[string]any{
		"Instance": {
			"module": map[string]any{"url": url}, "valuesFrom": []any{}, "items": []any{}, "registry": access, "verify": map[string]any{},
			"output": map[string]any{"stages": []any{"a"}, "syncWaves": true, "onConflict": "Keep", "hash": []any{"Secret"}, "origin": true},
		},
		"Bundle": {
			"files": []any{}, "runtime": map[string]any{}, "select": []any{"a"}, "registry": access, "verify": map[string]any{},
			"instances": map[string]any{"a": map[string]any{"module": map[string]any{"url": url}, "namespace": "b", "values": map[string]any{}}},
			"output":    map[string]any{"onConflict": "Keep", "hash": []any{"Secret"}, "origin": true},
		},
		"Vet": {
			"schema": map[string]any{"inline": "#A: {...}"}, "registry": access, "verify": map[string]any{},
			"rules": []any{map[string]any{"match": map[string]any{"kind": "A"}, "definition": "#A", "severity": "info"}},
		},
	} {
		definition, ok := schema.Definitions["sh.timoni.krm.v1alpha1."+kind]
		if !ok {
			t.Fatal("no", kind)
		}
		config := definition.example().(map[string]any)
		config["metadata"] = map[string]any{"name": "app"}
		spec := config["spec"].(map[string]any)
		maps.Copy(spec, replaced)
		if err := runConfig(t, config); err != nil {
			t.Errorf("%s with every field of the schema: %v", kind, err)
		}
		spec["other"] = ""
		if err := runConfig(t, config); err == nil {
			t.Errorf("%s: a field that is not in the schema is taken", kind)
		}
	}
}

func runConfig(t *testing.T, config any) error {
	t.Helper()
	in, err := json.Marshal(map[string]any{
		"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": []any{}, "functionConfig": config,
	})
	if err != nil {
		t.Fatal(err)
	}
	list, err := krm.Read(bytes.NewReader(in))
	return errors.Join(err, krm.Function{Dir: t.TempDir(), Render: fakeRender}.Run(t.Context(), list))
}

// node is what these tests know of a schema.
type node struct {
	Type       string          `json:"type"`
	Enum       []string        `json:"enum"`
	Properties map[string]node `json:"properties"`
	Items      *node           `json:"items"`
}

// example returns a value with every field, of the type that the schema says.
func (n node) example() any {
	switch {
	case len(n.Enum) > 0:
		return n.Enum[0]
	case n.Type == "string":
		return "1.30.0"
	case n.Type == "boolean":
		return true
	case n.Type == "array":
		return []any{n.Items.example()}
	case n.Type == "object":
		fields := map[string]any{}
		for name, p := range n.Properties {
			fields[name] = p.example()
		}
		return fields
	}
	return nil
}
