// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/teardown"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// plan plans and returns the plan, which must not be refused.
func (w *world) plan(req apply.Request) *apply.Plan {
	w.t.Helper()
	plan, err := w.engine.Plan(w.t.Context(), req)
	if err == nil {
		err = plan.Refusal()
	}
	if err != nil {
		w.t.Fatalf("plan: %v", err)
	}
	return plan
}

// stale returns the objects of a *apply.StaleError.
func stale(t *testing.T, err error) []string {
	t.Helper()
	refused, ok := errors.AsType[*apply.StaleError](err)
	if !ok {
		t.Fatalf("error %v, want a StaleError", err)
	}
	var names []string
	for _, o := range refused.Objects {
		names = append(names, o.Kind+"/"+o.Name)
	}
	return names
}

// TestExecute holds that a plan is carried out as it was shown, that it says
// afterwards what it said before, and that it is carried out once.
func TestExecute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(w.request(configMap("changed", "x") + "---\n" + configMap("left", "x")))
	since := w.mark()
	plan := w.plan(w.request(configMap("changed", "z") + "---\n" + configMap("fresh", "z")))
	if got := w.writes(since); got != nil {
		t.Errorf("a plan wrote %q", got)
	}
	shown := []string{"configured ConfigMap/changed", "created ConfigMap/fresh", "deleted ConfigMap/left"}
	w.want(outcomes(plan.All()), shown...)
	done, err := w.engine.Execute(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	w.want(outcomes(done.All()), shown...)
	w.want(outcomes(plan.All()), shown...)
	if before, after := plan.Steps[0].States(); before["data"].(map[string]any)["key"] != "x" || after["data"].(map[string]any)["key"] != "z" {
		t.Errorf("the plan shows a change from %v to %v", before["data"], after["data"])
	}
	if w.live("v1", "ConfigMap", "left") != nil || w.live("v1", "ConfigMap", "fresh") == nil {
		t.Error("the plan was not carried out")
	}
	since = w.mark()
	_, err = w.engine.Execute(t.Context(), plan)
	if diff := cmp.Diff([]string{"ConfigMap/changed", "ConfigMap/fresh", "ConfigMap/left"}, stale(t, err)); diff != "" {
		t.Errorf("stale objects (-want +got):\n%s", diff)
	}
	locks := slices.DeleteFunc(w.writes(since), func(r string) bool { return !strings.Contains(r, " leases") })
	if got := w.writes(since); len(got) != len(locks) {
		t.Errorf("wrote %q", got)
	}
}

// TestExecuteRefusesWhatWasNotShown holds that an object that another client
// changed between the plan and its execution is not overwritten unseen, and
// that a change that leaves it as it was shown does not count.
func TestExecuteRefusesWhatWasNotShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(w.request(configMap("a", "x")))
	touch := func(key, value string) {
		o := w.live("v1", "ConfigMap", "a")
		if o["data"].(map[string]any)[key] = value; value == "" {
			delete(o["data"].(map[string]any), key)
		}
		if _, err := w.client.Update(t.Context(), resource(t, w, "v1", "ConfigMap"), o); err != nil {
			t.Fatal(err)
		}
	}
	plan := w.plan(w.request(configMap("a", "z")))
	touch("key", "theirs")
	_, err := w.engine.Execute(t.Context(), plan)
	if diff := cmp.Diff([]string{"ConfigMap/a"}, stale(t, err)); diff != "" {
		t.Errorf("stale objects (-want +got):\n%s", diff)
	}
	if got := w.live("v1", "ConfigMap", "a")["data"].(map[string]any)["key"]; got != "theirs" {
		t.Errorf("the object was overwritten with %v", got)
	}
	plan = w.plan(w.request(configMap("a", "z")))
	touch("extra", "w")
	touch("extra", "")
	done, err := w.engine.Execute(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	w.want(outcomes(done.All()), "configured ConfigMap/a")

	plan = w.plan(w.request(configMap("b", "z")))
	w.create("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n")
	if _, err = w.engine.Execute(t.Context(), plan); err == nil {
		t.Error("an object that another client created since was taken over")
	}
}

