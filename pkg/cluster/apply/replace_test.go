// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// nodePort returns a Service with a node port of the test's own.
func (w *world) nodePort(name string, port any) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Service\nmetadata: {name: %s}\nspec: {type: NodePort, selector: {app: a}, ports: [{port: 80, nodePort: %v}]}\n", name, port)
}

// freePort returns a node port that the server gave to a Service named old,
// which is then part of the instance.
func (w *world) freePort() any {
	w.t.Helper()
	w.apply(w.request("apiVersion: v1\nkind: Service\nmetadata: {name: old}\nspec: {type: NodePort, selector: {app: a}, ports: [{port: 80}]}\n"))
	ports, _, _ := nested(w.live("v1", "Service", "old"), "spec", "ports")
	return ports.([]any)[0].(map[string]any)["nodePort"]
}

func target(t *testing.T, text string) api.Target {
	t.Helper()
	got, err := api.ParseTarget(text)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestReplaceMakesRoom holds decision 1: a port that is held by an object that
// is due for pruning is refused with the name of the holder, and had when that
// is named.
func TestReplaceMakesRoom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	req := w.request(configMap("first", "x"), w.nodePort("new", w.freePort()))
	since := w.mark()
	_, err := w.engine.Apply(t.Context(), req)
	if hints := fmt.Sprint(hintsOf(err)); err == nil || !strings.Contains(err.Error(), "provided port is already allocated") || !strings.Contains(hints, "--replace Service/old") {
		t.Errorf("error %v, hints %s", err, hints)
	}
	if got := w.writes(since); got != nil {
		t.Errorf("a refused plan wrote %q", got)
	}
	req.Replace = []api.Target{target(t, "service/old")}
	plan, err := w.engine.Plan(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	w.want(outcomes(plan.All()), "created ConfigMap/first", "deferred Service/new", "deleted Service/old")
	w.want(w.apply(req), "created ConfigMap/first", "created Service/new", "deleted Service/old")
	w.want(w.apply(req), "unchanged ConfigMap/first", "unchanged Service/new")
}

// TestReplacePutsBack holds that what made room is put back when the new object
// cannot be made after all.
func TestReplacePutsBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	port := w.freePort()
	req := w.request(w.nodePort("new", port))
	req.Replace = []api.Target{target(t, "Service/old")}
	engine := *w.engine
	engine.Observer = event.Func(func(e event.Event) {
		if a, ok := e.(event.Applied); ok && a.Action == event.Deleted { // another client is faster
			w.create(w.nodePort("thief", port))
		}
		w.engine.Observer.Observe(e)
	})
	_, err := engine.Apply(t.Context(), req)
	if err == nil || !strings.Contains(err.Error(), "provided port is already allocated") || !strings.Contains(err.Error(), "putting Service/"+w.ns+"/old back") {
		t.Errorf("error %v", err)
	}
	w.kubectl("", "delete", "service", "thief")
	engine.Observer = event.Func(func(e event.Event) {
		a, ok := e.(event.Applied)
		if ok && a.Action == event.Deleted { // a quota that was not there
			w.kubectl("", "create", "quota", "none", "--hard=services=1")
			w.kubectl("", "wait", "--for=jsonpath={.status.used.services}", "quota/none")
			w.kubectl("", "create", "service", "clusterip", "filler", "--tcp=80")
		}
	})
	w.create(w.nodePort("old", port)) // as before, but without an owner
	adopt := w.request(w.nodePort("old", port))
	adopt.Adopt = apply.AdoptUnmanaged
	w.apply(adopt)
	if _, err = engine.Apply(t.Context(), req); err == nil || !strings.Contains(err.Error(), "exceeded quota") {
		t.Errorf("error %v", err)
	}
}

