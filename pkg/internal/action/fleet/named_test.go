// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/fleet"
)

// TestNamespaceSaysWhichBundle holds that a namespace selects the whole bundle
// that has it, and nothing is deleted when a part of it cannot be read.
func TestNamespaceSaysWhichBundle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	third := w.ns + "-third"
	w.namespace(third)
	w.apply(request(w.bundle("shop", map[string]one{
		"a": {namespace: w.ns, objects: []string{"a=1"}}, "b": {namespace: w.more, objects: []string{"b=1"}},
	})))
	w.apply(request(w.bundle("shop", map[string]one{"other": {namespace: third, objects: []string{"a=1"}}})))
	w.wantDeleted("one of its namespaces is named", "b", "a")
	var notes []string
	for _, e := range w.events {
		if n, ok := e.(event.Note); ok {
			notes = append(notes, n.Text)
		}
	}
	if text := strings.Join(notes, "\n"); !strings.Contains(text, "another bundle of the name") || !strings.Contains(text, third) {
		t.Errorf("what stays is not named: %q", text)
	}
	kubeconfig, _, err := w.cp.NamespaceAdmin(t.Context(), w.ns)
	if err != nil {
		t.Fatal(err)
	}
	w.as(kubeconfig)
	err = fleet.Delete(t.Context(), w.site(), fleet.DeleteRequest{Target: fleet.Target{Name: "shop", Namespace: w.ns}}, w.observer(),
		func(fleet.Deleted) error { return nil })
	if !kube.IsForbidden(err) || !strings.Contains(err.Error(), w.more) || w.configMap(w.ns, "a") == "" {
		t.Errorf("error %v for who may not read a part of the bundle", err)
	}
}

// TestStatusOfAnotherBundle holds that the status of a bundle does not pass off
// the instances of another as its own.
func TestStatusOfAnotherBundle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	all := map[string]one{"a": {namespace: w.ns, objects: []string{"a=1"}}}
	w.apply(request(w.bundle("shop", all)))
	target := fleet.Target{Request: fleet.Request{Files: w.bundle("thief", all)}}
	reports, err := fleet.Status(t.Context(), w.site(), target, w.observer())
	if err != nil {
		t.Fatal(err)
	}
	if r := reports[0]; len(reports) != 1 || r.State != fleet.Foreign || r.Bundle != "shop" || r.IsGood() {
		t.Errorf("report %+v", r)
	}
	want := event.Event(event.Warning{Text: `instance "a" in namespace "` + w.ns + `" belongs to the bundle "shop"`})
	if !slices.Contains(w.events, want) {
		t.Errorf("the owner is not named: %v", w.events)
	}
}