// TestExecuteChecksThePlan holds that a plan that is refused, or that the server
// has not checked, writes nothing.
func TestExecuteChecksThePlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
	since := w.mark()
	req := w.request(configMap("a", "x"))
	plan, err := w.engine.Plan(t.Context(), req)
	if err != nil || plan.Refusal() == nil {
		t.Fatalf("plan: %v, not refused", err)
	}
	if _, err = w.engine.Execute(t.Context(), plan); err == nil || err.Error() != plan.Refusal().Error() {
		t.Errorf("error %v, want %v", err, plan.Refusal())
	}
	req = w.request(configMap("b", "x"))
	req.ReadOnly = true
	if _, err = w.engine.Execute(t.Context(), w.plan(req)); !errors.Is(err, apply.ErrUnchecked) {
		t.Errorf("error %v, want ErrUnchecked", err)
	}
	if got := w.writes(since); got != nil {
		t.Errorf("wrote %q", got)
	}
}

// TestExecuteCreatesTheNamespace holds that a plan does not create a namespace
// that is missing, that its execution does, and that it goes again when the
// server then refuses an object.
func TestExecuteCreatesTheNamespace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, tc := range map[string]struct {
		meanwhile, refusal string
	}{
		"fine":    {},
		"refused": {meanwhile: "shared", refusal: "belongs to"},
	} {
		ns := w.ns + "-" + name
		shared := "\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: " + ns + "}\n"
		req := w.request(configMap("a", "x") + shared)
		req.Instance.Metadata.Namespace = ns
		plan := w.plan(req)
		if w.namespace(ns) != nil {
			t.Errorf("%s: the plan created the namespace", name)
		}
		if tc.meanwhile != "" {
			w.create("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: " + ns + ", labels: {app.kubernetes.io/managed-by: Helm}}\n")
		}
		_, err := w.engine.Execute(t.Context(), plan)
		if (err != nil) != (tc.refusal != "") {
			t.Errorf("%s: error %v", name, err)
		}
		role := resource(t, w, "rbac.authorization.k8s.io/v1", "ClusterRole")
		if o, getErr := w.client.Get(t.Context(), role, "", ns); getErr != nil {
			t.Error(getErr)
		} else if err = w.client.Delete(t.Context(), role, o); err != nil {
			t.Error(err)
		}
		if o := w.namespace(ns); tc.refusal == "" && o == nil || tc.refusal != "" && o != nil && !o.IsTerminating() {
			t.Errorf("%s: the namespace is %v", name, o)
		}
	}
}

// TestZeroOptions holds that a client without flags, an engine without an
// observer and options without values do what the command line does: wait, keep
// a history, take nothing over.
func TestZeroOptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	config, err := w.cp.REST()
	if err != nil {
		t.Fatal(err)
	}
	client, err := kube.New(config, kube.Options{})
	if err != nil {
		t.Fatal(err)
	}
	engine := apply.New(client, nil)
	req := w.request("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n  selector: {matchLabels: {app: d}}\n" +
		"  template:\n    metadata: {labels: {app: d}}\n    spec: {containers: [{name: c, image: \"app:1\"}]}\n")
	req.Options = apply.Options{}
	plan, err := engine.Plan(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = engine.Execute(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	if ready, _, _ := nested(w.live("apps/v1", "Deployment", "d"), "status", "readyReplicas"); ready != int64(1) {
		t.Errorf("it did not wait: %v replicas are ready", ready)
	}
	ledger, err := engine.Store.Ledger(t.Context(), w.ns, "app")
	if err != nil || len(ledger.History) != 1 {
		t.Errorf("history %v, error %v", ledger, err)
	}
	w.create("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
	req = w.request(configMap("a", "x"))
	req.Options = apply.Options{}
	if plan, err = engine.Plan(t.Context(), req); err != nil || plan.Refusal() == nil || plan.Steps[0].Action != event.Refused {
		t.Errorf("an object without an owner was not refused: %v", err)
	}
	record, err := engine.Store.Get(t.Context(), w.ns, "app")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = teardown.New(engine.Client, engine.Observer).Delete(t.Context(), record, teardown.Options{}); err != nil {
		t.Fatal(err)
	}
	if w.live("apps/v1", "Deployment", "d") != nil {
		t.Error("the delete did not wait")
	}
}
