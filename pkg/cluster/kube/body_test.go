// SPDX-License-Identifier: Apache-2.0

package kube_test

import (
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
	want := api.Object{"kind": "ConfigMap", "data": map[string]any{text: text}}
	body, err := kube.ApplyBody(want)
	if err != nil {
		t.Fatal(err)
	}
	var got api.Object
	if err := yaml.Unmarshal(body, &got); err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
