// SPDX-License-Identifier: Apache-2.0

package builtin_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/builtin"
)

const workload = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: apps}, spec: {
  selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web, tier: front}}, spec: {
  containers: [{name: web, image: x, ports: [{name: http, containerPort: 8080}]}]}}}}`

func TestCheck(t *testing.T) {
	t.Parallel()
	schemas, err := builtin.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		objects []string
		version string
		want    []string
	}{
		"nothing wrong":    {[]string{workload}, "1.36.3", nil},
		"another group":    {[]string{"{apiVersion: example.com/v9, kind: Deploymint, metadata: {name: x}}"}, "1.36.3", nil},
		"removed":          {[]string{"{apiVersion: apps/v1beta1, kind: Deployment, metadata: {name: x}}"}, "1.36.3", []string{"Deployment.apps/x: apiVersion: Kubernetes 1.16 removed apps/v1beta1 Deployment: use apps/v1"}},
		"removed, no more": {[]string{"{apiVersion: policy/v1beta1, kind: PodSecurityPolicy, metadata: {name: x}}"}, "1.25.0", []string{"PodSecurityPolicy.policy/x: apiVersion: Kubernetes 1.25 removed policy/v1beta1 PodSecurityPolicy; it has no successor"}},
		"not yet removed":  {[]string{"{apiVersion: batch/v1beta1, kind: CronJob, metadata: {name: x}}"}, "1.24.9", nil},
		"removed later":    {[]string{"{apiVersion: extensions/v1beta1, kind: Ingress, metadata: {name: x}}"}, "1.40.0", []string{"Ingress.extensions/x: apiVersion: Kubernetes 1.22 removed extensions/v1beta1 Ingress: use networking.k8s.io/v1"}},
		"unknown kind":     {[]string{"{apiVersion: apps/v1, kind: Deploymint, metadata: {name: x}}"}, "1.36.3", []string{`Deploymint.apps/x: kind: Kubernetes 1.36 has no kind "Deploymint" in apps/v1: did you mean "Deployment"?`}},
		"unknown version":  {[]string{"{apiVersion: apps/v2, kind: Deployment, metadata: {name: x}}"}, "1.36.3", []string{"Deployment.apps/x: apiVersion: Kubernetes 1.36 serves no apps/v2 Deployment: use apps/v1"}},
		"of a newer one":   {[]string{"{apiVersion: apps/v2, kind: Deployment, metadata: {name: x}}"}, "1.37.0", nil},
		"core":             {[]string{"{apiVersion: v1, kind: Servce, metadata: {name: x}}"}, "1.36.3", []string{`Servce/x: kind: Kubernetes 1.36 has no kind "Servce" in v1: did you mean "Service"?`}},
		"enumerations": {[]string{
			"{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {restartPolicy: Sometimes, initContainers: [{name: i, image: i, imagePullPolicy: Often}], containers: [{name: x, image: x, ports: [{containerPort: 1, protocol: tcp}]}]}}",
			"{apiVersion: batch/v1, kind: CronJob, metadata: {name: x}, spec: {schedule: '@daily', concurrencyPolicy: Maybe, jobTemplate: {spec: {template: {spec: {restartPolicy: Always, containers: [{name: x, image: x}]}}}}}}",
			"{apiVersion: v1, kind: Service, metadata: {name: x}, spec: {type: ClusterIp}}",
			"{apiVersion: v1, kind: Service, metadata: {name: x}, spec: {type: ''}}",
		}, "1.36.3", []string{
			`Pod/x: spec.containers[0].ports[0].protocol: unsupported value "tcp": expected SCTP, TCP, UDP`,
			`Pod/x: spec.initContainers[0].imagePullPolicy: unsupported value "Often": expected Always, IfNotPresent, Never`,
			`Pod/x: spec.restartPolicy: unsupported value "Sometimes": expected Always, Never, OnFailure`,
			`CronJob.batch/x: spec.concurrencyPolicy: unsupported value "Maybe": expected Allow, Forbid, Replace`,
			`CronJob.batch/x: spec.jobTemplate.spec.template.spec.restartPolicy: unsupported value "Always": expected OnFailure, Never`,
			`Service/x: spec.type: unsupported value "ClusterIp": expected ClusterIP, ExternalName, LoadBalancer, NodePort`,
		}},
		"fields": {[]string{
			"{apiVersion: v1, kind: ConfigMap, metadata: {name: x, lables: {a: b}, labels: {a: 1}}, data: {a: 1, b: {}}, inmutable: true}",
			"{apiVersion: apps/v1, kind: Deployment, metadata: {name: x}, spec: {replicas: '3', template: {spec: {containers: [{image: x, command: run}]}}}}",
			"{apiVersion: v1, kind: Service, metadata: {name: x}, spec: {ports: [{name: a, port: 99999999999}, {name: b, targetPort: 1.5, port: 1}]}}",
		}, "1.36.3", []string{
			`ConfigMap/x: data.a: must be of type string: "integer"`,
			`ConfigMap/x: data.b: must be of type string: "object"`,
			`ConfigMap/x: inmutable: unknown field; did you mean "immutable"?`,
			`ConfigMap/x: metadata.labels.a: must be of type string: "integer"`,
			`ConfigMap/x: metadata.lables: unknown field; did you mean "labels"?`,
			`Deployment.apps/x: spec.replicas: must be of type integer: "string"`,
			`Deployment.apps/x: spec.selector: is required`,
			`Deployment.apps/x: spec.template.spec.containers[0].command: must be of type array: "string"`,
			`Deployment.apps/x: spec.template.spec.containers[0].name: is required`,
			`Service/x: spec.ports[0].port: must fit into the format int32`,
			`Service/x: spec.ports[1].targetPort: must be of type integer,string: "number"`,
		}},
		"no value of a Secret": {[]string{"{apiVersion: v1, kind: Secret, metadata: {name: x}, data: {a: hunter2!}, stringData: {b: 'hunter2!'}, type: 1}"}, "1.36.3", []string{
			`Secret/x: data.a: must be a string in base64; the value is not shown`,
			`Secret/x: type: must be of type string: "integer"`,
		}},
		"wrapped base64": {[]string{`{apiVersion: v1, kind: Secret, metadata: {name: x}, data: {a: "YWJj\nZGVm\n", b: "YWJj\r\nZGVm\r\n", c: "\n", d: "YW\nJj"}}`}, "1.36.3", nil},
		"null in maps": {[]string{
			"{apiVersion: v1, kind: ConfigMap, metadata: {name: x, labels: {a: null}, annotations: {a: null}}, data: {a: null}}",
			strings.Replace(workload, "tier: front", "tier: null", 1),
		}, "1.36.3", nil},
		"what is not set": {[]string{
			"{apiVersion: v1, kind: Pod, metadata: {name: x, creationTimestamp: null, labels: null}, spec: {nodeName: null, containers: [{name: x, image: x, args: [null], resources: {limits: {cpu: 1, memory: 1.5e3, a: 0.5}}}]}, status: {conditions: null}}",
		}, "1.36.3", nil},
		"quantities": {[]string{"{apiVersion: v1, kind: ResourceQuota, metadata: {name: x}, spec: {hard: {a: 1Gi, b: 500m, c: 1e3, d: '.5', e: 1GB, f: ten, g: true}}}"}, "1.36.3", []string{
			`ResourceQuota/x: spec.hard.e: must be a quantity such as 500m or 1Gi: "1GB"`,
			`ResourceQuota/x: spec.hard.f: must be a quantity such as 500m or 1Gi: "ten"`,
			`ResourceQuota/x: spec.hard.g: must be of type string,number: "boolean"`,
		}},
		"lists": {[]string{"{apiVersion: v1, kind: Pod, metadata: {name: x, finalizers: [a, a]}, spec: {containers: [{name: x, image: x}, {name: x, image: x, ports: [{containerPort: 1}, {containerPort: 1, protocol: UDP}, {containerPort: 1, protocol: TCP}]}]}}"}, "1.36.3", []string{
			`Pod/x: metadata.finalizers[1]: repeats item [0]: "a"`,
			`Pod/x: spec.containers[1]: repeats item [0]: {"name":"x"}`,
			`Pod/x: spec.containers[1].ports[2]: repeats item [0]: {"containerPort":1,"protocol":"TCP"}`,
		}},
		"any content": {[]string{
			"{apiVersion: apps/v1, kind: ControllerRevision, metadata: {name: x, managedFields: [{fieldsV1: {'f:a': {}}}]}, data: {a: [1, {b: c}]}, revision: 1}",
			"{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: x}, spec: {group: a, scope: Cluster, names: {kind: A, plural: as}, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, default: {a: 1}, additionalProperties: false, properties: {a: {items: {type: string, enum: [1, {}]}}}}}}]}}",
		}, "1.36.3", nil},
		"fields of a newer one":     {[]string{"{apiVersion: v1, kind: ConfigMap, metadata: {name: x}, news: 1}"}, "1.37.0", nil},
		"a preview of an older one": {[]string{"{apiVersion: resource.k8s.io/v1alpha2, kind: ResourceClass, metadata: {name: x}}"}, "1.30.0", nil},
		"selector": {[]string{strings.Replace(workload, "matchLabels: {app: web}", "matchLabels: {app: other, team: a}", 1)}, "1.36.3", []string{
			"Deployment.apps/apps/web: spec.selector.matchLabels: the labels of spec.template do not have app=other, team=a",
		}},
		"expressions of a selector": {[]string{
			strings.Replace(workload, "matchLabels: {app: web}", "matchExpressions: [{key: app, operator: In, values: [web]}, {key: tier, operator: Exists}, {key: x, operator: DoesNotExist}, {key: x, operator: NotIn, values: [z]}]", 1),
			strings.Replace(workload, "matchLabels: {app: web}", "matchExpressions: [{key: app, operator: In, values: [x]}, {key: x, operator: Exists}, {key: app, operator: DoesNotExist}, {key: app, operator: NotIn, values: [web]}]", 1),
		}, "1.36.3", []string{
			"Deployment.apps/apps/web: spec.selector.matchExpressions[0]: the labels of spec.template do not match it",
			"Deployment.apps/apps/web: spec.selector.matchExpressions[1]: the labels of spec.template do not match it",
			"Deployment.apps/apps/web: spec.selector.matchExpressions[2]: the labels of spec.template do not match it",
			"Deployment.apps/apps/web: spec.selector.matchExpressions[3]: the labels of spec.template do not match it",
		}},
		"labels that are maps": {[]string{
			strings.Replace(strings.ReplaceAll(workload, "app: web", "app: {}"), "image: x", "image: x, volumeMounts: [{name: {}, mountPath: /v}]", 1),
			"{apiVersion: v1, kind: Service, metadata: {name: good, namespace: apps}, spec: {selector: {app: {}}, ports: [{port: 8080}]}}",
		}, "1.36.3", []string{
			`Deployment.apps/apps/web: spec.selector.matchLabels.app: must be of type string: "object"`,
			`Deployment.apps/apps/web: spec.template.metadata.labels.app: must be of type string: "object"`,
			`Deployment.apps/apps/web: spec.template.spec.containers[0].volumeMounts[0].name: must be of type string: "object"`,
			`Service/apps/good: spec.selector.app: must be of type string: "object"`,
		}},
		"ports": {[]string{
			workload,
			"{apiVersion: v1, kind: Service, metadata: {name: good, namespace: apps}, spec: {selector: {app: web}, ports: [{name: a, port: 80, targetPort: http}, {name: b, port: 8080}]}}",
			"{apiVersion: v1, kind: Service, metadata: {name: bad, namespace: apps}, spec: {selector: {app: web}, ports: [{name: a, port: 80, targetPort: https}, {name: b, port: 81}]}}",
			"{apiVersion: v1, kind: Service, metadata: {name: other, namespace: apps}, spec: {selector: {app: other}, ports: [{port: 80, targetPort: https}]}}",
		}, "1.36.3", []string{
			`warning Service/apps/bad: spec.ports[0].targetPort: no container of the selected pods has a port named "https"`,
			`warning Service/apps/bad: spec.ports[1]: no container of the selected pods has the port 81`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var objects []api.Object
			for _, text := range tt.objects {
				var object map[string]any // by which integers stay integers
				if err := utilyaml.Unmarshal([]byte(text), &object); err != nil {
					t.Fatal(err)
				}
				objects = append(objects, object)
			}
			var got []string
			for _, p := range schemas.Check(objects, tt.version) {
				text := p.String()
				if p.Harmless {
					text = "warning " + text
				}
				got = append(got, text)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// BenchmarkCheck checks as many objects as a large module has.
func BenchmarkCheck(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprintf("objects=%d", n), func(b *testing.B) {
			var object map[string]any
			if err := utilyaml.Unmarshal([]byte(workload), &object); err != nil {
				b.Fatal(err)
			}
			objects := make([]api.Object, n)
			for i := range objects {
				objects[i] = object
			}
			for b.Loop() {
				schemas, err := builtin.Embedded()
				if err != nil {
					b.Fatal(err)
				}
				if found := schemas.Check(objects, "1.36.3"); found != nil {
					b.Fatal(found)
				}
			}
		})
	}
}
