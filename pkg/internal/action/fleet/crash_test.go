// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/fleet"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/cuefile"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

// revision returns the files of a bundle with instances in two namespaces. The
// second changes, drops and adds objects of both; the third drops an instance;
// in the fourth, one has moved to the other namespace.
func (w *world) revision(n int) []cuefile.File {
	all := map[string]one{
		"a": {namespace: w.ns, objects: []string{"a1=x", "a2=x"}}, "b": {namespace: w.more, objects: []string{"b1=x"}},
	}
	switch n {
	case 2:
		all["a"], all["b"] = one{namespace: w.ns, objects: []string{"a1=y", "a3=x"}}, one{namespace: w.more, objects: []string{"b2=x"}}
	case 3:
		delete(all, "b")
		all["c"] = one{namespace: w.more, objects: []string{"c1=x"}}
	case 4:
		all["a"] = one{namespace: w.more, objects: []string{"a1=x"}}
	case 5:
		all["c"] = one{namespace: w.ns, objects: []string{"c1=x"}, after: []string{"a", "b"}}
	}
	return w.bundle("shop", all)
}

// crash is a verb on a bundle that is killed and one that comes after it.
// Revision 0 is the deletion of what is there, all others are applied with
// --prune-instances.
type crash struct{ before, killed, then int }

// allPoints is the variable that has every request of every verb killed. Without
// it, every fifth is of those after which another run comes than the one that died.
const allPoints = "TIMONI_CRASH_ALL"

// TestKilledAtEveryRequest holds S17 for bundles: a run on several instances that
// dies after any of its requests leaves a state from which the next run gets to
// where it would have got without.
func TestKilledAtEveryRequest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]crash{
		"install":                         {0, 1, 1},
		"install, next revision":          {0, 1, 2},
		"install, delete":                 {0, 1, 0},
		"install at once":                 {0, 5, 5},
		"upgrade":                         {1, 2, 2},
		"upgrade, rolled back":            {1, 2, 1},
		"an instance leaves":              {1, 3, 3},
		"an instance leaves, comes back":  {1, 3, 1},
		"an instance moves":               {1, 4, 4},
		"an instance moves, all go":       {1, 4, 0},
		"delete":                          {1, 0, 0},
		"delete, applied instead":         {1, 0, 2},
		"delete at once, applied instead": {5, 0, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			proxy := w.cp.Proxy(t)
			mortal := w.through(proxy)
			w.run(t, c.then)
			want := w.state()
			w.clear()
			step := 1
			if c.then != c.killed && os.Getenv(allPoints) == "" {
				step = 5
			}
			for n := 1; ; n += step {
				w.run(t, c.before)
				ctx, kill := context.WithCancel(context.Background())
				proxy.KillAfter(n, kill)
				err := mortal.try(ctx, c.killed)
				survived := proxy.Passed() < n
				kill()
				if survived && err != nil {
					t.Fatalf("without being killed: %v", err)
				}
				w.run(t, c.then)
				if diff := cmp.Diff(want, w.state()); diff != "" {
					t.Fatalf("killed after %d requests (-want +got):\n%s", n, diff)
				}
				w.clear()
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
	other := &world{t: w.t, cp: w.cp, ns: w.ns, more: w.more}
	other.as(text)
	if _, err = other.client.Resource(schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}); err != nil {
		w.t.Fatal(err)
	}
	return other
}

// run carries a verb out, which must succeed.
func (w *world) run(t *testing.T, n int) {
	t.Helper()
	if err := w.try(context.Background(), n); err != nil {
		t.Fatalf("revision %d: %v", n, err)
	}
}

// try applies a revision or, for 0, deletes. Every call is another process, and
// those before are dead.
func (w *world) try(ctx context.Context, n int) error {
	if n == 0 {
		return w.delete(ctx, w.revision(1), true)
	}
	req := request(w.revision(n))
	req.PruneInstances = true
	_, err := fleet.Apply(ctx, w.site(), req, w.observer())
	return err
}

// clear deletes the bundle, and checks that nothing of it stays.
func (w *world) clear() {
	w.t.Helper()
	w.run(w.t, 0)
	if got := w.state(); len(got) > 0 {
		w.t.Fatalf("left behind: %q", got)
	}
}

// state returns what of the bundle is in the cluster: the objects with their
// data, and what the records say.
func (w *world) state() []string {
	w.t.Helper()
	var state []string
	for _, ns := range []string{w.ns, w.more} {
		for name, value := range w.configMaps(ns) {
			state = append(state, fmt.Sprintf("%s/%s=%s", ns, name, value))
		}
		records, err := store.New(w.client).List(context.Background(), ns, "")
		if err != nil {
			w.t.Fatal(err)
		}
		for _, r := range records {
			var ids []string
			for _, e := range r.Instance.Inventory.Entries {
				ids = append(ids, e.ID)
			}
			slices.Sort(ids)
			state = append(state, fmt.Sprintf("record %s/%s of %s: %s, pending %v, deleting %v", ns, r.Instance.Metadata.Name, r.Bundle(),
				strings.Join(ids, " "), r.Pending != nil, r.Deleting))
		}
		secrets, _, err := w.client.List(context.Background(), kube.Secrets(), ns, kube.Selector{})
		if err != nil {
			w.t.Fatal(err)
		}
		for _, o := range secrets {
			// A ledger goes after its record, when the garbage collector comes to it.
			if !strings.HasPrefix(o.Name(), "timoni-ledger.") {
				state = append(state, "secret "+ns+"/"+o.Name())
			}
		}
	}
	slices.Sort(state)
	return state
}
