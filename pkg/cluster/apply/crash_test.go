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
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kinds"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/teardown"
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

// customRevision returns a revision with CRDs and objects of
// them: the second one has more of each.
func customRevision(n int) []string {
	if n == 1 {
		return []string{configMap("a", "x") + "---\n" + definition("Widget"), custom("Widget", "a")}
	}
	return []string{
		definition("Widget") + "---\n" + configMap("a", "changed") + "---\n" + definition("Gadget"),
		custom("Widget", "a") + "---\n" + custom("Gadget", "a") + "---\n" + custom("Widget", "b") + "---\n" + configMap("late", "x"),
	}
}

// definition returns a CustomResourceDefinition of a kind in a group of the
// test's own.
func definition(kind string) string {
	plural := strings.ToLower(kind) + "s"
	return "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: " + plural + ".NS.example.com}\n" +
		"spec:\n  group: NS.example.com\n  scope: Namespaced\n  names: {kind: " + kind + ", plural: " + plural + "}\n" +
		"  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]\n"
}

func custom(kind, name string) string {
	return "apiVersion: NS.example.com/v1\nkind: " + kind + "\nmetadata: {name: " + name + "}\nstatus: {observedGeneration: 1}\n"
}

// crash is one verb that is killed and one that comes after it.
type crash struct {
	before int // the revision that is installed, 0 for none
	killed int // the revision whose apply is killed, 0 for a delete
	then   int // the revision that is applied after it, 0 for a delete

	custom  bool // the revisions are those with kinds of their own, which a delete takes along
	replace bool // the killed apply replaces an object
}

// allPoints is the variable that has every request of every verb killed. Without
// it, of the verbs that wait for kinds to come and go, every fifth is.
const allPoints = "TIMONI_CRASH_ALL"

// step returns how far apart the points are at which a verb is killed.
func (c crash) step() int {
	if c.custom && os.Getenv(allPoints) == "" {
		return 5
	}
	return 1
}

// stages returns the objects of a revision.
func (c crash) stages(n int) []string {
	if c.custom {
		return customRevision(n)
	}
	return revision(n)
}

// TestKilledAtEveryRequest holds S17 and S22: a run that dies after any of its
// requests leaves a state from which the next run, of the same or another
// revision, gets to where it would have got without.
func TestKilledAtEveryRequest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]crash{
		"install":                 {before: 0, killed: 1, then: 1},
		"install, next revision":  {before: 0, killed: 1, then: 2},
		"install, delete":         {before: 0, killed: 1, then: 0},
		"upgrade":                 {before: 1, killed: 2, then: 2},
		"upgrade, next revision":  {before: 1, killed: 2, then: 3},
		"upgrade, rolled back":    {before: 1, killed: 2, then: 1},
		"replace, delete":         {before: 1, killed: 1, then: 0, replace: true},
		"delete":                  {before: 1, killed: 0, then: 0},
		"delete, applied instead": {before: 1, killed: 0, then: 2},

		"kinds: install, next revision": {before: 0, killed: 1, then: 2, custom: true},
		"kinds: install, delete":        {before: 0, killed: 1, then: 0, custom: true},
		"kinds: upgrade, delete":        {before: 1, killed: 2, then: 0, custom: true},
		"kinds: delete":                 {before: 2, killed: 0, then: 0, custom: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			proxy := w.cp.Proxy(t)
			mortal := w.through(proxy)
			want := w.expect(c, c.then)
			for n := 1; ; n += c.step() {
				survived := w.crashAt(proxy, mortal, c, n)
				w.wantState(n, want)
				w.run(context.Background(), c, 0)
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
	mortal := w.throughCold(proxy)
	resource(w.t, mortal, "v1", "ConfigMap")
	return mortal
}

// throughCold is through with a discovery cache that holds nothing yet.
func (w *world) throughCold(proxy *kit.Proxy) *world {
	w.t.Helper()
	text, err := os.ReadFile(proxy.Kubeconfig)
	if err != nil {
		w.t.Fatal(err)
	}
	mortal := &world{t: w.t, cp: w.cp, ns: w.ns}
	mortal.as(text)
	return mortal
}

// crashAt carries a crash out: killed after n requests. It returns whether the
// run ended before that.
func (w *world) crashAt(proxy *kit.Proxy, mortal *world, c crash, n int) bool {
	w.t.Helper()
	if c.before > 0 {
		w.run(context.Background(), c, c.before)
	}
	ctx, kill := context.WithCancel(context.Background())
	defer kill()
	proxy.KillAfter(n, kill)
	err := mortal.try(ctx, c, c.killed)
	survived := proxy.Passed() < n
	if survived && err != nil {
		w.t.Fatalf("without being killed: %v", err)
	}
	c.replace = false
	w.run(context.Background(), c, c.then)
	return survived
}

// run applies a revision, or deletes, and must succeed.
func (w *world) run(ctx context.Context, c crash, revision int) {
	w.t.Helper()
	if err := w.try(ctx, c, revision); err != nil {
		w.t.Fatalf("revision %d: %v", revision, err)
	}
}

// try applies a revision or, for 0, deletes. Every call is another process,
// and those before are dead.
func (w *world) try(ctx context.Context, c crash, n int) error {
	holder := store.Holder{Machine: "test", Pid: 1, Alive: func(int) bool { return false }}
	if n > 0 {
		req := w.request(c.stages(n)...)
		// Other tests' instances of the same module may share its kinds.
		req.Instance.Module.Name = "timoni.sh/" + w.ns
		req.Holder = holder
		if c.replace {
			req.Replace = []api.Target{{Kind: "ConfigMap", Name: "b"}}
		}
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
	_, err = w.deleter().Delete(ctx, record, teardown.Options{
		Timeout: 20 * time.Second, Holder: holder, Also: kinds.Unprotected{CRDs: c.custom},
	})
	return err
}

// expect returns the state that a revision, applied in peace, leads to.
func (w *world) expect(c crash, revision int) []string {
	w.t.Helper()
	w.run(context.Background(), c, revision)
	state := w.state()
	w.run(context.Background(), c, 0)
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
	var state []string
	for _, r := range []kube.Resource{
		kube.ConfigMaps(), w.customResource("widgets"), w.customResource("gadgets"),
		{GroupVersionResource: schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}},
	} {
		selector := kube.Selector{Labels: "instance.timoni.sh/name=app,instance.timoni.sh/namespace=" + w.ns}
		list, _, err := w.client.List(context.Background(), r, w.ns, selector)
		if err != nil && !isNotFound(err) {
			w.t.Fatal(err)
		}
		for _, o := range list {
			state = append(state, fmt.Sprintf("%s %s %v", o.Kind(), o.Name(), o["data"]))
		}
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

// customResource returns how the objects of a kind of definition are reached.
func (w *world) customResource(plural string) kube.Resource {
	return kube.Resource{
		GroupVersionResource: schema.GroupVersionResource{Group: w.ns + ".example.com", Version: "v1", Resource: plural}, Namespaced: true,
	}
}

// clean deletes the instance.
func (w *world) clean() {
	w.t.Helper()
	w.run(context.Background(), crash{}, 0)
}
