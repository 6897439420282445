// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/teardown"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// removed returns the objects whose deletion was reported, in this order.
func (w *world) removed() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var names []string
	for _, e := range w.events {
		if a, ok := e.(event.Applied); ok && a.Action == event.Deleted {
			names = append(names, a.Object.Kind+"/"+a.Object.Name)
		}
	}
	return names
}

// deleter deletes from the cluster of the engine.
func (w *world) deleter() teardown.Deleter {
	return teardown.New(w.engine.Client, w.engine.Observer)
}

func (w *world) delete(o teardown.Options) error {
	w.t.Helper()
	record, err := w.engine.Store.Get(w.t.Context(), w.ns, "app")
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = w.deleter().Delete(w.t.Context(), record, o)
	return err
}

// TestReverseOrder holds that a delete, and a prune, goes through the stages of
// the last apply backwards.
func TestReverseOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stages := []string{configMap("z-first", "x"), configMap("a-second", "x"), configMap("m-third", "x")}
	want := []string{"ConfigMap/m-third", "ConfigMap/a-second", "ConfigMap/z-first"}
	w.apply(w.request(stages...))
	if err := w.delete(teardown.Options{Timeout: 20 * time.Second}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, w.removed()); diff != "" {
		t.Errorf("deleted (-want +got):\n%s", diff)
	}
	w.apply(w.request(stages...))
	w.events = nil
	w.apply(w.request(configMap("other", "x")))
	if diff := cmp.Diff(want, w.removed()); diff != "" {
		t.Errorf("pruned (-want +got):\n%s", diff)
	}
}

// TestFinalizer holds that a delete that is blocked says by what, and can be
// run again.
func TestFinalizer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(w.request(strings.Replace(configMap("held", "x"), "name: held", "name: held, finalizers: [example.com/guard]", 1)))
	err := w.delete(teardown.Options{Timeout: 4 * time.Second})
	const reason = `it waits for who removes the finalizer "example.com/guard"`
	if codeOf(err) != fail.NotReady || !strings.Contains(fmt.Sprint(err), "timed out waiting for the deletion of ConfigMap/"+w.ns+"/held: "+reason) {
		t.Errorf("error %v", err)
	}
	reported := false
	for _, e := range w.events {
		p, ok := e.(event.Progress)
		reported = reported || ok && p.Message == reason
	}
	if !reported {
		t.Errorf("the finalizer is not reported on the way: %v", w.events)
	}
	held := w.live("v1", "ConfigMap", "held")
	delete(held["metadata"].(map[string]any), "finalizers")
	if _, err := w.client.Update(t.Context(), resource(t, w, "v1", "ConfigMap"), held); err != nil && !isNotFound(err) {
		t.Fatal(err)
	}
	if err := w.delete(teardown.Options{Timeout: 20 * time.Second}); err != nil {
		t.Errorf("again: %v", err)
	}
	if o := w.live("v1", "ConfigMap", "held"); o != nil {
		t.Errorf("it is still there: %s", kube.UID(o))
	}
}
