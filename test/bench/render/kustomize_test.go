// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// BenchmarkKustomize measures whole builds of kustomize next to one whose function
// makes nothing: an instance and a Bundle of twenty, of both minimal modules, and a
// Vet of 1000 Deployments.
func BenchmarkKustomize(b *testing.B) {
	var log strings.Builder
	paths, err := controlplane.Binaries(b.Context(), &log)
	if err != nil {
		b.Skipf("%v\n%s", err, log.String())
	}
	krm := binary(b, "timoni-krm")
	build := func(dir string) func() *exec.Cmd {
		return func() *exec.Cmd {
			return exec.Command(paths.Kustomize, "build", "--enable-alpha-plugins", "--enable-exec", dir)
		}
	}
	measure(b, "floor", build(kustomization(b, "generators: [f.yaml]\n", map[string]string{
		"f.yaml": function("v1", "ConfigMap", "/bin/true", ""),
	})))
	for name, module := range map[string]string{"minimal": minimalModule(b), "init": initModule(b)} {
		for _, c := range []struct{ name, config string }{
			{"one", function(krmAPI, "Instance", krm, "spec: {module: {url: 'file://module'}}\n")},
			{"twenty", function(krmAPI, "Bundle", krm, "spec:\n  instances:\n"+instances(20))},
		} {
			dir := kustomization(b, "generators: [f.yaml]\n", map[string]string{"f.yaml": c.config})
			if err := os.CopyFS(filepath.Join(dir, "module"), os.DirFS(module)); err != nil {
				b.Fatal(err)
			}
			measure(b, "module="+name+"/"+c.name+"/cache=off", build(dir))
			cache := "TIMONI_CACHE_DIR=" + b.TempDir()
			if err := withVariable(build(dir)(), cache).Run(); err != nil {
				b.Fatal(err)
			}
			measureWith(b, "module="+name+"/"+c.name+"/cache=hit", cache, build(dir))
		}
	}
	vet := "spec:\n  emit: None\n  schema: {inline: '#R: spec: {replicas: >=1, template: spec: containers: [...{image: !~\":latest$\"}]}'}\n  rules: [{match: {kind: Deployment}, definition: '#R'}]\n"
	for _, validators := range []string{"", "validators: [f.yaml]\n"} {
		dir := kustomization(b, "resources: [all.yaml]\n"+validators, map[string]string{
			"all.yaml": deployments(1000), "f.yaml": function(krmAPI, "Vet", krm, vet),
		})
		measure(b, fmt.Sprintf("objects=1000/vet=%t", validators != ""), build(dir))
	}
}

const krmAPI = "krm.timoni.sh/v1alpha1"

func function(apiVersion, kind, program, spec string) string {
	return fmt.Sprintf("apiVersion: %s\nkind: %s\nmetadata:\n  name: f\n  namespace: apps\n  annotations: {config.kubernetes.io/function: 'exec: {path: %s}'}\n%s", apiVersion, kind, program, spec)
}

func kustomization(b *testing.B, text string, files map[string]string) string {
	b.Helper()
	files["kustomization.yaml"] = text
	return fixture.Dir(b, files)
}

func instances(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "    app-%d: {module: {url: 'file://module'}}\n", i)
	}
	return text.String()
}

func deployments(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d-%d, namespace: apps, labels: {app: d}}\nspec:\n  replicas: 2\n  selector: {matchLabels: {app: d-%[1]d}}\n  template:\n    metadata: {labels: {app: d-%[1]d}}\n    spec:\n      containers:\n      - name: main\n        image: registry.example.com/app:1.%[1]d.0\n        ports: [{containerPort: 8080}]\n        resources: {limits: {memory: 64Mi}}\n", i)
	}
	return text.String()
}
