// SPDX-License-Identifier: Apache-2.0

package builtin_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/builtin"
)

const workload = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: apps}, spec: {
  selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web, tier: front}}, spec: {
  containers: [{name: web, image: x, ports: [{name: http, containerPort: 8080}]}]}}}}`

func TestCheck(t *testing.T) {
	t.Parallel()
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
			"{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {restartPolicy: Sometimes, initContainers: [{imagePullPolicy: Often}], containers: [{ports: [{protocol: tcp}]}]}}",
			"{apiVersion: batch/v1, kind: CronJob, metadata: {name: x}, spec: {concurrencyPolicy: Maybe, jobTemplate: {spec: {template: {spec: {restartPolicy: Always}}}}}}",
			"{apiVersion: v1, kind: Service, metadata: {name: x}, spec: {type: ClusterIp}}",
		}, "1.36.3", []string{
			`Pod/x: spec.restartPolicy: unsupported value "Sometimes": expected Always, OnFailure, Never`,
			`Pod/x: spec.containers[0].ports[0].protocol: unsupported value "tcp": expected TCP, UDP, SCTP`,
			`Pod/x: spec.initContainers[0].imagePullPolicy: unsupported value "Often": expected Always, IfNotPresent, Never`,
			`CronJob.batch/x: spec.concurrencyPolicy: unsupported value "Maybe": expected Allow, Forbid, Replace`,
			`CronJob.batch/x: spec.jobTemplate.spec.template.spec.restartPolicy: unsupported value "Always": expected OnFailure, Never`,
			`Service/x: spec.type: unsupported value "ClusterIp": expected ClusterIP, NodePort, LoadBalancer, ExternalName`,
		}},
		"selector": {[]string{strings.Replace(workload, "matchLabels: {app: web}", "matchLabels: {app: other, team: a}", 1)}, "1.36.3", []string{
			"Deployment.apps/apps/web: spec.selector.matchLabels: the labels of spec.template do not have app=other, team=a",
		}},
		"ports": {[]string{
			workload,
			"{apiVersion: v1, kind: Service, metadata: {name: good, namespace: apps}, spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}, {port: 8080}]}}",
			"{apiVersion: v1, kind: Service, metadata: {name: bad, namespace: apps}, spec: {selector: {app: web}, ports: [{port: 80, targetPort: https}, {port: 81}]}}",
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
				var object api.Object
				if err := yaml.Unmarshal([]byte(text), &object); err != nil {
					t.Fatal(err)
				}
				objects = append(objects, object)
			}
			var got []string
			for _, p := range builtin.Check(objects, tt.version) {
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
