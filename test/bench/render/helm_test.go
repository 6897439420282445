// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// BenchmarkHelm measures build next to helm template, which knows no types: an
// application of 60 objects, typed by the schemas of Kubernetes here, and 5000
// ConfigMaps.
func BenchmarkHelm(b *testing.B) {
	var log strings.Builder
	helm, err := controlplane.Extra(b.Context(), "helm", &log)
	if err != nil {
		b.Skipf("%v\n%s", err, log.String())
	}
	build, _, cue := programs(b)
	for _, c := range []struct{ name, module, chart string }{
		{"objects=60", application(b), applicationChart},
		{"configmaps=5000", fixture.ManyObjects(b, 5000), manyChart},
	} {
		chart := fixture.Dir(b, map[string]string{
			"Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\n", "templates/all.yaml": c.chart,
			"values.yaml": "replicas: 2\nlevel: info\ncount: 5000\n",
		})
		cache := "TIMONI_CACHE_DIR=" + b.TempDir()
		render := func() *exec.Cmd { return exec.Command(build, "app", c.module, "-n", "apps") }
		if err := withVariable(render(), cache).Run(); err != nil {
			b.Fatal(err)
		}
		measure(b, c.name+"/program=helm-template", func() *exec.Cmd { return exec.Command(helm, "template", "app", chart, "-n", "apps") })
		measure(b, c.name+"/program=build", render)
		measureWith(b, c.name+"/program=build/cache=hit", cache, render)
		measure(b, c.name+"/program=cue-export", func() *exec.Cmd { return cueExport(cue, c.module) })
	}
}

// application returns a module of twelve components of five objects each.
func application(b testing.TB) string {
	b.Helper()
	dir := fixture.Module(b, map[string]string{
		"timoni.cue": operatorModule, "values.cue": "package main\n\nvalues: replicas: 2\n",
		"templates/config.cue":  strings.Replace(operatorConfig, "list.Range(0, 10, 1)", "list.Range(0, 12, 1)", 1),
		"templates/objects.cue": strings.Replace(operatorObjects, "\tobjects: crds\n", "", 1),
	})
	minimal := filepath.Join("..", "..", "modules", "minimal", "cue.mod", "gen")
	if err := os.CopyFS(filepath.Join(dir, "cue.mod", "gen"), os.DirFS(minimal)); err != nil {
		b.Fatal(err)
	}
	return dir
}

const applicationChart = `{{- range $i := until 12 }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $.Release.Name }}-part{{ $i }}
  namespace: {{ $.Release.Namespace }}
  labels: {app.kubernetes.io/name: {{ $.Release.Name }}}
spec:
  replicas: {{ $.Values.replicas }}
  selector: {matchLabels: {app: part{{ $i }}}}
  template:
    metadata: {labels: {app: part{{ $i }}}}
    spec:
      serviceAccountName: {{ $.Release.Name }}-part{{ $i }}
      containers:
      - name: part{{ $i }}
        image: registry.example.com/operator:1.0.0
        args: ["--log-level={{ $.Values.level }}"]
        securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
        ports: [{name: http, containerPort: 8080}]
        livenessProbe: {httpGet: {path: /healthz, port: http}}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $.Release.Name }}-part{{ $i }}
  namespace: {{ $.Release.Namespace }}
  labels: {app.kubernetes.io/name: {{ $.Release.Name }}}
spec: {selector: {app: part{{ $i }}}, ports: [{name: http, port: 80, targetPort: http}]}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $.Release.Name }}-part{{ $i }}
  namespace: {{ $.Release.Namespace }}
  labels: {app.kubernetes.io/name: {{ $.Release.Name }}}
{{- range $n := list "a" "b" }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $.Release.Name }}-part{{ $i }}-{{ $n }}
  namespace: {{ $.Release.Namespace }}
  labels: {app.kubernetes.io/name: {{ $.Release.Name }}}
data: {level: {{ $.Values.level }}}
{{- end }}
---
{{- end }}
`

const manyChart = `{{- range $i := until (int .Values.count) }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: cm-{{ $i }}
  namespace: {{ $.Release.Namespace }}
  labels: {app.kubernetes.io/name: {{ $.Release.Name }}}
data: {key: value-{{ $i }}, other: text}
---
{{- end }}
`

// cueExport returns the command that evaluates a module with CUE's own program,
// which nothing that renders it with CUE can do without.
func cueExport(cue, dir string) *exec.Cmd {
	cmd := exec.Command(cue, "export", "-e", "timoni.apply.app", "--out", "yaml", "-t", "name=app", "-t", "namespace=apps", ".")
	cmd.Dir = dir
	return cmd
}
