// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// kubectl runs kubectl in the test's namespace.
func (w *world) kubectl(stdin string, args ...string) {
	w.t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(w.t.Context()), w.cp.Kubectl, append([]string{"--kubeconfig", w.cp.Kubeconfig, "-n", w.ns}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("kubectl %q: %v\n%s", args, err, out)
	}
}

// TestUnchangedCostsRequestsPerKind holds decision 2, on objects written the
// way people write them: the server stores them otherwise.
func TestUnchangedCostsRequestsPerKind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var objects []string
	for i := range 12 {
		objects = append(objects, configMap(fmt.Sprintf("c%d", i), "x"), fmt.Sprintf(`
apiVersion: v1
kind: Secret
metadata: {name: s%d, annotations: {empty: ""}}
stringData: {password: hidden}
`, i), fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: d%d}
spec:
  replicas: 0
  selector: {matchLabels: {app: d}}
  template:
    metadata: {labels: {app: d}}
    spec: {containers: [{name: c, image: "app:1", ports: [{containerPort: 80}], env: [{name: E, value: ""}], resources: {requests: {cpu: 0.5, memory: 1024Mi}}}]}
`, i))
	}
	req := w.request(strings.Join(objects, "---\n"))
	w.apply(req)
	since := w.mark()
	w.apply(req)
	requests, err := w.cp.Requests(since, w.user)
	if err != nil {
		t.Fatal(err)
	}
	// A LIST for each of the three kinds; the record, the ledger, the namespace.
	if len(requests) != 6 {
		t.Errorf("an unchanged apply of 36 objects made %d requests: %v", len(requests), requests)
	}
}

func TestDriftOfEachShapeIsSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	req := w.request(deployment("d"))
	w.apply(req)
	for _, patch := range []string{
		`{"spec":{"template":{"spec":{"containers":[{"name":"c","image":"other:1"}]}}}}`,
		`{"spec":{"template":{"metadata":{"labels":{"app":"d","more":"x"}}}}}`,
		`{"metadata":{"labels":{"instance.timoni.sh/name":"app","more":"x"}}}`,
	} {
		w.kubectl("", "patch", "deployment", "d", "-p", patch)
		got := w.apply(req)
		w.want(got, "configured Deployment/d")
		w.want(w.apply(req), "unchanged Deployment/d")
	}
	live := w.live("apps/v1", "Deployment", "d")
	if live.Label("more") != "" {
		t.Error("a label that kubectl added is still there")
	}
}

// TestKubectlsObjectIsCleanedUp holds that what kubectl apply put on an object
// before it was adopted goes, the last applied configuration included.
func TestKubectlsObjectIsCleanedUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.kubectl("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {key: old, gone: x}\n", "apply", "-f", "-")
	req := w.request(configMap("a", "new"))
	req.Adopt = "unmanaged"
	w.want(w.apply(req), "configured ConfigMap/a")
	live := w.live("v1", "ConfigMap", "a")
	if _, found, _ := nested(live, "data", "gone"); found || live.Annotation("kubectl.kubernetes.io/last-applied-configuration") != "" {
		t.Errorf("left of kubectl's object: %v", live)
	}
	w.want(w.apply(w.request(configMap("a", "new"))), "unchanged ConfigMap/a")
}

// TestAutoscalerKeepsReplicas holds S24.
func TestAutoscalerKeepsReplicas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	scaled := withReplicas(deployment("d"))
	w.apply(w.request(scaled))
	config, err := w.cp.REST()
	if err != nil {
		t.Fatal(err)
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	deployments := client.Resource(schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}).Namespace(w.ns)
	scale, err := deployments.Get(t.Context(), "d", metav1.GetOptions{}, "scale")
	if err != nil {
		t.Fatal(err)
	}
	if err = unstructured.SetNestedField(scale.Object, int64(3), "spec", "replicas"); err != nil {
		t.Fatal(err)
	}
	if _, err = deployments.Update(t.Context(), scale, metav1.UpdateOptions{FieldManager: "autoscaler"}, "scale"); err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(scaled, "app:1", "app:2", 1)
	plan, err := w.engine.Apply(t.Context(), w.request(changed))
	if err != nil {
		t.Fatal(err)
	}
	if got := plan.Steps[0]; got.Action != event.Configured || got.Reason != "replicas are left to autoscaler" {
		t.Errorf("%s: %q", got.Action, got.Reason)
	}
	if replicas, _, _ := nested(w.live("apps/v1", "Deployment", "d"), "spec", "replicas"); replicas != int64(3) {
		t.Errorf("replicas are %v after the apply, the autoscaler wants 3", replicas)
	}
	w.want(w.apply(w.request(changed)), "unchanged Deployment/d")
}

func TestOtherApplierIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(w.request(configMap("a", "x")))
	w.kubectl("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {key: theirs, other: x}\n",
		"apply", "--server-side", "--field-manager=operator", "--force-conflicts", "-f", "-")
	req := w.request(configMap("a", "x"))
	_, err := w.engine.Apply(t.Context(), req)
	if codeOf(err) != fail.Refused || !strings.Contains(fmt.Sprint(err), `.data.key (conflict with "operator"`) {
		t.Errorf("error %v", err)
	}
	req.ForceConflicts = true
	w.want(w.apply(req), "configured ConfigMap/a")
	live := w.live("v1", "ConfigMap", "a")
	if mine, _, _ := nested(live, "data", "key"); mine != "x" {
		t.Errorf("data.key = %v", mine)
	}
	if theirs, _, _ := nested(live, "data", "other"); theirs != "x" {
		t.Error("a field that only the other applier wants was removed")
	}
}

// TestLedgerKnowsOnlyWhatWasApplied holds that a run that ends early leaves no
// fingerprint of an object that it had not reached, and that what another client
// changes while a run waits is not taken for what was applied.
func TestLedgerKnowsOnlyWhatWasApplied(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(w.request(configMap("a", "x"), configMap("b", "x")))
	stuck := strings.Replace(deployment("d"), "spec: {containers", "spec: {nodeSelector: {no: node}, containers", 1)
	req := w.request(configMap("a", "changed")+"---\n"+stuck, configMap("b", "changed"))
	req.Timeout = 2 * time.Second
	w.engine.Observer = event.Func(func(e event.Event) {
		if _, waiting := e.(event.WaitStarted); waiting {
			w.kubectl("", "patch", "deployment", "d", "-p", `{"spec":{"replicas":1,"minReadySeconds":7}}`)
			w.kubectl("", "patch", "configmap", "a", "-p", `{"data":{"key":"drifted"}}`)
		}
	})
	if _, err := w.engine.Apply(t.Context(), req); codeOf(err) != fail.NotReady {
		t.Fatalf("error %v", err)
	}
	w.engine.Observer = event.Discard()
	req.NoWait = true
	w.want(w.apply(req), "configured ConfigMap/a", "configured Deployment/d", "configured ConfigMap/b")
	if v, _, _ := nested(w.live("v1", "ConfigMap", "b"), "data", "key"); v != "changed" {
		t.Errorf("data.key = %v", v)
	}
}
