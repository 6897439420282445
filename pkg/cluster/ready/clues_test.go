// SPDX-License-Identifier: Apache-2.0

package ready

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// TestPodSelectors holds that the pods of many workloads take few watches.
func TestPodSelectors(t *testing.T) {
	t.Parallel()
	workload := func(set map[string]any) api.Object {
		return api.Object{"apiVersion": "apps/v1", "kind": "Deployment", "spec": map[string]any{"selector": map[string]any{"matchLabels": set}}}
	}
	for name, tc := range map[string]struct {
		workloads []api.Object
		want      []string
	}{
		"none":  {[]api.Object{{"apiVersion": "v1", "kind": "ConfigMap"}}, nil},
		"other": {[]api.Object{{"apiVersion": "example.com/v1", "kind": "Widget", "spec": workload(map[string]any{"a": "b"})["spec"]}}, nil},
		"one key": {
			[]api.Object{workload(map[string]any{"app": "b", "tier": "x"}), workload(map[string]any{"app": "a"}), workload(map[string]any{"app": "a"})},
			[]string{"app in (a,b)"},
		},
		"two keys": {
			[]api.Object{workload(map[string]any{"app": "a"}), workload(map[string]any{"name": "b"}), workload(map[string]any{"name": "c"})},
			[]string{"name in (b,c)", "app in (a)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, podSelectors(tc.workloads)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
