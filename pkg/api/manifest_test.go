// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"cuelang.org/go/cue/cuecontext"
	cueyaml "cuelang.org/go/encoding/yaml"
	"github.com/google/go-cmp/cmp"
	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
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
		out := api.YAML([]api.Object{want})
		if !mask.IsSafe(string(out)) {
			t.Errorf("characters that control a terminal in\n%q", out)
		}
		var got map[string]any
		if err := yaml.Unmarshal(out, &got); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s\nfrom\n%s", diff, out)
		}
	})
}

// TestYAMLReaders holds that every parser reads the same of what was written:
// long keys, and characters that YAML does not take as they are.
func TestYAMLReaders(t *testing.T) {
	t.Parallel()
	special := "a\u007fb\u0085c\u009bd\ufffee\uffff\u202e\u2028\U000e0041\U0010ffff"
	for name, key := range map[string]string{
		"1019": strings.Repeat("k", 1019), "1021": strings.Repeat("k", 1021), "quoted": strings.Repeat("k: ", 341), "long": strings.Repeat("schlüssel ", 500), "special": special, "block": strings.Repeat("a\nb", 400),
	} {
		for form, value := range map[string]any{"text": special, "map": map[string]any{key: "x", "z": key}, "list": []any{map[string]any{key: []any{"y"}}, key}, "lines": "a\nb\n", "empty": map[string]any{}} {
			want := map[string]any{"a": map[string]any{key: value, "z": "after"}, key: value}
			out := api.YAML([]api.Object{want})
			for reader, read := range readers() {
				got, err := read(out)
				if diff := cmp.Diff(any(want), got); err != nil || diff != "" {
					t.Errorf("%s, %s, read by %s: %v\n%.2000s", name, form, reader, err, diff)
				}
			}
		}
	}
}

// readers are the parsers that read what is written here.
func readers() map[string]func([]byte) (any, error) {
	return map[string]func([]byte) (any, error){
		"sigs.k8s.io/yaml": func(text []byte) (v any, err error) { err = yaml.Unmarshal(text, &v); return v, err },
		"go.yaml.in/yaml":  func(text []byte) (v any, err error) { err = yamlv3.Unmarshal(text, &v); return v, err },
		"cue": func(text []byte) (v any, err error) {
			file, err := cueyaml.Extract("", text)
			if err != nil {
				return nil, err
			}
			err = cuecontext.New().BuildFile(file).Decode(&v) // changes names to NFC
			return v, err
		},
	}
}

func BenchmarkYAML(b *testing.B) {
	o := api.Object{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a", "namespace": "b"}, "data": map[string]any{"k": "some text", "l": "one\ntwo\n"}}
	for b.Loop() {
		api.YAML([]api.Object{o})
	}
}
