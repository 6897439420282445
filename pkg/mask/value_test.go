// SPDX-License-Identifier: Apache-2.0

package mask_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// TestIn hides values in an object, and in the state before it what a changed
// value may have been.
func TestIn(t *testing.T) {
	t.Parallel()
	hide := mask.Values(map[string]string{"hunter2": mask.Hidden, "77712345": mask.Hidden})
	after := map[string]any{"a": "x hunter2", "n": int64(77712345), "f": 77712345.0, "list": []any{"hunter2", true}, "same": "hunter2", "open": "y"}
	want := map[string]any{"a": "x ***", "n": "***", "f": "***", "list": []any{"***", true}, "same": "***", "open": "y"}
	if diff := cmp.Diff(want, mask.In(after, hide)); diff != "" {
		t.Error(diff)
	}
	before := map[string]any{"a": "x hunter1", "n": int64(1), "f": 77712345.0, "list": []any{"hunter1", true, "z"}, "same": "hunter2", "open": "z", "gone": "hunter2"}
	want = map[string]any{
		"a": "*** (before)", "n": "*** (before)", "f": "***", "list": []any{"*** (before)", true, "z"}, "same": "***", "open": "z", "gone": "***",
	}
	if diff := cmp.Diff(want, mask.Former(before, after, hide)); diff != "" {
		t.Error(diff)
	}
	if got := mask.Former("old", map[string]any{"a": "hunter2"}, hide); got != "old" {
		t.Error(got)
	}
}

// TestObject leaves what identifies an object.
func TestObject(t *testing.T) {
	t.Parallel()
	hide := mask.Values(map[string]string{"v1": mask.Hidden, "Pod": mask.Hidden, "name1": mask.Hidden, "namespace1": mask.Hidden})
	o := map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "name1", "namespace": "namespace1", "uid": "name1"}, "a": "v1"}
	want := map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "name1", "namespace": "namespace1", "uid": "***"}, "a": "***"}
	for name, got := range map[string]map[string]any{"new": mask.Object(o, hide), "old": mask.FormerObject(o, map[string]any{"kind": "B"}, hide)} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if got := mask.Object(map[string]any{"kind": "List", "metadata": nil}, hide); got["kind"] != "List" {
		t.Error(got)
	}
}
