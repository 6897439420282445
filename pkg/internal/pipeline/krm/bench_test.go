// SPDX-License-Identifier: Apache-2.0

package krm_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/krm"
)

// BenchmarkVet checks Deployments as kustomize passes them, from the bytes that
// come in to those that go out.
func BenchmarkVet(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprintf("objects=%d", n), func(b *testing.B) {
			in := vetInput(n)
			for b.Loop() {
				list, err := krm.Read(bytes.NewReader(in))
				if err != nil {
					b.Fatal(err)
				}
				if err := (krm.Function{Dir: b.TempDir()}).Run(b.Context(), list); err != nil {
					b.Fatal(err)
				}
				var out bytes.Buffer
				if err := list.Write(&out); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func vetInput(n int) []byte {
	var in bytes.Buffer
	in.WriteString("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n")
	for i := range n {
		fmt.Fprintf(&in, `- apiVersion: apps/v1
  kind: Deployment
  metadata:
    name: web-%d
    namespace: apps
    labels: {app.kubernetes.io/name: web-%d, tier: front}
    annotations:
      internal.config.kubernetes.io/index: "%d"
      kustomize.config.k8s.io/id: "%d"
  spec:
    replicas: 2
    selector:
      matchLabels: {app.kubernetes.io/name: web-%d}
    template:
      metadata:
        labels: {app.kubernetes.io/name: web-%d}
      spec:
        containers:
        - name: web
          image: nginx:1.29
          ports: [{containerPort: 80, name: http}]
          resources: {limits: {cpu: 100m, memory: 64Mi}}
          env: [{name: A, value: "1"}, {name: B, value: "2"}]
`, i, i, i, i, i, i)
	}
	in.WriteString(`functionConfig:
  apiVersion: krm.timoni.sh/v1alpha1
  kind: Vet
  metadata: {name: policy}
  spec:
    schema:
      inline: |
        import "strings"
        #Workload: {
          metadata: {name: strings.MaxRunes(63), labels: {tier!: "front" | "back", ...}, ...}
          spec: {
            replicas: int & >=2 & <=10
            template: {
              spec: containers: [...{
                name:  string
                image: =~":" & !~":latest$"
                resources: limits: {cpu!: string, memory!: string}
                ...
              }]
              ...
            }
            ...
          }
          ...
        }
    rules:
    - {match: {group: apps}, definition: "#Workload"}
    emit: All
`)
	return in.Bytes()
}
