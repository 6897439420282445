// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

func immutable(name, value string) string {
	return "apiVersion: v1\nkind: ConfigMap\nimmutable: true\nmetadata: {name: " + name +
		", annotations: {action.timoni.sh/force: enabled}}\ndata: {key: " + value + "}\n"
}

// The revisions of a module of small objects: the second changes one, recreates
// one, drops one and adds one.
func revision(n int) []string {
	switch n {
	case 1:
		return []string{configMap("a", "x") + "---\n" + configMap("gone", "x"), immutable("fixed", "x") + "---\n" + configMap("b", "x")}
	case 2:
		return []string{configMap("a", "changed") + "---\n" + configMap("new", "x"), immutable("fixed", "changed") + "---\n" + configMap("b", "x")}
	}
	return []string{configMap("third", "x"), configMap("b", "x")}
}

// crash is one verb that is killed and one that comes after it.
type crash struct {
	before int // the revision that is installed, 0 for none
	killed int // the revision whose apply is killed, 0 for a delete
	then   int // the revision that is applied after it, 0 for a delete
}

// TestKilledAtEveryRequest holds S17 and S22: a run that dies after any of its
// requests leaves a state from which the next run, of the same or another
// revision, gets to where it would have got without.
func TestKilledAtEveryRequest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]crash{
		"install":                 {0, 1, 1},
		"install, next revision":  {0, 1, 2},
		"install, delete":         {0, 1, 0},
		"upgrade":                 {1, 2, 2},
		"upgrade, next revision":  {1, 2, 3},
		"upgrade, rolled back":    {1, 2, 1},
		"delete":                  {1, 0, 0},
		"delete, applied instead": {1, 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			proxy := w.cp.Proxy(t)
			mortal := w.through(proxy)
			want := w.expect(c.then)
			for n := 1; ; n++ {
				survived := w.crashAt(proxy, mortal, c, n)
				w.wantState(n, want)
				w.clean()
				if survived {
					t.Logf("%d requests", n-1)
					return
				}
			}
		})
	}
}

// through returns the same world behind a proxy, with the kinds known, as the
// discovery cache on disk has them.
func (w *world) through(proxy *kit.Proxy) *world {
	w.t.Helper()
	text, err := os.ReadFile(proxy.Kubeconfig)
	if err != nil {
		w.t.Fatal(err)
	}
	mortal := &world{t: w.t, cp: w.cp, ns: w.ns}
	mortal.as(text)
	resource(w.t, mortal, "v1", "ConfigMap")
	return mortal
}

// crashAt carries a crash out: killed after n requests. It returns whether the
// run ended before that.
func (w *world) crashAt(proxy *kit.Proxy, mortal *world, c crash, n int) bool {
	w.t.Helper()
	if c.before > 0 {
		w.run(context.Background(), c.before)
	}
	ctx, kill := context.WithCancel(context.Background())
	defer kill()
	proxy.KillAfter(n, kill)
	err := mortal.try(ctx, c.killed)
	survived := proxy.Passed() < n
	if survived && err != nil {
		w.t.Fatalf("without being killed: %v", err)
	}
	w.run(context.Background(), c.then)
	return survived
}

// run applies a revision, or deletes, and must succeed.
func (w *world) run(ctx context.Context, revision int) {
	w.t.Helper()
	if err := w.try(ctx, revision); err != nil {
		w.t.Fatalf("revision %d: %v", revision, err)
	}
}

// try applies a revision or, for 0, deletes. Every call is another process,
// and those before are dead.
func (w *world) try(ctx context.Context, n int) error {
	holder := store.Holder{Machine: "test", Pid: 1, Alive: func(int) bool { return false }}
	if n > 0 {
		req := w.request(revision(n)...)
		req.Holder = holder
		_, err := w.engine.Apply(ctx, req)
		return err
	}
	record, err := w.engine.Store.Get(ctx, w.ns, "app")
	if isMissing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = w.engine.Delete(ctx, record, apply.DeleteOptions{Wait: true, Timeout: 20 * time.Second, Holder: holder})
	return err
}

// expect returns the state that a revision, applied in peace, leads to.
func (w *world) expect(revision int) []string {
	w.t.Helper()
	w.run(context.Background(), revision)
	state := w.state()
	w.clean()
	return state
}

func (w *world) wantState(n int, want []string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.state()); diff != "" {
		w.t.Errorf("killed after %d requests (-want +got):\n%s", n, diff)
	}
}

// state returns what of the instance is in the cluster: the objects with their
// data, and what the record says.
func (w *world) state() []string {
	w.t.Helper()
	list, _, err := w.client.List(context.Background(), resource(w.t, w, "v1", "ConfigMap"), w.ns, kube.Selector{Labels: "instance.timoni.sh/name=app"})
	if err != nil {
		w.t.Fatal(err)
	}
	var state []string
	for _, o := range list {
		state = append(state, fmt.Sprintf("%s %v", o.Name(), o["data"]))
	}
	slices.Sort(state)
	record, err := w.engine.Store.Get(context.Background(), w.ns, "app")
	if isMissing(err) {
		return append(state, "no record")
	}
	if err != nil {
		w.t.Fatal(err)
	}
	var ids []string
	for _, e := range record.Instance.Inventory.Entries {
		ids = append(ids, e.ID)
	}
	slices.Sort(ids)
	return append(state, fmt.Sprintf("record of %s, pending %v, deleting %v", strings.Join(ids, " "), record.Pending != nil, record.Deleting))
}

// clean deletes the instance.
func (w *world) clean() {
	w.t.Helper()
	w.run(context.Background(), 0)
}
