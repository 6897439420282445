// SPDX-License-Identifier: Apache-2.0

package cluster_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/test/bench/peak"
	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// BenchmarkHundred installs 100 ConfigMaps, applies them again unchanged, with
// 3 of them changed, and deletes them.
func BenchmarkHundred(b *testing.B) {
	w := newWorld(b)
	w.raw()
	m := newMeter(w)
	all, changed := w.values(configMaps(100, 0)), w.values(configMaps(100, 3))
	for b.Loop() {
		ns := w.space("bench-hundred")
		m.measure("install", func() { w.timoni("apply", "app", w.module, "-f", all, "-n", ns, "-q") })
		m.measure("unchanged", func() { w.timoni("apply", "app", w.module, "-f", all, "-n", ns, "-q") })
		m.measure("3-changed", func() { w.timoni("apply", "app", w.module, "-f", changed, "-n", ns, "-q") })
		m.measure("delete", func() { w.timoni("delete", "app", "-n", ns, "-q") })
	}
	m.report()
}

// BenchmarkBesideOthers installs the same 100 ConfigMaps with ours, Helm and
// kubectl, and applies them again unchanged.
func BenchmarkBesideOthers(b *testing.B) {
	w := newWorld(b)
	w.raw()
	helm, err := controlplane.Extra(b.Context(), "helm", os.Stderr)
	if err != nil {
		b.Fatal(err)
	}
	objects := configMaps(100, 0)
	all, chart, manifest := w.values(objects), w.chart(objects), w.manifest(objects)
	m := newMeter(w)
	for b.Loop() {
		ns := w.space("bench-others")
		ours := func() { w.timoni("apply", "app", w.module, "-f", all, "-n", ns, "-q") }
		kubectl := func() {
			w.run(w.cp.Kubectl, "apply", "--server-side", "-f", manifest, "-n", ns+"-kubectl")
		}
		helmSpace := w.space("bench-helm")
		if err := w.cp.CreateNamespace(b.Context(), ns+"-kubectl"); err != nil {
			b.Fatal(err)
		}
		m.measure("install", ours)
		m.measure("helm-install", func() { w.run(helm, "install", "app", chart, "-n", helmSpace, "--wait") })
		m.measure("kubectl-install", kubectl)
		m.measure("unchanged", ours)
		m.measure("helm-unchanged", func() { w.run(helm, "upgrade", "app", chart, "-n", helmSpace, "--wait") })
		m.measure("kubectl-unchanged", kubectl)
	}
	m.report()
}

// BenchmarkThousand applies 1000 objects of five kinds, written the way people
// write them, and then again.
func BenchmarkThousand(b *testing.B) {
	w := newWorld(b)
	w.raw()
	m := newMeter(w)
	all := w.values(fiveKinds(200))
	for b.Loop() {
		ns := w.space("bench-thousand")
		m.measure("install", func() { w.timoni("apply", "app", w.module, "-f", all, "-n", ns, "-q") })
		m.measure("unchanged", func() { w.timoni("apply", "app", w.module, "-f", all, "-n", ns, "-q") })
	}
	m.report()
}

// BenchmarkFar is BenchmarkHundred with 25 and 80 ms added to every request.
// With -v it prints the requests of the first round.
func BenchmarkFar(b *testing.B) {
	w := newWorld(b)
	w.raw()
	all, changed := w.values(configMaps(100, 0)), w.values(configMaps(100, 3))
	proxy := w.cp.Proxy(b)
	for _, delay := range []time.Duration{25 * time.Millisecond, 80 * time.Millisecond} {
		b.Run("added="+delay.String(), func(b *testing.B) {
			proxy.Delay(delay)
			m := newMeter(w)
			for i := 0; b.Loop(); i++ {
				ns := w.space("bench-far")
				far := func(name, values string) {
					proxy.Trace()
					started := time.Now()
					m.measure(name, func() {
						w.timoni("apply", "app", w.module, "-f", values, "-n", ns, "-q", "--kubeconfig", proxy.Kubeconfig)
					})
					if i == 0 && testing.Verbose() {
						fmt.Printf("%s, %v added:\n%s", name, delay, proxy.Timeline(started))
					}
				}
				far("install", all)
				far("unchanged", all)
				far("3-changed", changed)
			}
			m.reportTimes(b)
		})
	}
}

// BenchmarkMemory applies 5000 ConfigMaps, and again, and reports the largest
// resident set.
func BenchmarkMemory(b *testing.B) {
	w := newWorld(b)
	w.comprehension()
	var install, unchanged float64
	for b.Loop() {
		ns := w.space("bench-memory")
		install += peak.Of(w.timoni("apply", "app", w.module, "-n", ns, "-q"))
		unchanged += peak.Of(w.timoni("apply", "app", w.module, "-n", ns, "-q"))
	}
	b.ReportMetric(install/1e6/float64(b.N), "MB/install")
	b.ReportMetric(unchanged/1e6/float64(b.N), "MB/unchanged")
}