// TestReplaceRecreates holds that an object of the module is deleted and created
// again, if the server takes it, and never a volume.
func TestReplaceRecreates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	claim := `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, annotations: {action.timoni.sh/wait: disabled}}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
`
	req := w.request(configMap("a", "x") + "---\n" + claim)
	w.apply(req)
	uid := kube.UID(w.live("v1", "ConfigMap", "a"))
	req.Replace = []api.Target{target(t, "ConfigMap/a"), target(t, "ConfigMap/none")}
	w.want(w.apply(req), "recreated ConfigMap/a", "unchanged PersistentVolumeClaim/data")
	if kube.UID(w.live("v1", "ConfigMap", "a")) == uid {
		t.Error("it was not recreated")
	}
	if !w.warned("replace ConfigMap/none: the instance has no such object") {
		t.Errorf("no warning: %v", w.events)
	}
	req.Replace = []api.Target{target(t, "PersistentVolumeClaim/data")}
	if _, err := w.engine.Apply(t.Context(), req); codeOf(err) != fail.Refused || !strings.Contains(err.Error(), "never replaced") {
		t.Errorf("error %v", err)
	}
	gone := w.request(configMap("a", "x"))
	gone.Replace = req.Replace
	if _, err := w.engine.Apply(t.Context(), gone); codeOf(err) != fail.Refused || !strings.Contains(err.Error(), "is not replaced: a PersistentVolumeClaim is not deleted") {
		t.Errorf("error %v", err)
	}
}

func (w *world) warned(text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if warning, ok := e.(event.Warning); ok && strings.Contains(warning.Text, text) {
			return true
		}
	}
	return false
}

// TestQuotaMakesRoom holds the same of a quota that is used up.
func TestQuotaMakesRoom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(w.request(configMap("old", "x")))
	w.kubectl("", "create", "quota", "few", "--hard=count/configmaps=2") // kube-root-ca.crt is one
	w.kubectl("", "wait", "--timeout=20s", "--for=jsonpath={.status.used.count/configmaps}=2", "quota/few")
	req := w.request(configMap("new", "x"))
	_, err := w.engine.Apply(t.Context(), req)
	if hints := fmt.Sprint(hintsOf(err)); err == nil || !strings.Contains(err.Error(), "exceeded quota") || !strings.Contains(hints, "--replace ConfigMap/old") {
		t.Errorf("error %v, hints %s", err, hints)
	}
	req.Replace = []api.Target{target(t, "ConfigMap/old")}
	w.want(w.apply(req), "created ConfigMap/new", "deleted ConfigMap/old")
}

// TestInTheWay holds decision 4: a wait that is over names what may be in the
// way.
func TestInTheWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(w.request(deployment("old")))
	req := w.request(strings.Replace(deployment("new"), "spec: {containers", "spec: {nodeSelector: {no: node}, containers", 1))
	req.Timeout = time.Second
	_, err := w.engine.Apply(t.Context(), req)
	if hints := fmt.Sprint(hintsOf(err)); codeOf(err) != fail.NotReady || !strings.Contains(hints, "Deployment/old is no longer rendered and may be in the way; to delete it first: --replace Deployment/old") {
		t.Errorf("error %v, hints %s", err, hints)
	}
	req.Replace = []api.Target{target(t, "Deployment/old")}
	if _, err = w.engine.Apply(t.Context(), req); codeOf(err) != fail.NotReady {
		t.Errorf("error %v", err)
	}
	if w.live("apps/v1", "Deployment", "old") != nil {
		t.Error("the object that was named is still there")
	}
}

func TestPruneModes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(w.request(configMap("a", "x") + "---\n" + configMap("old", "x")))
	never := w.request(configMap("a", "x"))
	never.Prune = apply.PruneNever
	w.want(w.apply(never), "unchanged ConfigMap/a", "kept ConfigMap/old")
	since := w.mark()
	w.want(w.apply(never), "unchanged ConfigMap/a", "kept ConfigMap/old")
	if got := w.writes(since); got != nil {
		t.Errorf("what is left again is written again: %q", got)
	}
	always := w.request(strings.Replace(deployment("new"), "spec: {containers", "spec: {nodeSelector: {no: node}, containers", 1))
	always.Prune, always.Timeout = apply.PruneAlways, time.Second
	if _, err := w.engine.Apply(t.Context(), always); codeOf(err) != fail.NotReady {
		t.Errorf("error %v", err)
	}
	if w.live("v1", "ConfigMap", "old") != nil || w.live("v1", "ConfigMap", "a") != nil {
		t.Error("objects are left that were always to be pruned")
	}
	// Not even then, before the last stage is applied.
	always = w.request(strings.Replace(deployment("other"), "spec: {containers", "spec: {nodeSelector: {no: node}, containers", 1), configMap("late", "x"))
	always.Prune, always.Timeout = apply.PruneAlways, time.Second
	if _, err := w.engine.Apply(t.Context(), always); codeOf(err) != fail.NotReady {
		t.Errorf("error %v", err)
	}
	if w.live("apps/v1", "Deployment", "new") == nil {
		t.Error("something was pruned although what replaces it was not applied")
	}
	empty := w.request()
	empty.AllowEmpty = true
	w.want(w.apply(empty), "deleted Deployment/other", "deleted Deployment/new")
}

