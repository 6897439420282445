// SPDX-License-Identifier: Apache-2.0

package builtin_test

import (
	"slices"
	"strings"
	"testing"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/builtin"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

const (
	plainPod = `{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {containers: [{name: a, image: b}]}}`
	plainJob = `{apiVersion: batch/v1, kind: Job, metadata: {name: x}, spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}}`
	service  = `{apiVersion: v1, kind: Service, metadata: {name: x}, spec: {ports: [{port: 1}]}}`
	scaler   = `{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: x}, spec: {maxReplicas: 1, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: a}}}`
	control  = `{apiVersion: v1, kind: ReplicationController, metadata: {name: x}, spec: {selector: {a: b}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: b}]}}}}`
)

// ruled are objects, and what is said of them: nothing of those that the server takes.
func ruled() map[string]struct{ object, want string } {
	swap := func(in string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(in) }
	local := strings.Replace(workload, ", namespace: apps", "", 1)
	all := map[string]struct{ object, want string }{
		"pod":                    {plainPod, ""},
		"job":                    {plainJob, ""},
		"service":                {service, ""},
		"scaler":                 {scaler, ""},
		"controller":             {control, ""},
		"null container":         {swap(plainPod, "{name: a, image: b}", "null"), `Pod/x: spec.containers[0]: must be of type object: "null"`},
		"no container":           {swap(plainPod, "{name: a, image: b}", ""), "Pod/x: spec.containers: is required: at least one container"},
		"no image":               {swap(plainPod, ", image: b", ""), "Pod/x: spec.containers[0].image: is required"},
		"empty image":            {swap(local, "image: x", "image: ''"), "Deployment.apps/web: spec.template.spec.containers[0].image: is required"},
		"no name":                {swap(plainPod, "name: a, ", ""), "Pod/x: spec.containers[0].name: is required"},
		"no volume":              {swap(plainPod, "image: b", "image: b, volumeMounts: [{name: v, mountPath: /v}]"), `Pod/x: spec.containers[0].volumeMounts[0].name: the pod has no volume "v"`},
		"no volume of a job":     {swap(plainJob, "image: b", "image: b, volumeMounts: [{name: v, mountPath: /v}]"), `Job.batch/x: spec.template.spec.containers[0].volumeMounts[0].name: the pod has no volume "v"`},
		"container port 0":       {swap(plainPod, "image: b", "image: b, ports: [{containerPort: 0}]"), "Pod/x: spec.containers[0].ports[0].containerPort: must be at least 1 and at most 65535, not 0"},
		"container port 70000":   {swap(plainPod, "image: b", "image: b, ports: [{containerPort: 70000}]"), "Pod/x: spec.containers[0].ports[0].containerPort: must be at least 1 and at most 65535, not 70000"},
		"no restart policy":      {swap(plainJob, "restartPolicy: Never, ", ""), "Job.batch/x: spec.template.spec.restartPolicy: is required: OnFailure or Never"},
		"two ports":              {swap(service, "{port: 1}", "{port: 1, name: a}, {port: 2}"), "Service/x: spec.ports[1].name: is required where there are several ports"},
		"service port":           {swap(service, "port: 1", "port: 70000"), "Service/x: spec.ports[0].port: must be at least 1 and at most 65535, not 70000"},
		"no replicas":            {swap(scaler, "maxReplicas: 1", "maxReplicas: 0"), "HorizontalPodAutoscaler.autoscaling/x: spec.maxReplicas: must be at least 1 and at most 2147483647, not 0"},
		"a label":                {swap(plainPod, "name: x", "name: x, labels: {a: b c}"), `Pod/x: metadata.labels.a: the value "b c": a valid label must be an empty string`},
		"name of a label":        {swap(plainPod, "name: x", "name: x, labels: {a b: c}"), `Pod/x: metadata.labels: the name "a b": name part must consist of`},
		"an annotation":          {swap(plainPod, "name: x", "name: x, annotations: {a b: c d}"), `Pod/x: metadata.annotations: the name "a b": name part must consist of`},
		"annotation in capitals": {swap(plainPod, "name: x", "name: x, annotations: {Example.com/A: c d}"), ""},
		"label of a template":    {swap(local, "tier: front", "tier: a b"), `Deployment.apps/web: spec.template.metadata.labels.tier: the value "a b": a valid label`},
		"label of null":          {swap(local, "tier: front", "tier: null"), ""},
		"selector of null":       {swap(local, "tier: front", "tier: null", "matchLabels: {app: web}", "matchLabels: {app: web, tier: ''}"), ""},
		"empty selector":         {swap(local, "selector: {matchLabels: {app: web}}", "selector: {}"), "Deployment.apps/web: spec.selector: must select by a label: it is empty"},
		"empty expressions":      {swap(local, "matchLabels: {app: web}", "matchExpressions: []"), "Deployment.apps/web: spec.selector: must select by a label: it is empty"},
		"missing label":          {swap(local, "matchLabels: {app: web}", "matchExpressions: [{key: zz, operator: Exists}]"), "Deployment.apps/web: spec.selector.matchExpressions[0]: the labels of spec.template do not match it"},
		"another label":          {swap(local, "matchLabels: {app: web}", "matchExpressions: [{key: app, operator: NotIn, values: [web]}]"), "Deployment.apps/web: spec.selector.matchExpressions[0]: the labels of spec.template do not match it"},
		"a label too many":       {swap(local, "matchLabels: {app: web}", "matchExpressions: [{key: app, operator: DoesNotExist}]"), "Deployment.apps/web: spec.selector.matchExpressions[0]: the labels of spec.template do not match it"},
		"selector of controller": {swap(control, "selector: {a: b}", "selector: {a: z}"), "ReplicationController/x: spec.selector: the labels of spec.template do not have a=z"},
		"default of controller":  {swap(control, "selector: {a: b}, ", ""), ""},
		"eviction":               {"{apiVersion: policy/v1, kind: Eviction, metadata: {name: x}}", "Eviction.policy/x: kind: an object of policy/v1 Eviction cannot be applied: the API server does not store it"},
	}
	for _, kind := range []string{"Pod", "Service", "PersistentVolumeClaim", "ReplicationController", "Deployment.apps", "StatefulSet.apps", "DaemonSet.apps", "ReplicaSet.apps", "Job.batch", "CronJob.batch", "Ingress.networking.k8s.io", "HorizontalPodAutoscaler.autoscaling"} {
		name, group, _ := strings.Cut(kind, ".")
		all["no spec of "+name] = struct{ object, want string }{
			"{apiVersion: " + strings.TrimPrefix(group+"/v1", "/") + ", kind: " + name + ", metadata: {name: x}, spec: null}", kind + "/x: spec: is required",
		}
	}
	return all
}

func parse(t *testing.T, text string) api.Object {
	t.Helper()
	var o map[string]any // by which integers stay integers
	if err := utilyaml.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestFields(t *testing.T) {
	t.Parallel()
	schemas, err := builtin.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range ruled() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, p := range schemas.Check([]api.Object{parse(t, tt.object)}, "1.36.3") {
				got = append(got, p.String())
			}
			text := strings.Join(got, "\n")
			if tt.want == "" && text != "" || len(got) > 1 || !strings.HasPrefix(text, tt.want) {
				t.Errorf("got %s, want %s", text, tt.want)
			}
		})
	}
}