// raw takes the module that renders the objects of its values.
func (w *world) raw() { w.module = filepath.Join(filepath.Dir(w.module), "raw") }

// comprehension takes a module that renders 5000 ConfigMaps. Of the module raw,
// whose values they would be, the record would be too large for a Secret.
func (w *world) comprehension() {
	w.raw()
	dir := w.b.TempDir()
	if err := os.CopyFS(dir, os.DirFS(w.module)); err != nil {
		w.b.Fatal(err)
	}
	const text = `package main

import "list"

timoni: apply: all: [for i in list.Range(0, 5000, 1) {
	apiVersion: "v1"
	kind:       "ConfigMap"
	metadata: name: "c\(i)"
	data: key:      "value \(i)"
}]
`
	fixture.Write(w.b, filepath.Join(dir, "all.cue"), text)
	w.module = dir
}

// configMaps returns n ConfigMaps, of which the first are changed.
func configMaps(n, changed int) []map[string]any {
	objects := make([]map[string]any, n)
	for i := range objects {
		objects[i] = object("v1", "ConfigMap", i, map[string]any{"data": map[string]any{"changed": fmt.Sprint(i < changed)}})
	}
	return objects
}

// fiveKinds returns n objects of each of five kinds.
func fiveKinds(n int) []map[string]any {
	var objects []map[string]any
	for i := range n {
		labels := map[string]any{"app": fmt.Sprintf("o%d", i)}
		container := map[string]any{
			"name": "app", "image": "app:1", "command": []any{"app", ""},
			"ports":     []any{map[string]any{"containerPort": 80}},
			"env":       []any{map[string]any{"name": "EMPTY", "value": ""}},
			"resources": map[string]any{"requests": map[string]any{"cpu": 0.5, "memory": "1024Mi"}},
		}
		objects = append(objects,
			object("apps/v1", "Deployment", i, map[string]any{"spec": map[string]any{
				"replicas": 0,
				"selector": map[string]any{"matchLabels": labels},
				"template": map[string]any{"metadata": map[string]any{"labels": labels}, "spec": map[string]any{"containers": []any{container}}},
			}}),
			object("v1", "Service", i, map[string]any{"spec": map[string]any{
				"selector": labels, "ports": []any{map[string]any{"port": 80}},
			}}),
			object("v1", "Secret", i, map[string]any{"stringData": map[string]any{"password": "hidden", "empty": ""}}),
			object("v1", "ConfigMap", i, map[string]any{"data": map[string]any{"key": fmt.Sprint(i), "empty": ""}}),
			object("networking.k8s.io/v1", "Ingress", i, map[string]any{"spec": map[string]any{
				"defaultBackend": map[string]any{"service": map[string]any{"name": fmt.Sprintf("o%d", i), "port": map[string]any{"number": 80}}},
			}}),
		)
	}
	return objects
}

// object returns the ith object of a kind.
func object(apiVersion, kind string, i int, content map[string]any) map[string]any {
	o := map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": fmt.Sprintf("o%d", i)}}
	maps.Copy(o, content)
	return o
}

// values returns the path of a values file with the objects for the module raw.
func (w *world) values(objects []map[string]any) string {
	stage := map[string]any{}
	for i, o := range objects {
		stage[fmt.Sprintf("n%05d", i)] = o
	}
	return w.file("values.json", w.encode(map[string]any{"stages": map[string]any{"app": stage}}))
}

// manifest returns the path of a file with the objects.
func (w *world) manifest(objects []map[string]any) string {
	return w.file("manifest.yaml", w.stream(objects))
}

// chart returns the directory of a Helm chart with the objects.
func (w *world) chart(objects []map[string]any) string {
	path := w.file("Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.0.0\n")
	fixture.Write(w.b, filepath.Join(filepath.Dir(path), "templates", "all.yaml"), w.stream(objects))
	return filepath.Dir(path)
}

func (w *world) stream(objects []map[string]any) string {
	var text strings.Builder
	for _, o := range objects {
		fmt.Fprintf(&text, "---\n%s\n", w.encode(o))
	}
	return text.String()
}

func (w *world) encode(v any) string {
	w.b.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		w.b.Fatal(err)
	}
	return string(data)
}

func (w *world) file(name, text string) string {
	w.b.Helper()
	return fixture.Write(w.b, filepath.Join(w.b.TempDir(), name), text)
}
