// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// parse reads objects of which each is a line: KIND.GROUP/NAME OWNER…, whose uids
// are their names. What follows a | is YAML of the rest.
func parse(t *testing.T, text string) []api.Object {
	t.Helper()
	var objects []api.Object
	for line := range strings.Lines(text) {
		head, rest, _ := strings.Cut(strings.TrimSpace(line), "|")
		words := strings.Fields(head)
		if len(words) == 0 {
			continue
		}
		kind, name, _ := strings.Cut(words[0], "/")
		kind, group, _ := strings.Cut(kind, ".")
		o := api.Object{}
		if text, err := yaml.YAMLToJSON([]byte(rest)); err != nil || len(rest) > 0 && utiljson.Unmarshal(text, (*map[string]any)(&o)) != nil {
			t.Fatal(rest, err)
		}
		o["apiVersion"], o["kind"] = strings.TrimPrefix(group+"/v1", "/"), kind
		var owners []any
		for _, uid := range words[1:] {
			owners = append(owners, map[string]any{"uid": uid})
		}
		o["metadata"] = map[string]any{"name": name, "namespace": "apps", "uid": name, "ownerReferences": owners}
		objects = append(objects, o)
	}
	return objects
}

func show(nodes []*Node, indent string) string {
	var b strings.Builder
	for _, n := range nodes {
		b.WriteString(indent + n.Object.Kind + "/" + n.Object.Name + "\n" + show(n.Children, indent+" "))
	}
	return b.String()
}

