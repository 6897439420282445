// SPDX-License-Identifier: Apache-2.0

package cluster_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/test/bench/peak"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// BenchmarkBundle applies a bundle of 20 instances with 200 objects in four
// namespaces, and then again.
func BenchmarkBundle(b *testing.B) {
	w := newWorld(b)
	w.raw()
	m := newMeter(w)
	for b.Loop() {
		spaces := []string{w.space("bench-bundle-a"), w.space("bench-bundle-b"), w.space("bench-bundle-c"), w.space("bench-bundle-d")}
		file := w.bundle(spaces, 20)
		m.measure("install", func() { w.timoni("bundle", "apply", "-f", file, "-q") })
		m.measure("unchanged", func() { w.timoni("bundle", "apply", "-f", file, "-q") })
	}
	m.report()
}

// bundle returns the file of a bundle of n instances, each with ten objects of
// three kinds.
func (w *world) bundle(spaces []string, n int) string {
	w.b.Helper()
	var text strings.Builder
	text.WriteString("bundle: {\n\tapiVersion: \"v1alpha1\"\n\tname: \"bench\"\n\tinstances: {\n")
	for i := range n {
		fmt.Fprintf(&text, "\t\ti%d: {module: url: \"file://%s\", namespace: %q, values: stages: app: {\n", i, w.module, spaces[i%len(spaces)])
		for k := range 10 {
			kind := []string{"ConfigMap", "Secret", "ServiceAccount"}[k%3]
			fmt.Fprintf(&text, "\t\t\to%d: {apiVersion: \"v1\", kind: %q, metadata: name: \"o%d-%d\"}\n", k, kind, i, k)
		}
		text.WriteString("\t\t}}\n")
	}
	text.WriteString("\t}\n}\n")
	return fixture.Write(w.b, filepath.Join(w.b.TempDir(), "bundle.cue"), text.String())
}

// BenchmarkBundleBuild builds 20 instances of five modules one by one and as a
// bundle, and 9000 objects of one generated bundle.
func BenchmarkBundleBuild(b *testing.B) {
	w := newWorld(b)
	dir := b.TempDir()
	var text strings.Builder
	text.WriteString("bundle: {\n\tapiVersion: \"v1alpha1\"\n\tname: \"bench\"\n\tinstances: {\n")
	for i := range 20 {
		module := fmt.Sprintf("m%d", i%5)
		if i < 5 {
			if err := os.CopyFS(filepath.Join(dir, module), os.DirFS(w.module)); err != nil {
				b.Fatal(err)
			}
		}
		fmt.Fprintf(&text, "\t\ti%d: {module: url: \"file://%s\", namespace: \"n\", values: message: \"%d\"}\n", i, module, i)
	}
	text.WriteString("\t}\n}\n")
	twenty := fixture.Write(b, filepath.Join(dir, "twenty.cue"), text.String())
	w.raw()
	many := fixture.Write(b, filepath.Join(dir, "many.cue"), fmt.Sprintf(manyObjects, w.module))
	// Without kubectl, whose start twenty would pay twenty times.
	bin := filepath.Join(filepath.Dir(w.module), "..", "..", "bin", "kubectl-timoni-")
	build, bundle := bin+"build", bin+"bundle"
	var alone, together, all cost
	for b.Loop() {
		for i := range 20 {
			alone.add(func() *os.ProcessState {
				return w.run(build, fmt.Sprint("i", i), filepath.Join(dir, fmt.Sprintf("m%d", i%5)), "-n", "n", "--set-string", fmt.Sprintf("message=%d", i))
			})
		}
		together.add(func() *os.ProcessState { return w.run(bundle, "build", "-f", twenty) })
		all.add(func() *os.ProcessState { return w.run(bundle, "build", "-f", many) })
	}
	n := float64(b.N)
	b.ReportMetric(alone.took.Seconds()*1000/n, "ms/alone")
	b.ReportMetric(alone.cpu.Seconds()*1000/n, "cpu-ms/alone")
	b.ReportMetric(together.took.Seconds()*1000/n, "ms/bundle")
	b.ReportMetric(together.cpu.Seconds()*1000/n, "cpu-ms/bundle")
	b.ReportMetric(all.took.Seconds()*1000/n, "ms/9000")
	b.ReportMetric(all.cpu.Seconds()*1000/n, "cpu-ms/9000")
	b.ReportMetric(all.peak/1e6, "MB/9000")
}

const manyObjects = `import "list"

bundle: {
	apiVersion: "v1alpha1"
	name:       "many"
	instances: {
		for n in list.Range(0, 9, 1) {"i\(n)": {
			module: url: "file://%s"
			namespace: "ns\(n)"
			values: stages: app: {
				for k in list.Range(0, 1000, 1) {"c\(k)": {
					apiVersion: "v1", kind: "ConfigMap", metadata: name: "c\(n)-\(k)", data: key: "value \(k)"
				}}
			}
		}}
	}
}
`

// cost adds up what processes take.
type cost struct {
	took, cpu time.Duration
	peak      float64
}

func (c *cost) add(run func() *os.ProcessState) {
	started := time.Now()
	state := run()
	c.took += time.Since(started)
	c.cpu += state.UserTime() + state.SystemTime()
	c.peak = max(c.peak, peak.Of(state))
}
