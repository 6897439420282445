// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/kubeflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/state"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/teardown"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

func TestMain(m *testing.M) { os.Exit(kit.Main(m)) }

// world is a namespace of the control plane and an engine whose requests and
// events can be looked at.
type world struct {
	t      *testing.T
	cp     *kit.ControlPlane
	ns     string
	user   string
	client *kube.Client
	engine *apply.Engine

	mu     sync.Mutex
	events []event.Event
}

func newWorld(t *testing.T) *world {
	t.Helper()
	cp := kit.ForTest(t)
	w := &world{t: t, cp: cp, ns: cp.Namespace(t)}
	w.user = w.ns
	kubeconfig, err := cp.User(w.user)
	if err != nil {
		t.Fatal(err)
	}
	w.as(kubeconfig)
	return w
}

// as makes the engine act as the user of a kubeconfig, with more of kubectl's
// flags.
func (w *world) as(kubeconfig []byte, args ...string) {
	w.t.Helper()
	dir := fixture.Shared(w.t)
	path := fixture.Write(w.t, filepath.Join(dir, "kubeconfig"), kubeconfig)
	flags := kubeflag.NewFlags()
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.AddTo(fs)
	if err := fs.Parse(append(args, "--kubeconfig", path, "--cache-dir", filepath.Join(dir, "cache"))); err != nil {
		w.t.Fatal(err)
	}
	observer := event.Func(func(e event.Event) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.events = append(w.events, e)
	})
	client, err := flags.Connect("test", observer)
	if err != nil {
		w.t.Fatal(err)
	}
	w.client, w.engine = client, apply.New(client, observer)
}

// request returns a request for one stage per text, each a stream of objects
// in which NS stands for the test's namespace.
func (w *world) request(stages ...string) apply.Request {
	w.t.Helper()
	req := apply.Request{
		Instance: api.Instance{
			Kind: api.KindInstance, APIVersion: api.APIVersion,
			Metadata: api.Metadata{Name: "app", Namespace: w.ns},
			Module:   api.Module{Name: "timoni.sh/test", Repository: "./test", Version: "0.0.0-devel", Digest: "unknown"},
			Values:   "{\n\tmessage: \"hello\"\n}",
		},
		Options: apply.Options{Timeout: 20 * time.Second, HistoryLimit: apply.NoHistory},
	}
	for i, text := range stages {
		stage := apply.Stage{Name: fmt.Sprintf("stage%d", i+1)}
		for doc := range strings.SplitSeq(text, "---\n") {
			var o map[string]any
			if err := yaml.Unmarshal([]byte(strings.ReplaceAll(doc, "NS", w.ns)), &o); err != nil {
				w.t.Fatal(err)
			}
			stage.Objects = append(stage.Objects, o)
		}
		req.Stages = append(req.Stages, stage)
	}
	return req
}

// apply applies and returns the outcomes as "action Kind/name".
func (w *world) apply(req apply.Request) []string {
	w.t.Helper()
	plan, err := w.engine.Apply(w.t.Context(), req)
	if err != nil {
		w.t.Fatalf("apply: %v", err)
	}
	return outcomes(plan.All())
}

func outcomes(steps []*apply.Step) []string { return lines(apply.Outcomes(steps)) }

func lines(outcomes []event.Outcome) []string {
	var lines []string
	for _, o := range outcomes {
		lines = append(lines, fmt.Sprintf("%s %s/%s", o.Action, o.Kind, o.Name))
	}
	return lines
}

