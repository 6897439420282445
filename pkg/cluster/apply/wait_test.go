// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// TestWaitFor holds that an object is not ready before the user's rules hold:
// one that has no status of its own, and one that is ready by its kind.
func TestWaitFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rule := func(text string) ready.WaitRule {
		r, err := ready.ParseWaitRule(text)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	req := w.request(strings.Replace(configMap("a", "x"), "name: a", "name: a, annotations: {action.timoni.sh/wait: disabled}", 1) + "---\n" + deployment("d"))
	req.Timeout = time.Second
	for text, lack := range map[string]string{
		"ConfigMap/a=jsonpath={.data.key}=y": `{.data.key} is "x", not "y"`,
		"ConfigMap=jsonpath={.data.none}":    "{.data.none} gives nothing",
		"ConfigMap=Ready":                    "it has no condition Ready",
		"Deployment=Available=False":         "condition Available is not False: Deployment has minimum availability.",
	} {
		req.WaitFor = []ready.WaitRule{rule(text)}
		if _, err := w.engine.Apply(t.Context(), req); codeOf(err) != fail.NotReady || !strings.Contains(fmt.Sprint(err), lack) {
			t.Errorf("%s: error %v, want one with %q", text, err, lack)
		}
	}
	req.Timeout = 20 * time.Second
	req.WaitFor = []ready.WaitRule{rule("configmap/a=jsonpath=.data.key=x"), rule("Deployment.apps=Available"), rule("Job/none=Complete")}
	w.apply(req)
	if !w.warned("Job/none=Complete: the module has no such object") {
		t.Errorf("no warning: %v", w.events)
	}
}

// TestStalledRolloutEndsTheWait holds that what cannot become ready any more is
// not waited for.
func TestStalledRolloutEndsTheWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	never := strings.Replace(deployment("stuck"), "spec: {containers", "spec: {nodeSelector: {no: node}, containers", 1)
	req := w.request(strings.Replace(never, "spec: {selector", "spec: {progressDeadlineSeconds: 1, selector", 1))
	req.Timeout = time.Hour
	_, err := w.engine.Apply(t.Context(), req)
	if codeOf(err) != fail.NotReady || !strings.Contains(fmt.Sprint(err), "Deployment/"+w.ns+"/stuck failed: ") || !strings.Contains(err.Error(), "Unschedulable: ") {
		t.Errorf("error %v", err)
	}
}

// TestLogTail holds that the end of the log of a container that does not run is
// part of the message, and that a log which cannot be read is only a note.
func TestLogTail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	node := w.node()
	crash := `-p={"status":{"phase":"Failed","conditions":[{"type":"Ready","status":"False"}],"containerStatuses":[{"name":"c","image":"app","imageID":"","ready":false,"restartCount":3,` +
		`"state":{"terminated":{"exitCode":1,"reason":"Error","message":"exit 1"}}}]}}`
	for name, want := range map[string]string{
		"fails":     "the end of its log:\n    starting\n    no such database",
		"broken":    "its log cannot be read: ",
		"forbidden": "its log may not be read",
	} {
		req := w.request("apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + "}\nspec: {nodeName: " + node + ", restartPolicy: Never, containers: [{name: c, image: app}]}\n")
		w.engine.Observer = event.Func(func(e event.Event) {
			a, isApplied := e.(event.Applied)
			if isApplied && a.Object.Kind == "Pod" && a.Action == event.Created {
				w.kubectl("", "patch", "pod", name, "--subresource=status", crash)
			}
		})
		_, err := w.engine.Apply(t.Context(), req)
		want = "Pod/" + name + ": container c: Error: exit 1; " + want
		if codeOf(err) != fail.NotReady || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("error %v\nwant one with %q", err, want)
		}
		w.kubectl("", "delete", "pod", name, "--force")
	}
}

// seen applies a request until a progress report about an object says what is
// wanted, and returns whether one did: long before the timeout, as the wait
// ends only with the report.
func (w *world) seen(req apply.Request, kind, want string) bool {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	var found atomic.Bool
	var reports []string
	w.engine.Observer = event.Func(func(e event.Event) {
		p, isProgress := e.(event.Progress)
		if !isProgress {
			return
		}
		reports = append(reports, p.Object.String()+": "+p.Message)
		if p.Object.Kind == kind && strings.Contains(p.Message, want) {
			found.Store(true)
			cancel()
		}
	})
	req.Timeout = 2 * time.Minute
	_, err := w.engine.Apply(ctx, req)
	if !found.Load() {
		w.t.Errorf("no report about a %s with %q: %v\n%s", kind, want, err, strings.Join(reports, "\n"))
	}
	return found.Load()
}

