// SPDX-License-Identifier: Apache-2.0

package delta_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/delta"
)

func object(t *testing.T, text string) api.Object {
	t.Helper()
	if text == "" {
		return nil
	}
	var o map[string]any
	if err := yaml.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestCompare(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		before, after string
		want          []delta.Change
	}{
		"same":             {"{spec: {a: 1}}", "{spec: {a: 1}}", nil},
		"the server's own": {"{metadata: {uid: a, resourceVersion: '1', managedFields: []}, status: {a: 1}}", "{metadata: {uid: b}}", nil},
		"value":            {"{spec: {a: 1}}", "{spec: {a: 2}}", []delta.Change{{Path: ".spec.a", Old: 1.0, New: 2.0}}},
		"added, removed": {
			"{spec: {a: 1}}", "{spec: {b: x}}",
			[]delta.Change{{Path: ".spec.a", Old: 1.0}, {Path: ".spec.b", New: "x"}},
		},
		"key that is no word": {
			"{metadata: {labels: {a.b/c: x}}}", "{metadata: {labels: {a.b/c: q}}}",
			[]delta.Change{{Path: `.metadata.labels["a.b/c"]`, Old: "x", New: "q"}},
		},
		"list by name": {
			"{c: [{name: a, image: x}, {name: b}]}", "{c: [{name: b}, {name: a, image: q}]}",
			[]delta.Change{{Path: ".c[name=a].image", Old: "x", New: "q"}},
		},
		"list by index": {
			"{c: [x, q]}", "{c: [x, z, w]}",
			[]delta.Change{{Path: ".c[1]", Old: "q", New: "z"}, {Path: ".c[2]", New: "w"}},
		},
		"other type": {"{a: [x]}", "{a: {b: x}}", []delta.Change{{Path: ".a", Old: []any{"x"}, New: map[string]any{"b": "x"}}}},
		"created": {
			"", "{kind: ConfigMap, data: {a: x}}",
			[]delta.Change{{Path: ".data", New: map[string]any{"a": "x"}}, {Path: ".kind", New: "ConfigMap"}},
		},
		"secret": {
			"{apiVersion: v1, kind: Secret, data: {same: c2FtZQ==, other: b2xk, gone: Z29uZQ==}}",
			"{apiVersion: v1, kind: Secret, data: {same: c2FtZQ==, other: bmV3, more: bW9yZQ==}}",
			[]delta.Change{
				{Path: ".data.gone", Old: "***"},
				{Path: ".data.more", New: "***"},
				{Path: ".data.other", Old: "*** (before)", New: "*** (after)"},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := delta.Compare(object(t, tc.before), object(t, tc.after))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	got, err := delta.Text("live", object(t, "{kind: A, spec: {a: 1, b: x}}"), "wanted", object(t, "{kind: A, spec: {a: 2, b: x}}"))
	if err != nil {
		t.Fatal(err)
	}
	want := "--- live\n+++ wanted\n@@ -1,4 +1,4 @@\n kind: A\n spec:\n-  a: 1\n+  a: 2\n   b: x\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, err := delta.Text("live", object(t, "{a: 1}"), "wanted", object(t, "{a: 1}")); got != "" || err != nil {
		t.Errorf("no difference: %q, %v", got, err)
	}
}

// TestNoSecretLeaks holds that nothing that the package returns holds the data
// of a Secret, whatever of it changes.
func TestNoSecretLeaks(t *testing.T) {
	t.Parallel()
	secret := "{apiVersion: v1, kind: Secret, data: {a: aHVudGVyMg==}, stringData: {b: hunter2}}"
	other := "{apiVersion: v1, kind: Secret, data: {a: c3dvcmRmaXNo}, stringData: {b: swordfish}}"
	for _, pair := range [][2]string{{"", secret}, {secret, ""}, {secret, other}, {secret, secret}} {
		before, after := object(t, pair[0]), object(t, pair[1])
		text, err := delta.Text("a", before, "b", after)
		if err != nil {
			t.Fatal(err)
		}
		all := text + fmt.Sprint(delta.Compare(before, after))
		for _, value := range []string{"aHVudGVyMg==", "hunter2", "c3dvcmRmaXNo", "swordfish"} {
			if strings.Contains(all, value) {
				t.Errorf("%q leaks: %s", value, all)
			}
		}
	}
}
