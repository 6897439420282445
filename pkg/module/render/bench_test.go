// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"fmt"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// BenchmarkBuild measures a module like those in the wild, with vendored
// Kubernetes schemas, and one of many objects from a comprehension.
func BenchmarkBuild(b *testing.B) {
	b.Run("module=minimal", func(b *testing.B) {
		benchmarkBuild(b, "../../../test/modules/minimal")
	})
	b.Run("module=minimal/values=5", func(b *testing.B) {
		benchmarkBuild(b, "../../../test/modules/minimal", values.Source{
			Name: "values.yaml", Data: []byte("message: Hi\nreplicas: 2\nservice: {port: 81}\nmetadata: {labels: {b: x, a: y}}\n"),
		})
	})
	for _, n := range []int{100, 1000, 5000} {
		b.Run(fmt.Sprintf("objects=%d", n), func(b *testing.B) {
			benchmarkBuild(b, fixture.ManyObjects(b, n))
		})
	}
}

func benchmarkBuild(b *testing.B, dir string, sources ...values.Source) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := render.Build(b.Context(), render.Request{
			Dir: dir, Name: "app", Namespace: "apps", ModuleVersion: "0.0.0-devel", Values: sources,
		}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBuildAll measures twenty instances of one module.
func BenchmarkBuildAll(b *testing.B) {
	reqs := make([]render.Request, 20)
	for i := range reqs {
		reqs[i] = render.Request{
			Dir: "../../../test/modules/minimal", Name: fmt.Sprintf("app-%d", i), Namespace: "apps", ModuleVersion: "0.0.0-devel", ObjectsOnly: true,
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, outcome := range render.BuildAll(b.Context(), reqs) {
			if outcome.Err != nil {
				b.Fatal(outcome.Err)
			}
		}
	}
}