func (w *world) want(got []string, want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

// live returns an object, nil when it does not exist.
func (w *world) live(apiVersion, kind, name string) api.Object {
	w.t.Helper()
	group, version, found := strings.Cut(apiVersion, "/")
	if !found {
		group, version = "", apiVersion
	}
	r, err := w.client.Resource(gvk(group, version, kind))
	if err != nil {
		w.t.Fatal(err)
	}
	o, err := w.client.Get(w.t.Context(), r, w.ns, name)
	if err != nil && !isNotFound(err) {
		w.t.Fatal(err)
	}
	return o
}

// namespace returns a Namespace, nil when it does not exist.
func (w *world) namespace(name string) api.Object {
	w.t.Helper()
	o, err := w.client.Get(w.t.Context(), resource(w.t, w, "v1", "Namespace"), "", name)
	if err != nil && !isNotFound(err) {
		w.t.Fatal(err)
	}
	return o
}

// create creates an object as another client would.
func (w *world) create(text string) api.Object {
	w.t.Helper()
	o := w.request(text).Stages[0].Objects[0]
	r, err := w.client.Resource(gvk(o.Group(), o.Version(), o.Kind()))
	if err != nil {
		w.t.Fatal(err)
	}
	if r.Namespaced {
		o.SetNamespace(w.ns)
	}
	got, err := w.client.Create(w.t.Context(), r, o, kube.Real)
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

// writes returns what the user has changed since a mark.
func (w *world) writes(since kit.Mark) []string {
	w.t.Helper()
	requests, err := w.cp.Requests(since, w.user)
	if err != nil {
		w.t.Fatal(err)
	}
	var writes []string
	for _, r := range requests {
		if r.Write() && r.Code < http.StatusBadRequest {
			writes = append(writes, r.String())
		}
	}
	return writes
}

func (w *world) mark() kit.Mark {
	w.t.Helper()
	m, err := w.cp.Mark()
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

func configMap(name, value string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\ndata: {key: " + value + "}\n"
}

func TestApplyIsIdempotent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	req := w.request(configMap("a", "x"), `
apiVersion: v1
kind: Secret
metadata: {name: b}
stringData: {password: hidden}
---
apiVersion: v1
kind: Service
metadata: {name: c}
spec: {selector: {app: c}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec:
  selector: {matchLabels: {app: d}}
  template:
    metadata: {labels: {app: d}}
    spec: {containers: [{name: c, image: "app:1", resources: {requests: {cpu: 0.5, memory: 1024Mi}}}]}
`)
	w.want(w.apply(req), "created ConfigMap/a", "created Secret/b", "created Service/c", "created Deployment/d")
	if ready, _, _ := nested(w.live("apps/v1", "Deployment", "d"), "status", "readyReplicas"); ready != int64(1) {
		t.Errorf("apply returned before the Deployment was ready: %v", ready)
	}
	since := w.mark()
	w.want(w.apply(req), "unchanged ConfigMap/a", "unchanged Secret/b", "unchanged Service/c", "unchanged Deployment/d")
	if got := w.writes(since); got != nil {
		t.Errorf("an unchanged apply wrote %q", got)
	}
}

func TestDriftIsPutRight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	req := w.request(configMap("a", "x"))
	w.apply(req)
	drifted := w.live("v1", "ConfigMap", "a")
	drifted["data"] = map[string]any{"key": "drifted"}
	other := w.client.WithFieldManager("other")
	if _, err := other.Update(t.Context(), resource(t, w, "v1", "ConfigMap"), drifted); err != nil {
		t.Fatal(err)
	}
	since := w.mark()
	w.want(w.apply(req), "configured ConfigMap/a")
	want := []string{"create leases.coordination.k8s.io timoni.app", "patch configmaps a", "delete leases.coordination.k8s.io timoni.app"}
	if diff := cmp.Diff(want, w.writes(since)); diff != "" {
		t.Errorf("the record is written though it says the same (-want +got):\n%s", diff)
	}
	if v, _, _ := nested(w.live("v1", "ConfigMap", "a"), "data", "key"); v != "x" {
		t.Errorf("data.key = %v after the apply", v)
	}
}

func TestPrune(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	kept := strings.Replace(configMap("kept", "x"), "name: kept", "name: kept, annotations: {action.timoni.sh/prune: disabled}", 1)
	claim := `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, annotations: {action.timoni.sh/wait: disabled}}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
`
	w.apply(w.request(configMap("a", "x") + "---\n" + configMap("b", "x") + "---\n" + kept + "---\n" + claim))
	stranger := w.live("v1", "ConfigMap", "b")
	stranger.SetLabel(api.LabelInstanceName, "other")
	if _, err := w.client.Update(t.Context(), resource(t, w, "v1", "ConfigMap"), stranger); err != nil {
		t.Fatal(err)
	}
	w.apply(w.request(configMap("a", "x") + "---\n" + configMap("gone", "x")))
	w.want(w.apply(w.request(configMap("a", "x"))), "unchanged ConfigMap/a", "deleted ConfigMap/gone")
	for name, want := range map[string]bool{"a": true, "b": true, "kept": true, "gone": false} {
		if got := w.live("v1", "ConfigMap", name) != nil; got != want {
			t.Errorf("ConfigMap %s exists: %v, want %v", name, got, want)
		}
	}
	if w.live("v1", "PersistentVolumeClaim", "data") == nil {
		t.Error("the PersistentVolumeClaim was pruned")
	}
}

// TestPruneWaits holds that nothing is pruned before its replacement is ready,
// and that a later run still knows of it.
func TestPruneWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(w.request(configMap("old", "x")))
	never := strings.Replace(deployment("new"), "spec: {containers", "spec: {nodeSelector: {no: node}, containers", 1)
	req := w.request(never)
	req.Timeout = 3 * time.Second // the scheduler's warning must have come
	_, err := w.engine.Apply(t.Context(), req)
	if codeOf(err) != fail.NotReady || !strings.Contains(fmt.Sprint(err), "timed out waiting for Deployment/"+w.ns+"/new") ||
		!strings.Contains(err.Error(), "Unschedulable: 0/") { // of one node, or of two, as another test makes one
		t.Errorf("error %v (code %d)", err, codeOf(err))
	}
	if w.live("v1", "ConfigMap", "old") == nil {
		t.Error("the old object was pruned before the new one was ready")
	}
	w.want(w.apply(w.request(deployment("new"))), "configured Deployment/new", "deleted ConfigMap/old")
}

