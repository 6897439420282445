// SPDX-License-Identifier: Apache-2.0

package removal

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/survey"
)

// TestDeleteOrder holds that what no stage is known of goes first, and what
// holds others last, whatever the ledger says.
func TestDeleteOrder(t *testing.T) {
	t.Parallel()
	crd := api.Object{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": map[string]any{"name": "widgets.example.com"},
		"spec": map[string]any{"group": "example.com", "names": map[string]any{"kind": "Widget", "plural": "widgets"}},
	}
	object := func(apiVersion, kind, ns, name string) api.Object {
		return api.Object{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": name, "namespace": ns}}
	}
	space := api.Object{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "extra"}}
	var steps []*survey.Item
	for _, o := range []api.Object{
		crd, space, object("example.com/v1", "Widget", "apps", "known"), object("example.com/v1", "Widget", "apps", "late"),
		object("v1", "ConfigMap", "extra", "inside"), object("v1", "ConfigMap", "apps", "new"), object("v1", "ConfigMap", "apps", "first"),
	} {
		steps = append(steps, &survey.Item{Object: o, Live: o})
	}
	stages := map[string]int{
		steps[0].Key(): 3, // the definition is recorded as if it came last
		steps[1].Key(): 2, steps[2].Key(): 2, steps[4].Key(): 1, steps[6].Key(): 1,
	}
	var got []string
	for _, wave := range deleteOrder(steps, stages) {
		var names []string
		for _, s := range wave {
			names = append(names, s.Object.Name())
		}
		got = append(got, strings.Join(names, " "))
	}
	want := []string{"late", "new", "known", "widgets.example.com", "inside first", "extra"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
