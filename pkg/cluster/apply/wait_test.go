// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

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
		if _, err := w.engine.Apply(t.Context(), req); fail.CodeOf(err) != fail.NotReady || !strings.Contains(fmt.Sprint(err), lack) {
			t.Errorf("%s: error %v, want one with %q", text, err, lack)
		}
	}
	req.Timeout = 20 * time.Second
	req.WaitFor = []ready.WaitRule{rule("configmap/a=jsonpath=.data.key=x"), rule("Deployment.apps=Available"), rule("Job/none=Complete")}
	w.apply(req)
	if !w.warned("--wait-for=Job/none=Complete: the module has no such object") {
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
	if fail.CodeOf(err) != fail.NotReady || !strings.Contains(fmt.Sprint(err), "Deployment/"+w.ns+"/stuck failed: ") || !strings.Contains(err.Error(), "FailedScheduling") {
		t.Errorf("error %v", err)
	}
}

// TestLogTail holds that the end of the log of a container that does not run is
// part of the message, and that a log which cannot be had is only a note.
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
		if fail.CodeOf(err) != fail.NotReady || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("error %v\nwant one with %q", err, want)
		}
		w.kubectl("", "delete", "pod", name, "--force")
	}
}