func TestOwnership(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(configMap("plain", "x"))
	w.create(strings.Replace(configMap("helms", "x"), "name: helms",
		"name: helms, annotations: {meta.helm.sh/release-name: rel, meta.helm.sh/release-namespace: helmns}", 1))
	w.create(strings.Replace(configMap("others", "x"), "name: others",
		"name: others, labels: {instance.timoni.sh/name: other, instance.timoni.sh/namespace: ns}", 1))
	for _, tc := range []struct {
		name  string
		adopt apply.Adopt
		err   string
	}{
		{"plain", "", "is not managed by an instance"},
		{"helms", apply.AdoptUnmanaged, "belongs to Helm release helmns/rel"},
		{"others", apply.AdoptUnmanaged, "belongs to instance ns/other"},
		{"plain", apply.AdoptUnmanaged, ""},
		{"helms", apply.AdoptAll, ""},
		{"others", apply.AdoptAll, ""},
	} {
		req := w.request(configMap("fresh", "x") + "---\n" + configMap(tc.name, "mine"))
		req.Instance.Metadata.Name = "app-" + tc.name
		req.Adopt = tc.adopt
		_, err := w.engine.Apply(t.Context(), req)
		if tc.err == "" {
			if err != nil {
				t.Errorf("%s with %q: %v", tc.name, tc.adopt, err)
			}
			continue
		}
		if codeOf(err) != fail.Refused || !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%s with %q: error %v (code %d), want one with %q", tc.name, tc.adopt, err, codeOf(err), tc.err)
		}
		if w.live("v1", "ConfigMap", "fresh") != nil {
			t.Errorf("%s with %q: something was applied although the plan was refused", tc.name, tc.adopt)
		}
	}
}

// TestRefusedPlanChangesNothing holds decision 1: what the server rejects ends
// the run before the first write.
func TestRefusedPlanChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bad := "apiVersion: v1\nkind: Service\nmetadata: {name: bad}\nspec: {ports: [{port: 99999}]}\n"
	since := w.mark()
	_, err := w.engine.Apply(t.Context(), w.request(configMap("a", "x"), bad))
	if codeOf(err) != fail.Failed || !strings.Contains(fmt.Sprint(err), "Service/"+w.ns+"/bad: ") || !strings.Contains(err.Error(), "99999") {
		t.Errorf("error %v (code %d)", err, codeOf(err))
	}
	if got := w.writes(since); got != nil {
		t.Errorf("a refused plan wrote %q", got)
	}
}

func TestMissingNamespace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := func(ns string, stage string) apply.Request {
		req := w.request(stage)
		req.Instance.Metadata.Namespace = ns
		return req
	}
	fresh, refused := w.ns+"-fresh", w.ns+"-refused"
	plan, err := w.engine.Plan(t.Context(), in(fresh, configMap("a", "x")))
	if err != nil {
		t.Fatal(err)
	}
	w.want(outcomes(plan.All()), "deferred ConfigMap/a")
	if ns := w.namespace(fresh); ns != nil {
		t.Errorf("a plan created a namespace: %v", ns)
	}
	w.want(w.apply(in(fresh, configMap("a", "x"))), "created ConfigMap/a")
	if got := w.namespace(fresh).Label(api.LabelCreatedBy); got != api.CreatedBy {
		t.Errorf("the namespace is labelled %q", got)
	}
	bad := "apiVersion: v1\nkind: Service\nmetadata: {name: bad}\nspec: {ports: [{port: 99999}]}\n"
	if _, err := w.engine.Apply(t.Context(), in(refused, bad)); err == nil {
		t.Error("an invalid Service was applied")
	}
	if ns := w.namespace(refused); ns != nil {
		if deleted, _, _ := nested(ns, "metadata", "deletionTimestamp"); deleted == nil {
			t.Error("a refused run left the namespace that it created")
		}
	}
}

