// SPDX-License-Identifier: Apache-2.0

package kube_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
)

// TestApplyBody holds that the server, which reads the body of an apply with
// this parser, gets the object as it is.
func TestApplyBody(t *testing.T) {
	t.Parallel()
	text := "a\x7fb\u0080c\u0085d\u009be\u2028f\u202eg\ufeffh\ufffei\uffffj\U000e0001<&>\x00\t\n"
	for name, key := range map[string]string{
		"a key": text, "a long key": strings.Repeat("k", 1100), "one of some characters": strings.Repeat("<", 171),
		"one of others": strings.Repeat("\u009b", 200), "one with a colon": strings.Repeat("k: ", 500), "the longest": strings.Repeat("k", 1018), "one more": strings.Repeat("k", 1019),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := api.Object{"kind": "Widget", "spec": []any{map[string]any{key: map[string]any{text: text}, "n": 1.0, "f": 1.5}}}
			body, err := kube.ApplyBody(want)
			if err != nil {
				t.Fatal(err)
			}
			var got api.Object
			if err := yaml.UnmarshalStrict(body, &got); err != nil {
				t.Fatalf("%v\n%s", err, body)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
