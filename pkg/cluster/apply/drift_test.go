// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/delta"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/state"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// drift returns a line for each object that differs from what the last apply
// left, and one for each of its changes: live, then recorded.
func (w *world) drift() []string {
	w.t.Helper()
	record, err := w.engine.Store.Get(w.t.Context(), w.ns, "app")
	if err != nil {
		w.t.Fatal(err)
	}
	ledger, err := w.engine.Store.Ledger(w.t.Context(), w.ns, "app")
	if err != nil {
		w.t.Fatal(err)
	}
	statuses, err := state.New(w.client).Status(w.t.Context(), record, ledger)
	if err != nil {
		w.t.Fatal(err)
	}
	var lines []string
	for _, s := range statuses {
		if s.Drift == nil {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s/%s %s: %s", s.Object.Kind, s.Object.Name, s.Drift.Action, s.Drift.Reason))
		for _, c := range delta.Compare(s.Drift.Live, s.Drift.Recorded) {
			if s.Drift.Action != event.Created {
				lines = append(lines, fmt.Sprintf("%s %v %v", c.Path, c.Old, c.New))
			}
		}
		for _, a := range s.Drift.Added {
			lines = append(lines, fmt.Sprintf("%s by %s", a.Path, a.Manager))
		}
	}
	return lines
}

// TestDriftIsTold holds that every kind of change of an object is told with
// the value that the last apply left, that an apply takes back exactly that,
// and that what others may add is told apart.
func TestDriftIsTold(t *testing.T) {
	t.Parallel()
	deployment := deployment("d")
	for name, tc := range map[string]struct {
		args []string
		want []string
		kept bool // an apply changes nothing
	}{
		"nothing": {nil, nil, true},
		"a field of an item": {
			[]string{"patch", "deployment", "d", "-p", `{"spec":{"template":{"spec":{"containers":[{"name":"c","image":"other:1"}]}}}}`},
			[]string{"Deployment/d configured: changed by kubectl-patch", ".spec.template.spec.containers[name=c].image other:1 app:1"}, false,
		},
		"an added item": {
			[]string{"patch", "deployment", "d", "-p", `{"spec":{"template":{"spec":{"containers":[{"name":"x","image":"x:1"}]}}}}`},
			[]string{"Deployment/d configured: changed by kubectl-patch", ""}, false,
		},
		"a removed field": {
			[]string{"patch", "configmap", "a", "--type=json", "-p", `[{"op":"remove","path":"/data/key"}]`},
			[]string{"ConfigMap/a configured: fields of ours were removed or changed", ".data <nil> map[key:x]"}, false,
		},
		"a deleted object": {
			[]string{"delete", "configmap", "a"}, []string{"ConfigMap/a created: it does not exist"}, false,
		},
		"a lost label": {
			[]string{"label", "configmap", "a", "instance.timoni.sh/name-"},
			[]string{"ConfigMap/a refused: it has lost the labels of its instance"}, false,
		},
		"a field of another manager": {
			[]string{"patch", "configmap", "a", "--field-manager=robot", "-p", `{"data":{"more":"y"}}`},
			[]string{"ConfigMap/a unchanged: ", ".data.more by robot"}, true,
		},
		"scaled by hand": {
			[]string{"scale", "deployment", "d", "--replicas=3"},
			[]string{"Deployment/d configured: changed by kubectl", ".spec.replicas 3 1"}, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			req := w.request(configMap("a", "x") + "---\n" + withReplicas(deployment))
			w.apply(req)
			if tc.args != nil {
				w.kubectl("", tc.args...)
			}
			got := w.drift()
			if name == "an added item" && len(got) == 2 {
				got[1] = "" // the whole container with its defaults
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if name == "a lost label" {
				return // an apply refuses
			}
			applied := w.apply(req)
			kept := !slices.ContainsFunc(applied, func(line string) bool { return line[:9] != "unchanged" })
			if kept != tc.kept {
				t.Errorf("an apply makes %q", applied)
			}
			w.want(w.apply(req), "unchanged ConfigMap/a", "unchanged Deployment/d")
		})
	}
}

func withReplicas(deployment string) string {
	return strings.Replace(deployment, "spec: {selector", "spec: {replicas: 1, selector", 1)
}