func TestRecreate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	job := func(image, annotations string) string {
		return "apiVersion: batch/v1\nkind: Job\nmetadata: {name: test, annotations: {" + annotations + "}}\n" +
			"spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: " + image + "}]}}}\n"
	}
	w.want(w.apply(w.request(job("one:1", ""))), "created Job/test")
	before := kube.UID(w.live("batch/v1", "Job", "test"))
	_, err := w.engine.Apply(t.Context(), w.request(job("two:1", "")))
	if err == nil || !strings.Contains(err.Error(), "immutable") || len(hintsOf(err)) != 1 {
		t.Errorf("without the annotation: %v, hints %q", err, hintsOf(err))
	}
	_, err = w.engine.Apply(t.Context(), w.request(strings.Replace(job("two:1", "action.timoni.sh/force: enabled"), "Never", "Always", 1)))
	if err == nil || kube.UID(w.live("batch/v1", "Job", "test")) != before {
		t.Errorf("an invalid object replaced the old one: %v", err)
	}
	w.want(w.apply(w.request(job("two:1", "action.timoni.sh/force: enabled"))), "recreated Job/test")
	if kube.UID(w.live("batch/v1", "Job", "test")) == before {
		t.Error("the Job was not recreated")
	}
}

func TestOneOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	once := strings.Replace(configMap("once", "x"), "name: once", "name: once, annotations: {action.timoni.sh/one-off: enabled}", 1)
	w.want(w.apply(w.request(once)), "created ConfigMap/once")
	w.want(w.apply(w.request(strings.Replace(once, "key: x", "key: y", 1))), "unchanged ConfigMap/once")
}