func TestPruneProtected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ns := "apiVersion: v1\nkind: Namespace\nmetadata: {name: NS-data}\n"
	inside := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: inside, namespace: NS-data}\n"
	own := "apiVersion: v1\nkind: Namespace\nmetadata: {name: NS}\n"
	all := w.request(configMap("a", "x") + "---\n" + ns + "---\n" + inside + "---\n" + own)
	all.Adopt = apply.AdoptAll
	w.apply(all)
	w.kubectl("", "create", "configmap", "precious", "-n", w.ns+"-data")
	req := w.request(configMap("a", "x"))
	req.PruneAlso.Kinds = []string{"Namespace"}
	plan, err := w.engine.Plan(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	w.want(outcomes(plan.All()), "unchanged ConfigMap/a", "deleted ConfigMap/inside", "kept Namespace/"+w.ns+"-data", "kept Namespace/"+w.ns)
	for _, o := range apply.Outcomes(plan.Prune) {
		want := map[string]string{w.ns: "it is the namespace of the instance", w.ns + "-data": "it holds ConfigMap/" + w.ns + "-data/precious"}[o.Name]
		if o.Kind == "Namespace" && o.Reason != want {
			t.Errorf("%s is kept: %q, want %q", o.Object, o.Reason, want)
		}
	}
	w.kubectl("", "delete", "configmap", "precious", "-n", w.ns+"-data")
	w.want(w.apply(req), "unchanged ConfigMap/a", "deleted ConfigMap/inside", "deleted Namespace/"+w.ns+"-data", "kept Namespace/"+w.ns)
	if o := w.namespace(w.ns + "-data"); o != nil {
		t.Error("the namespace is still there")
	}
}

// TestApplyTimeout holds that a plan and a stage end in time, and name what was
// not applied.
func TestApplyTimeout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	held := strings.Replace(configMap("held", "x"), "name: held", "name: held, finalizers: [example.com/guard]", 1)
	w.apply(w.request(held))
	req := w.request(held)
	req.ApplyTimeout = time.Nanosecond
	if _, err := w.engine.Apply(t.Context(), req); err == nil || err.Error() != "the plan was not made within 1ns" {
		t.Errorf("error %v", err)
	}
	req.Replace, req.ApplyTimeout = []api.Target{target(t, "ConfigMap/held")}, 2*time.Second
	_, err := w.engine.Apply(t.Context(), req)
	if codeOf(err) != fail.Failed || err.Error() != "not applied within 2s: ConfigMap/"+w.ns+"/held" {
		t.Errorf("error %v", err)
	}
	w.kubectl("", "patch", "configmap", "held", "--type=json", `-p=[{"op":"remove","path":"/metadata/finalizers"}]`)
}

// TestFieldManager holds that another name for the field manager moves the
// fields of the one before, so that what leaves the module still goes.
func TestFieldManager(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	two := strings.Replace(configMap("a", "x"), "data: {key: x}", "data: {key: x, other: z}", 1)
	w.apply(w.request(two))
	common := w.engine.Client
	w.engine.Client = common.WithFieldManager("robot")
	w.want(w.apply(w.request(configMap("a", "x"))), "configured ConfigMap/a")
	w.want(w.apply(w.request(configMap("a", "x"))), "unchanged ConfigMap/a")
	live := w.live("v1", "ConfigMap", "a")
	if _, left, _ := nested(live, "data", "other"); left {
		t.Error("a field of the former manager is left")
	}
	if got := fieldManagers(live); got != "robot" {
		t.Errorf("field managers %q", got)
	}
	w.engine.Client = common // the ledger says who was before
	w.apply(w.request(strings.Replace(configMap("a", "x"), "key: x", "third: z", 1)))
	live = w.live("v1", "ConfigMap", "a")
	if _, left, _ := nested(live, "data", "key"); left || fieldManagers(live) != "timoni" {
		t.Errorf("field managers %q, data %v", fieldManagers(live), live["data"])
	}
}

func fieldManagers(o map[string]any) string {
	entries, _, _ := nested(o, "metadata", "managedFields")
	var names []string
	for _, e := range entries.([]any) {
		names = append(names, fmt.Sprint(e.(map[string]any)["manager"]))
	}
	return strings.Join(names, " ")
}
