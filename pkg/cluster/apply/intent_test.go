// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/teardown"
)

// beforeLock has something done once, when a client is about to take the lock.
func (w *world) beforeLock(do func()) *world {
	w.t.Helper()
	proxy := w.cp.Proxy(w.t)
	var once sync.Once
	proxy.Intercept(func(rw http.ResponseWriter, r *http.Request, forward http.Handler) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/leases") {
			once.Do(do)
		}
		forward.ServeHTTP(rw, r)
	})
	return w.through(proxy)
}

// TestRunBetweenPlanAndLock holds S16 where another run of the instance is over
// before this one has the lock: what this one has planned does not count then,
// so that it leaves nothing of the other's, and recreates what the other
// deleted.
func TestRunBetweenPlanAndLock(t *testing.T) {
	t.Parallel()
	const ours, theirs = "ours", "theirs"
	for name, tc := range map[string]struct {
		before string             // what is installed, empty for nothing
		other  func(*world) error // the other run
		drift  bool               // this run changes no record, it puts an object right
	}{
		"both install":    {other: (*world).applyTheirs},
		"both upgrade":    {before: "former", other: (*world).applyTheirs},
		"upgrade, repair": {before: ours, other: (*world).applyTheirs, drift: true},
		"delete, upgrade": {before: "former", other: (*world).remove},
		"delete, repair":  {before: ours, other: (*world).remove, drift: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			revision := func(name string) apply.Request {
				return w.request(configMap("a", name) + "---\n" + configMap(name, "x"))
			}
			if tc.before != "" {
				w.apply(revision(tc.before))
			}
			if tc.drift {
				w.kubectl("", "patch", "configmap", "a", "-p", `{"data":{"key":"drifted"}}`)
			}
			client := w.beforeLock(func() {
				if err := tc.other(w); err != nil {
					t.Error(err)
				}
			})
			client.apply(revision(ours))
			want := []string{
				"ConfigMap a map[key:ours]", "ConfigMap ours map[key:x]",
				"record of " + w.ns + "_a__ConfigMap " + w.ns + "_ours__ConfigMap, pending false, deleting false",
			}
			if diff := cmp.Diff(want, w.state()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func (w *world) applyTheirs() error {
	_, err := w.engine.Apply(context.WithoutCancel(w.t.Context()), w.request(configMap("a", "theirs")+"---\n"+configMap("theirs", "x")))
	return err
}

func (w *world) remove() error {
	ctx := context.WithoutCancel(w.t.Context())
	record, err := w.engine.Store.Get(ctx, w.ns, "app")
	if err == nil {
		_, err = w.deleter().Delete(ctx, record, teardown.Options{})
	}
	return err
}

// TestKilledAtTheEnd holds S17 and S82 where a run is killed while it writes the
// record and the ledger, which are under way together: with either of them alone,
// the revision is one that did not end, and the next run gets to where this one
// would have.
func TestKilledAtTheEnd(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		lost       string // what is not written
		unfinished bool
		then, next []store.Outcome // of the revisions, and when the next run is over
	}{
		"the record is written": {
			lost: "timoni-ledger.app",
			then: []store.Outcome{store.Succeeded}, next: []store.Outcome{store.Succeeded, store.Succeeded},
		},
		"the ledger is written": {
			lost: "timoni.app", unfinished: true,
			then: []store.Outcome{store.Succeeded, store.Pending}, next: []store.Outcome{store.Succeeded, store.Succeeded, store.Succeeded},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			request := func(value string) apply.Request {
				req := w.request(configMap("a", value))
				req.HistoryLimit, req.Instance.Values = apply.DefaultHistoryLimit, value
				return req
			}
			w.apply(request("one"))
			proxy := w.cp.Proxy(t)
			var begun atomic.Bool
			proxy.Intercept(func(rw http.ResponseWriter, r *http.Request, forward http.Handler) {
				isWrite := r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/secrets/"+tc.lost)
				if isWrite && (begun.Swap(true) || !tc.unfinished) {
					panic(http.ErrAbortHandler)
				}
				forward.ServeHTTP(rw, r)
			})
			if _, err := w.through(proxy).engine.Apply(t.Context(), request("two")); err == nil {
				t.Error("a run whose record or ledger is not written has ended without an error")
			}
			w.wantRevisions(tc.unfinished, tc.then...)
			w.apply(request("three"))
			w.wantRevisions(false, tc.next...)
		})
	}
}

func (w *world) wantRevisions(unfinished bool, want ...store.Outcome) {
	w.t.Helper()
	record, err := w.engine.Store.Get(w.t.Context(), w.ns, "app")
	if err != nil {
		w.t.Fatal(err)
	}
	ledger, err := w.engine.Store.Ledger(w.t.Context(), w.ns, "app")
	if err != nil {
		w.t.Fatal(err)
	}
	var got []store.Outcome
	for _, r := range ledger.Revisions(record) {
		got = append(got, r.Outcome)
	}
	if diff := cmp.Diff(want, got); diff != "" || record.IsUnfinished() != unfinished {
		w.t.Errorf("unfinished %v, revisions (-want +got):\n%s", record.IsUnfinished(), diff)
	}
}

// TestTwoRunsAtOnce holds S16 where two runs of one instance begin at the same
// moment: both succeed, and what is there in the end is of the one that came
// last.
func TestTwoRunsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	names := []string{"one", "two"}
	for round := range 6 {
		var group sync.WaitGroup
		for _, name := range names {
			req := w.request(configMap("a", name) + "---\n" + configMap(name, fmt.Sprint("'", round, "'")))
			req.Timeout, req.HistoryLimit, req.Instance.Values = time.Minute, apply.DefaultHistoryLimit, fmt.Sprint(name, round)
			group.Go(func() {
				if _, err := w.engine.Apply(context.WithoutCancel(t.Context()), req); err != nil {
					t.Errorf("round %d, %s: %v", round, name, err)
				}
			})
		}
		group.Wait()
		state := strings.Join(w.state(), "\n")
		if !slices.ContainsFunc(names, func(name string) bool {
			return state == fmt.Sprintf("ConfigMap a map[key:%s]\nConfigMap %s map[key:%d]\nrecord of %s_a__ConfigMap %s_%s__ConfigMap, pending false, deleting false",
				name, name, round, w.ns, w.ns, name)
		}) {
			t.Errorf("round %d: two runs are mixed:\n%s", round, state)
		}
	}
	ledger, err := w.engine.Store.Ledger(t.Context(), w.ns, "app")
	if err != nil || len(ledger.History) != apply.DefaultHistoryLimit || ledger.History[len(ledger.History)-1].Number != 12 {
		t.Errorf("not every run is a revision: %v, %v", ledger.History, err)
	}
}