// TestFieldsOnServer holds what TestFields wants to dry runs of the API server.
func TestFieldsOnServer(t *testing.T) {
	t.Parallel()
	server, err := newServer(kit.ForTest(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range ruled() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := server.verdict(t.Context(), parse(t, tt.object)); (err == nil) != (tt.want == "") {
				t.Errorf("the server says %v, the test wants %s", err, tt.want)
			}
		})
	}
}

// TestNotObjects holds the kinds that cannot be applied to the server's discovery.
func TestNotObjects(t *testing.T) {
	t.Parallel()
	config, err := kit.ForTest(t).REST()
	if err != nil {
		t.Fatal(err)
	}
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	_, lists, err := client.ServerGroupsAndResources()
	if err != nil {
		t.Fatal(err)
	}
	applied, requests := map[string]bool{}, map[string]bool{}
	for _, list := range lists {
		for _, r := range list.APIResources {
			version := list.GroupVersion
			if r.Version != "" {
				version = strings.TrimPrefix(r.Group+"/"+r.Version, "/")
			}
			kind := version + " " + r.Kind
			if slices.Contains(r.Verbs, "patch") && !strings.Contains(r.Name, "/") {
				applied[kind] = true
			} else {
				requests[kind] = true
			}
		}
	}
	known := strings.Split(strings.TrimSpace(builtin.NotObjects), "\n")
	for kind := range requests {
		group, _, _ := strings.Cut(kind, "/")
		isStable := !strings.Contains(kind, "alpha") && !strings.Contains(kind, "beta")
		if isStable && api.IsBuiltIn(group) && !applied[kind] && !slices.Contains(known, kind) && !strings.HasSuffix(kind, "Options") {
			t.Errorf("%s is not in the list", kind)
		}
	}
	for _, kind := range known {
		if applied[kind] || !requests[kind] {
			t.Errorf("%s is in the list", kind)
		}
	}
}