// TestReasonWhileWaiting holds that the reason why an object is not ready is
// reported while it is waited for, not when the time is over.
func TestReasonWhileWaiting(t *testing.T) {
	t.Parallel()
	quota := "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\nspec: {hard: {pods: \"0\"}}\n"
	claim := "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c}\nspec: {storageClassName: '', accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n"
	never := strings.Replace(deployment("d"), "spec: {containers", "spec: {nodeSelector: {no: node}, containers", 1)
	for name, tc := range map[string]struct {
		stages     []string
		kind, want string
	}{
		"quota":         {[]string{quota, deployment("d")}, "Deployment", "exceeded quota: q"},
		"unschedulable": {[]string{never}, "Deployment", ": Unschedulable: "},
		"paused":        {[]string{strings.Replace(deployment("d"), "spec: {selector", "spec: {paused: true, selector", 1)}, "Deployment", "; it is paused"},
		"unbound claim": {[]string{claim}, "PersistentVolumeClaim", "FailedBinding: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.seen(w.request(tc.stages...), tc.kind, tc.want)
		})
	}
}

// TestEventWhileWaiting holds the same of what only an event says, as a volume
// that cannot be mounted.
func TestEventWhileWaiting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	req := w.request("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {schedulerName: none, containers: [{name: c, image: app}]}\n")
	go func() {
		w.kubectl("", "wait", "pod/p", "--for=create", "--timeout=2m")
		pod, err := w.client.Get(t.Context(), kube.Core("Pod", "pods"), w.ns, "p")
		if err != nil {
			t.Error(err)
			return
		}
		w.kubectl("apiVersion: v1\nkind: Event\nmetadata: {name: e}\ntype: Warning\nreason: FailedMount\nmessage: no such secret\n"+
			"involvedObject: {kind: Pod, apiVersion: v1, name: p, namespace: "+w.ns+", uid: "+kube.UID(pod)+"}\n", "create", "-f", "-")
	}()
	w.seen(req, "Pod", "FailedMount: no such secret")
}

// TestClaimAwaitsConsumer holds that a claim which is bound only once a pod uses
// it does not hold up the stage whose objects use it.
func TestClaimAwaitsConsumer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.kubectl("apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: "+w.ns+"}\nprovisioner: none.example.com\nvolumeBindingMode: WaitForFirstConsumer\n", "create", "-f", "-")
	t.Cleanup(func() { w.kubectl("", "delete", "storageclass", w.ns) })
	req := w.request("apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c}\nspec: {storageClassName: NS, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n", configMap("a", "x"))
	req.Timeout = 2 * time.Minute
	w.want(w.apply(req), "created PersistentVolumeClaim/c", "created ConfigMap/a")
}

// TestAllFailuresAreNamed holds that the first object that fails does not hide
// the others, and that the shortest cause comes first.
func TestAllFailuresAreNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stuck := func(name string) string {
		never := strings.Replace(deployment(name), "spec: {containers", "spec: {nodeSelector: {no: node}, containers", 1)
		return strings.Replace(never, "spec: {selector", "spec: {progressDeadlineSeconds: 1, selector", 1)
	}
	paused := strings.Replace(deployment("held"), "spec: {selector", "spec: {paused: true, selector", 1)
	req := w.request(stuck("a") + "---\n" + stuck("a-longer-name") + "---\n" + paused)
	req.Timeout = time.Hour
	_, err := w.engine.Apply(t.Context(), req)
	if codeOf(err) != fail.NotReady {
		t.Fatalf("error %v", err)
	}
	lines := strings.Split(err.Error(), "\n")
	for i, want := range []string{"Deployment/" + w.ns + "/a ", "Deployment/" + w.ns + "/a-longer-name "} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], want) || !strings.Contains(lines[i], "Unschedulable: ") {
			t.Errorf("line %d is not about %s:\n%v", i+1, want, err)
		}
	}
}