// TestGrow finds what the objects own, at any depth, each once, whatever else
// there is.
func TestGrow(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ roots, others, want string }{
		"none": {"ConfigMap/a", "Pod/b other", "ConfigMap/a\n"},
		"deployment": {
			"Deployment.apps/web", `
				Pod/web-1-x web-1
				Pod/web-1-a web-1
				ReplicaSet.apps/web-1 web |spec: {replicas: 1}
				ReplicaSet.apps/web-0 web |spec: {replicas: 0}
				ReplicaSet.apps/web-2 web |{spec: {replicas: 0}, status: {replicas: 1}}`,
			"Deployment/web\n ReplicaSet/web-1\n  Pod/web-1-a\n  Pod/web-1-x\n ReplicaSet/web-2\n",
		},
		"claims": {
			"StatefulSet.apps/db |spec: {volumeClaimTemplates: [{metadata: {name: data}}]}",
			"PersistentVolumeClaim/data-db-0\nPersistentVolumeClaim/data-db-10\nPersistentVolumeClaim/data-db-x\nPersistentVolumeClaim/log-db-0\nPod/db-0 db",
			"StatefulSet/db\n PersistentVolumeClaim/data-db-0\n PersistentVolumeClaim/data-db-10\n Pod/db-0\n",
		},
		"a claim with a reference, too": {
			"StatefulSet.apps/db |spec: {volumeClaimTemplates: [{metadata: {name: data}}]}", "PersistentVolumeClaim/data-db-0 db",
			"StatefulSet/db\n PersistentVolumeClaim/data-db-0\n",
		},
		"a root below another": {"Deployment.apps/web\nReplicaSet.apps/mine web", "Pod/x mine", "Deployment/web\nReplicaSet/mine\n Pod/x\n"},
		"two owners, a circle": {"A.x/a\nA.x/b", "Pod/p a b q\nPod/q p", "A/a\n Pod/p\n  Pod/q\nA/b\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var roots []*Node
			for _, o := range parse(t, tc.roots) {
				roots = append(roots, &Node{Object: o.Ref(), Live: o})
			}
			Grow(append(roots, &Node{}), parse(t, tc.others), time.Now())
			if diff := cmp.Diff(tc.want, show(roots, "")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestFacts reads what a table shows.
func TestFacts(t *testing.T) {
	t.Parallel()
	two := int64(2)
	for text, want := range map[string]Facts{
		"Deployment.apps/a |{spec: {template: {spec: {containers: [{image: x}, {image: x}], initContainers: [{image: w}]}}}, status: {readyReplicas: 0}}": {Ready: &Ready{Want: 1}, Images: []string{"w", "x"}},
		"StatefulSet.apps/a |{spec: {replicas: 3}, status: {readyReplicas: 2}}":                                                                           {Ready: &Ready{Have: 2, Want: 3}},
		"DaemonSet.apps/a |status: {numberReady: 1, desiredNumberScheduled: 4}":                                                                           {Ready: &Ready{Have: 1, Want: 4}},
		"Job.batch/a |{spec: {completions: 3}, status: {succeeded: 1}}":                                                                                   {Ready: &Ready{Have: 1, Want: 3}},
		"Pod/a |{spec: {containers: [{image: x}, {image: z}]}, status: {containerStatuses: [{ready: true, restartCount: 2}, {ready: false}]}}":            {Ready: &Ready{Have: 1, Want: 2}, Restarts: &two, Images: []string{"x", "z"}},
		"EndpointSlice.discovery.k8s.io/a |endpoints: [{conditions: {ready: true}}, {}, {conditions: {ready: false}}]":                                    {Ready: &Ready{Have: 2, Want: 3}},
		"CronJob.batch/a |spec: {jobTemplate: {spec: {template: {spec: {containers: [{image: x}]}}}}}":                                                    {Images: []string{"x"}},
		"ConfigMap/a |spec: {replicas: many, containers: [1]}":                                                                                            {},
	} {
		if diff := cmp.Diff(want, factsOf(parse(t, text)[0])); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

// TestKeys lists no kind that the objects do not make.
func TestKeys(t *testing.T) {
	t.Parallel()
	const all = "deployments statefulsets daemonsets replicasets jobs pods endpointslices persistentvolumeclaims"
	for text, want := range map[string][2]string{
		"ConfigMap/a\nSecret/b":             {"", ""},
		"Service/a":                         {"endpointslices", ""},
		"Deployment.apps/a":                 {"replicasets pods persistentvolumeclaims", "replicasets pods"},
		"CronJob.batch/a\nService/b":        {"jobs pods endpointslices persistentvolumeclaims", "jobs pods"},
		"Job.batch/a":                       {"pods persistentvolumeclaims", "pods jobs"},
		"Widget.example.com/a\nConfigMap/b": {all, "deployments statefulsets daemonsets replicasets jobs pods"},
	} {
		var got [2][]string
		for _, k := range Keys(parse(t, text)) {
			got[0] = append(got[0], k.Resource.Resource)
		}
		for _, k := range PodKeys(parse(t, text)) {
			got[1] = append(got[1], k.Resource.Resource)
		}
		if diff := cmp.Diff(want, [2]string{strings.Join(got[0], " "), strings.Join(got[1], " ")}); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

// TestLineage knows what is owned in whatever order it comes.
func TestLineage(t *testing.T) {
	t.Parallel()
	l := NewLineage(parse(t, "Deployment.apps/web"))
	var got []string
	for _, o := range parse(t, "Pod/x rs\nPod/y other\nPod/x rs\nReplicaSet.apps/rs web\nPod/z rs\nPod/x rs\nDeployment.apps/web") {
		text := ""
		for _, found := range l.Add(o) {
			text += found.Name() + " "
		}
		got = append(got, o.Name()+": "+text)
	}
	want := []string{"x: ", "y: ", "x: ", "rs: rs x ", "z: z ", "x: x ", "web: web "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for uid, want := range map[string]bool{"x": true, "y": false} {
		e := api.Object{"involvedObject": map[string]any{"uid": uid}}
		if l.IsOf(e, nil) != want {
			t.Error(fmt.Sprint(uid, !want))
		}
	}
}

// TestOwnerElsewhere takes no object for one that is owned from another namespace,
// whose owner of that uid may be anything.
func TestOwnerElsewhere(t *testing.T) {
	t.Parallel()
	web := parse(t, "Deployment.apps/web")[0]
	pods := parse(t, "Pod/own web\nPod/strange web")
	pods[1]["metadata"].(map[string]any)["namespace"] = "evil"
	root := &Node{Object: web.Ref(), Live: web}
	Grow([]*Node{root}, pods, time.Now())
	if diff := cmp.Diff("Deployment/web\n Pod/own\n", show([]*Node{root}, "")); diff != "" {
		t.Error(diff)
	}
	lineage := NewLineage([]api.Object{web})
	if len(lineage.Add(pods[0])) != 1 || len(lineage.Add(pods[1])) != 0 {
		t.Error("a Pod of another namespace is of the Deployment")
	}
}
