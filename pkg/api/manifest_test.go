// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

func TestYAML(t *testing.T) {
	t.Parallel()
	objects := []api.Object{
		{
			"apiVersion": "v1", "kind": "ConfigMap",
			"metadata": map[string]any{"name": "a", "labels": map[string]any{"version": "1.0", "on": "yes"}},
			"data": map[string]any{
				"text": "one\n\n  two\n", "open": "one\ntwo", "led": " one\ntwo\n", "ends": "one\n\n",
				"colon": "a: b", "time": "12:30:45", "date": "2026-11-20T10:24:09Z", "cpu": "10m", "hex": "0x1f", "empty": "", "url": "http://x:80/y",
			},
		},
		{"list": []any{int64(1), 1.5, nil, true, "s", map[string]any{"a": int64(1), "b": []any{"x"}}, []any{[]any{int64(1)}, []any{}}, map[string]any{}}},
		{},
	}
	want := `apiVersion: v1
data:
  colon: "a: b"
  cpu: 10m
  date: "2026-11-20T10:24:09Z"
  empty: ""
  ends: "one\n\n"
  hex: "0x1f"
  led: " one\ntwo\n"
  open: |-
    one
    two
  text: |
    one

      two
  time: "12:30:45"
  url: http://x:80/y
kind: ConfigMap
metadata:
  labels:
    "on": "yes"
    version: "1.0"
  name: a
---
list:
- 1
- 1.5
- null
- true
- s
- a: 1
  b:
  - x
- - - 1
  - []
- {}
---
{}
`
	if diff := cmp.Diff(want, string(api.YAML(objects))); diff != "" {
		t.Errorf("YAML (-want +got):\n%s", diff)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	got, err := api.JSON([]api.Object{{"kind": "A", "text": "<&>"}})
	if err != nil {
		t.Fatal(err)
	}
	want := "{\n    \"apiVersion\": \"v1\",\n    \"items\": [\n        {\n            \"kind\": \"A\",\n            \"text\": \"<&>\"\n        }\n    ],\n    \"kind\": \"List\"\n}\n"
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
}

// FuzzYAML holds that kubectl's decoder reads what was written.
func FuzzYAML(f *testing.F) {
	for _, seed := range []string{
		`{"a":"x: y","b":["- z",{"c":null}],"d":1e30,"e":-1,"f":"0b1","g":"1_000","h":"~","i":".5","j":"<<","k":"=","l":"1e3"}`,
		`{"a":"x\ny","b":["x\ny\n",["\tx\n y"]],"":"\u0000\u2028\ufeff","x":"a #b","y":"a\r\nb\n","z":"é\u0085"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var want map[string]any
		if json.Unmarshal(data, &want) != nil || want == nil {
			return
		}
		if key := longestKey(want); key > 1000 {
			return // YAML's limit for a key on one line
		}
		out := api.YAML([]api.Object{want})
		var got map[string]any
		if err := yaml.Unmarshal(out, &got); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s\nfrom\n%s", diff, out)
		}
	})
}

func longestKey(v any) int {
	longest := 0
	switch v := v.(type) {
	case map[string]any:
		for key, e := range v {
			longest = max(longest, len(key)*4, longestKey(e))
		}
	case []any:
		for _, e := range v {
			longest = max(longest, longestKey(e))
		}
	}
	return longest
}

func BenchmarkYAML(b *testing.B) {
	o := api.Object{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a", "namespace": "b"}, "data": map[string]any{"k": "some text", "l": "one\ntwo\n"}}
	for b.Loop() {
		api.YAML([]api.Object{o})
	}
}