// TestCustomResources holds S1: a cluster-scoped custom resource, with a
// namespace written into it, is the same object in every run.
func TestCustomResources(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	req := w.request(strings.ReplaceAll(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.GROUP}
spec:
  group: GROUP
  scope: Cluster
  names: {kind: Widget, plural: widgets}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
apiVersion: GROUP/v1
kind: Widget
metadata: {name: NS, namespace: elsewhere, annotations: {action.timoni.sh/wait: disabled}}
spec: {size: 1}
`, "GROUP", w.ns+".example.com"))
	w.want(w.apply(req), "created CustomResourceDefinition/widgets."+w.ns+".example.com", "created Widget/"+w.ns)
	uid := kube.UID(w.live(w.ns+".example.com/v1", "Widget", w.ns))
	for range 2 {
		w.want(w.apply(req), "unchanged CustomResourceDefinition/widgets."+w.ns+".example.com", "unchanged Widget/"+w.ns)
		if got := kube.UID(w.live(w.ns+".example.com/v1", "Widget", w.ns)); got != uid {
			t.Fatalf("the Widget was replaced: uid %s, then %s", uid, got)
		}
	}
}

// TestNamespaceAdmin holds S23: no right beyond those of a namespace's admin.
func TestNamespaceAdmin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	kubeconfig, user, err := w.cp.NamespaceAdmin(t.Context(), w.ns)
	if err != nil {
		t.Fatal(err)
	}
	w.user = user
	w.as(kubeconfig)
	req := w.request(`
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: default, namespace: NS}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
` + configMap("a", "x"))
	w.want(w.apply(req), "created RoleBinding/reader", "created Role/reader", "created ConfigMap/a")
	w.want(w.apply(req), "unchanged RoleBinding/reader", "unchanged Role/reader", "unchanged ConfigMap/a")
}

// TestFewRights holds that an instance of ConfigMaps needs no right but those
// on ConfigMaps and on what we keep of it: none to read the Namespace, to list
// in the cluster, or on Leases.
func TestFewRights(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(`
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: few}
rules: [{apiGroups: [""], resources: [configmaps, secrets], verbs: [get, list, watch, create, update, patch, delete]}]
`)
	w.create(`
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: few}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: few}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: limited}]
`)
	kubeconfig, err := w.cp.User(w.user)
	if err != nil {
		t.Fatal(err)
	}
	w.as(kubeconfig, "--as", "limited")
	w.want(w.apply(w.request(configMap("a", "x"), configMap("b", "x"))), "created ConfigMap/a", "created ConfigMap/b")
	w.want(w.apply(w.request(configMap("a", "other"))), "configured ConfigMap/a", "deleted ConfigMap/b")
	w.clean()
}

func TestForbiddenIsNotAbsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	kubeconfig, _, err := w.cp.NamespaceAdmin(t.Context(), w.ns)
	if err != nil {
		t.Fatal(err)
	}
	w.as(kubeconfig)
	req := w.request(configMap("a", "x"))
	req.Instance.Metadata.Namespace = "kube-system"
	_, err = w.engine.Apply(t.Context(), req)
	if !isForbidden(err) || !strings.Contains(err.Error(), `"kube-system"`) {
		t.Errorf("error %v", err)
	}
}

func TestInterruptLeavesARecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(w.request(configMap("old", "x")))
	ctx, cancel := context.WithCancelCause(t.Context())
	w.engine.Observer = event.Func(func(e event.Event) {
		if _, waiting := e.(event.WaitStarted); waiting {
			cancel(errors.New("interrupt"))
		}
	})
	never := strings.Replace(deployment("new"), "spec: {containers", "spec: {nodeSelector: {no: node}, containers", 1)
	_, err := w.engine.Apply(ctx, w.request(never))
	if err == nil || !strings.Contains(err.Error(), "interrupt") {
		t.Errorf("error %v", err)
	}
	record, err := w.engine.Store.Get(t.Context(), w.ns, "app")
	if err != nil || record.Pending == nil || len(record.Inventory()) != 2 {
		t.Fatalf("record %+v, %v", record, err)
	}
	// Another revision than the interrupted one leaves nothing of it behind.
	w.want(w.apply(w.request(configMap("third", "x"))), "created ConfigMap/third", "deleted ConfigMap/old", "deleted Deployment/new")
}

func TestFailedJobEndsTheWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.engine.Apply(t.Context(), w.request(`
apiVersion: batch/v1
kind: Job
metadata: {name: late}
spec: {activeDeadlineSeconds: 1, template: {spec: {restartPolicy: Never, nodeSelector: {no: node}, containers: [{name: c, image: c}]}}}
`))
	if codeOf(err) != fail.NotReady || !strings.Contains(fmt.Sprint(err), "Job/"+w.ns+"/late failed") {
		t.Errorf("error %v", err)
	}
}

func TestEmptyModuleIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.engine.Apply(t.Context(), w.request())
	if codeOf(err) != fail.Refused || !strings.Contains(err.Error(), "renders no object") {
		t.Errorf("error %v", err)
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(w.request(configMap("a", "x") + "---\n" + deployment("d")))
	record, err := w.engine.Store.Get(t.Context(), w.ns, "app")
	if err != nil {
		t.Fatal(err)
	}
	objects, err := w.deleter().Delete(t.Context(), record, teardown.Options{DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"deleted ConfigMap/a", "deleted Deployment/d"}
	w.want(lines(teardown.Outcomes(objects)), want...)
	if w.live("v1", "ConfigMap", "a") == nil {
		t.Error("a dry run deleted something")
	}
	objects, err = w.deleter().Delete(t.Context(), record, teardown.Options{Timeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	w.want(lines(teardown.Outcomes(objects)), want...)
	if w.live("v1", "ConfigMap", "a") != nil || w.live("apps/v1", "Deployment", "d") != nil {
		t.Error("objects are left")
	}
	if w.live("v1", "Secret", "timoni.app") != nil {
		t.Error("the record is left")
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(w.request(configMap("a", "x") + "---\n" + configMap("b", "x")))
	if err := w.client.Delete(t.Context(), resource(t, w, "v1", "ConfigMap"), w.live("v1", "ConfigMap", "b")); err != nil {
		t.Fatal(err)
	}
	record, err := w.engine.Store.Get(t.Context(), w.ns, "app")
	if err != nil {
		t.Fatal(err)
	}
	statuses, err := state.New(w.client).Status(t.Context(), record, &store.Ledger{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range statuses {
		got = append(got, fmt.Sprintf("%s %v", s.Object.Name, s.Ready()))
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"a true", "b false"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func deployment(name string) string {
	return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name + "}\nspec: {selector: {matchLabels: {app: " + name +
		"}}, template: {metadata: {labels: {app: " + name + "}}, spec: {containers: [{name: c, image: \"app:1\"}]}}}\n"
}
