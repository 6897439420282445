// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/state"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/teardown"
)

const owner = "labels: {instance.timoni.sh/name: app, instance.timoni.sh/namespace: NS}"

// strew puts objects with the labels of the instance into the cluster, of which
// only "stray" was left by a run.
func (w *world) strew() {
	w.t.Helper()
	applied := func(manager, text string) {
		o := w.object(text)
		r, err := w.client.Resource(gvk(o.Group(), o.Version(), o.Kind()))
		if err == nil {
			o.SetNamespace(w.ns)
			_, err = w.client.WithFieldManager(manager).Apply(w.t.Context(), r, o, true, kube.Real)
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
	parent := w.create("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: parent}\n")
	meta := func(name, more string) string { return "metadata: {name: " + name + ", " + owner + more + "}\n" }
	cm := "apiVersion: v1\nkind: ConfigMap\n"
	applied(api.FieldManager, cm+meta("stray", ""))
	applied("other", cm+meta("of-another-applier", ""))
	applied(api.FieldManager, cm+meta("annotated", ", annotations: {action.timoni.sh/prune: disabled}"))
	applied(api.FieldManager, cm+meta("controlled", ", ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: parent, controller: true, uid: "+kube.UID(parent)+"}]"))
	applied(api.FieldManager, "apiVersion: v1\nkind: PersistentVolumeClaim\n"+meta("claim", "")+
		"spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n")
	w.create(cm + meta("copied", "")) // its labels are, by a controller
}

// kept are the names of what strew leaves that no run may delete.
func kept() []string {
	return []string{"annotated", "claim", "controlled", "copied", "of-another-applier", "parent"}
}

func (w *world) names() []string {
	w.t.Helper()
	var names []string
	for _, kind := range []string{"ConfigMap", "PersistentVolumeClaim"} {
		list, _, err := w.client.List(w.t.Context(), resource(w.t, w, "v1", kind), w.ns, kube.Selector{})
		if err != nil {
			w.t.Fatal(err)
		}
		for _, o := range list {
			if o.Name() != "kube-root-ca.crt" {
				names = append(names, o.Name())
			}
		}
	}
	slices.Sort(names)
	return names
}

func withClaim() string {
	return configMap("a", "x") + "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data, annotations: {action.timoni.sh/wait: disabled}}\n" +
		"spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n"
}

// TestOrphans holds that what an instance has applied, and no inventory names,
// is shown by a status and deleted by an apply or a delete, and that nothing
// else is that only carries its labels.
func TestOrphans(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*world) []string{
		"apply": func(w *world) []string {
			w.apply(w.request(withClaim()))
			return append(kept(), "a", "data")
		},
		"delete": func(w *world) []string {
			if err := w.delete(teardown.Options{Timeout: 20 * time.Second}); err != nil {
				w.t.Error(err)
			}
			return append(kept(), "data")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.apply(w.request(withClaim()))
			w.strew()
			w.wantOrphans("stray")
			want := end(w)
			slices.Sort(want)
			if diff := cmp.Diff(want, w.names()); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
		})
	}
}

// wantOrphans checks which objects a status shows as orphans.
func (w *world) wantOrphans(want ...string) {
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
	var got []string
	for _, s := range statuses {
		if s.Orphan {
			got = append(got, s.Object.Name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("orphans (-want +got):\n%s", diff)
	}
}

// TestOrphanOfAbandonedKind holds that kinds which only a run had that did not
// end are looked at by the runs after it.
func TestOrphanOfAbandonedKind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(w.request(configMap("a", "x")))
	secret := "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"
	failing := w.request(configMap("a", "x")+"---\n"+secret, `
apiVersion: batch/v1
kind: Job
metadata: {name: late}
spec: {activeDeadlineSeconds: 1, template: {spec: {restartPolicy: Never, nodeSelector: {no: node}, containers: [{name: c, image: c}]}}}
`)
	if _, err := w.engine.Apply(t.Context(), failing); err == nil {
		t.Fatal("a failed Job is no error")
	}
	w.apply(w.request(configMap("a", "x")))
	stray := w.object(secret[:len(secret)-2] + ", " + owner + "}\n")
	stray.SetNamespace(w.ns)
	if _, err := w.client.Apply(t.Context(), resource(t, w, "v1", "Secret"), stray, true, kube.Real); err != nil {
		t.Fatal(err)
	}
	w.wantOrphans("s")
	w.want(w.apply(w.request(configMap("a", "x"))), "unchanged ConfigMap/a", "deleted Secret/s")
}
