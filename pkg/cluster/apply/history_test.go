// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
)

// remembered returns a request whose revision is kept in full.
func (w *world) remembered(stages ...string) apply.Request {
	req := w.request(stages...)
	req.HistoryLimit = 5
	req.Rendering = func() (api.Rendering, bool) { return api.Rendering{Stages: req.Stages}, true }
	return req
}

func (w *world) history() []store.Revision {
	w.t.Helper()
	ledger, err := w.engine.Store.Ledger(w.t.Context(), w.ns, "app")
	if err != nil {
		w.t.Fatal(err)
	}
	return ledger.History
}

// TestHistoryKeepsNoForeignSecret holds that a Secret is kept where those of the
// record are, and nowhere else.
func TestHistoryKeepsNoForeignSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secret := "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: b}\n"
	foreign := "apiVersion: v1\nkind: Secret\nmetadata: {name: NS, namespace: default}\nstringData: {a: b}\n"
	w.apply(w.remembered(secret))
	w.apply(w.remembered(foreign))
	history := w.history()
	kept, ok := history[0].Rendering()
	if diff := cmp.Diff(w.request(secret).Stages, kept.Stages); !ok || diff != "" {
		t.Errorf("kept %v (-want +got)\n%s", ok, diff)
	}
	if _, ok = history[1].Rendering(); ok || history[1].WithoutRendering != "it has Secrets in other namespaces" {
		t.Errorf("kept %v, %q", ok, history[1].WithoutRendering)
	}
}

// TestOtherObjectsAreARevision holds that what was rendered decides whether a run
// makes a revision, although module, values and inventory are the same.
func TestOtherObjectsAreARevision(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, data := range []string{"one", "one", "two", "one"} {
		w.apply(w.remembered(configMap("a", data)))
	}
	var numbers []int
	for _, r := range w.history() {
		numbers = append(numbers, r.Number)
	}
	if diff := cmp.Diff([]int{1, 2, 3}, numbers); diff != "" {
		t.Errorf("revisions (-want +got)\n%s", diff)
	}
}

// TestHistoryLearnsWhatItLacks holds that a revision of an older version, which
// kept no objects, has them after an apply that changes nothing else.
func TestHistoryLearnsWhatItLacks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	req := w.remembered(configMap("a", "one"))
	req.Rendering = nil
	w.apply(req)
	record, err := w.engine.Store.Get(t.Context(), w.ns, "app")
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := w.engine.Store.Ledger(t.Context(), w.ns, "app")
	if err != nil {
		t.Fatal(err)
	}
	old := *ledger
	old.History = []store.Revision{ledger.History[0]}
	old.History[0].Objects = ""
	if err = w.engine.Store.SaveLedger(t.Context(), record, ledger, &old); err != nil {
		t.Fatal(err)
	}
	given := "{a: 1}"
	req = w.remembered(configMap("a", "one"))
	req.UserValues = &given
	w.apply(req)
	history := w.history()
	if len(history) != 1 || history[0].Kept() != store.KeptFull || history[0].UserValues == nil || *history[0].UserValues != given {
		t.Errorf("history %+v", history)
	}
	again, err := w.engine.Store.Get(t.Context(), w.ns, "app")
	if err != nil || !again.Same(record) {
		t.Errorf("the record was written, error %v", err)
	}
	// Values only: what was kept goes at the next change.
	req = w.remembered(configMap("a", "two"))
	req.History = store.KeptValues
	w.apply(req)
	for _, r := range w.history() {
		if r.Kept() != store.KeptValues {
			t.Errorf("revision %d is kept %s", r.Number, r.Kept())
		}
	}
}

// TestHistoryFindsWhatIsMissing holds that a revision which its run could not write
// into the history, because it died, is there after an apply that changes nothing.
func TestHistoryFindsWhatIsMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(w.remembered(configMap("a", "one")))
	record, err := w.engine.Store.Get(t.Context(), w.ns, "app")
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := w.engine.Store.Ledger(t.Context(), w.ns, "app")
	if err != nil {
		t.Fatal(err)
	}
	without := *ledger
	without.History = nil
	if err = w.engine.Store.SaveLedger(t.Context(), record, ledger, &without); err != nil {
		t.Fatal(err)
	}
	w.apply(w.remembered(configMap("a", "one")))
	if history := w.history(); len(history) != 1 || history[0].Kept() != store.KeptFull {
		t.Errorf("history %+v", history)
	}
}

// TestBackAfterAnotherRun holds that a rollback after a failure never goes over a
// run that came in between.
func TestBackAfterAnotherRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(w.remembered(configMap("a", "one")))
	failing := w.remembered(configMap("a", "two"), "apiVersion: nothing.example.com/v1\nkind: Nothing\nmetadata: {name: x}\n")
	failed, err := w.engine.Apply(t.Context(), failing)
	time, isRevision := failed.HasFailed()
	if err == nil || !isRevision {
		t.Fatalf("error %v", err)
	}
	before, found := failed.Before()
	if !found || before.Number != 1 {
		t.Errorf("before is revision %d, %v", before.Number, found)
	}
	w.apply(w.remembered(configMap("a", "three")))
	back := w.remembered(configMap("a", "one"))
	back.After, back.Options = time, failed.Back()
	if _, err = w.engine.Apply(t.Context(), back); err == nil || !strings.Contains(err.Error(), "another run has changed instance") {
		t.Errorf("error %v", err)
	}
	if data := w.live("v1", "ConfigMap", "a")["data"]; !strings.Contains(fmt.Sprint(data), "three") {
		t.Errorf("the data is %v", data)
	}
}
