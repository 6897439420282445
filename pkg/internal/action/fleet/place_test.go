// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/fleet"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
)

// deletedByName returns the instances of a bundle in the order in which a delete
// by its name would delete them.
func (w *world) deletedByName(name string) []string {
	w.t.Helper()
	var names []string
	err := fleet.Delete(w.t.Context(), w.site(), fleet.DeleteRequest{
		Target: fleet.Target{Name: name, Namespace: w.ns}, Delete: instance.DeleteRequest{DryRun: true, Holder: holder()},
	}, w.observer(), func(d fleet.Deleted) error {
		names = append(names, d.Name)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return names
}

func (w *world) wantDeleted(when string, want ...string) {
	w.t.Helper()
	if got := w.deletedByName("shop"); !slices.Equal(got, want) {
		w.t.Errorf("%s: deleted in the order %q, want %q", when, got, want)
	}
}

// TestDeleteByNameGoesBackward holds that a delete by the name of a bundle deletes
// each instance before those that it depends on, whichever were upgraded last,
// and whether or not another tool wrote the records.
func TestDeleteByNameGoesBackward(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	files := func(value string, after ...string) fleet.ApplyRequest {
		return request(w.bundle("shop", map[string]one{
			"a-web": {namespace: w.ns, objects: []string{"a=x"}, after: after},
			"b-db":  {namespace: w.ns, objects: []string{"b=" + value}},
			"c":     {namespace: w.ns, objects: []string{"c=x"}},
		}))
	}
	w.apply(files("1"))
	w.wantDeleted("installed", "c", "b-db", "a-web")
	w.apply(files("2"))
	w.wantDeleted("one upgraded", "c", "b-db", "a-web")
	w.apply(files("2", "b-db"))
	w.wantDeleted("unchanged, one depends on another now", "c", "a-web", "b-db")
	w.apply(files("3", "b-db"))
	w.wantDeleted("what another depends on upgraded", "c", "a-web", "b-db")
	since := w.mark()
	w.apply(files("3", "b-db"))
	for _, r := range w.requests(since) {
		if verb, _, _ := strings.Cut(r, " "); verb != "get" && verb != "list" {
			t.Errorf("written although nothing changes: %s", r)
		}
	}
	part := files("4", "b-db")
	part.Select = []string{"b-db"}
	w.apply(part)
	w.wantDeleted("a part upgraded", "c", "a-web", "b-db")
}

// TestPruneGoesBackward holds that instances that left the files are deleted in
// the reverse of the order in which they were applied.
func TestPruneGoesBackward(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	all := map[string]one{
		"a": {namespace: w.ns, objects: []string{"a=1"}, after: []string{"c"}}, "b": {namespace: w.ns, objects: []string{"b=1"}},
		"c": {namespace: w.more, objects: []string{"c=1"}},
	}
	w.apply(request(w.bundle("shop", all)))
	req := request(w.bundle("shop", map[string]one{"d": {namespace: w.ns, objects: []string{"d=1"}}}))
	req.PruneInstances = true
	want := []string{"d Applied", "b Deleted", "a Deleted", "c Deleted"}
	if got := states(w.apply(req)); !slices.Equal(got, want) {
		t.Errorf("states %q, want %q", got, want)
	}
}

// nextSecond waits until what the server creates has a later time: it counts seconds.
func nextSecond() {
	for now := time.Now().Unix(); time.Now().Unix() == now; {
		time.Sleep(10 * time.Millisecond)
	}
}

// TestDeleteByNameOfAnotherTool holds that records without a position are taken
// in the order in which they were created.
func TestDeleteByNameOfAnotherTool(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	all := map[string]one{"b": {namespace: w.ns, objects: []string{"b=1"}}}
	w.apply(request(w.bundle("shop", all)))
	nextSecond()
	all["a"] = one{namespace: w.ns, objects: []string{"a=1"}}
	w.apply(request(w.bundle("shop", all)))
	nextSecond()
	all["b"] = one{namespace: w.ns, objects: []string{"b=2"}}
	w.apply(request(w.bundle("shop", all)))
	w.wantDeleted("with positions", "b", "a")
	secret, err := w.client.Get(context.Background(), kube.Secrets(), w.ns, "timoni.b")
	if err == nil {
		secret.RemoveAnnotation("bundle.timoni.sh/position")
		_, err = w.client.Update(context.Background(), kube.Secrets(), secret)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.wantDeleted("without the position of one", "a", "b")
}
