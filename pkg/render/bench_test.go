// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/render"
)

// BenchmarkBuild measures a module like those in the wild, with vendored
// Kubernetes schemas, and one of many objects from a comprehension.
func BenchmarkBuild(b *testing.B) {
	b.Run("module=minimal", func(b *testing.B) {
		benchmarkBuild(b, "../../test/modules/minimal")
	})
	for _, n := range []int{100, 1000, 5000} {
		b.Run(fmt.Sprintf("objects=%d", n), func(b *testing.B) {
			dir := b.TempDir()
			for name, text := range map[string]string{
				"cue.mod/module.cue": "module: \"timoni.sh/many\"\nlanguage: version: \"v0.9.0\"\n",
				"values.cue":         "package main\n\nvalues: {}\n",
				"timoni.cue":         fmt.Sprintf(manyModule, n),
			} {
				writeFile(b, filepath.Join(dir, name), text)
			}
			benchmarkBuild(b, dir)
		})
	}
}

const manyModule = `package main

import "list"

timoni: {
	apiVersion: "v1alpha1"
	instance: config: metadata: {
		name:      string @tag(name)
		namespace: string @tag(namespace)
	}
	instance: objects: {
		for i in list.Range(0, %d, 1) {
			"cm-\(i)": {
				apiVersion: "v1"
				kind:       "ConfigMap"
				metadata: {
					name:      "cm-\(i)"
					namespace: instance.config.metadata.namespace
					labels: "app.kubernetes.io/name": instance.config.metadata.name
				}
				data: {key: "value-\(i)", other: "text"}
			}
		}
	}
	apply: app: [for o in instance.objects {o}]
}
`

func benchmarkBuild(b *testing.B, dir string) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := render.Build(b.Context(), render.Request{
			Dir: dir, Name: "app", Namespace: "apps", ModuleVersion: "0.0.0-devel",
		}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkShared measures twenty instances of one module.
func BenchmarkShared(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		shared := &render.Shared{}
		for i := range 20 {
			if _, err := render.Build(b.Context(), render.Request{
				Dir: "../../test/modules/minimal", Name: fmt.Sprintf("app-%d", i), Namespace: "apps", ModuleVersion: "0.0.0-devel",
				Shared: shared, OmitValues: true,
			}); err != nil {
				b.Fatal(err)
			}
		}
	}
}
