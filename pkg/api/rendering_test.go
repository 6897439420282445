// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

func TestRenderingKeepsTypesOfValues(t *testing.T) {
	t.Parallel()
	want := api.Rendering{
		Stages: []api.Stage{{Name: "app", Objects: []api.Object{{
			"apiVersion": "example.com/v1", "kind": "Widget",
			"metadata": map[string]any{"name": "a", "generation": int64(9007199254740993)},
			"spec":     map[string]any{"ratio": 0.5, "on": true, "none": nil, "list": []any{int64(1), "<&>"}},
		}}}},
		Checks: []api.HealthCheck{{Name: "widget", Group: "example.com", CUE: "current: true\n"}},
		Spaces: []string{"apps"},
	}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := api.ParseRendering(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestParseRenderingQuotesNothing(t *testing.T) {
	t.Parallel()
	_, err := api.ParseRendering([]byte(`{"stages":"hunter2"}`))
	if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "not the JSON of a rendering") {
		t.Errorf("error %v", err)
	}
}
