// SPDX-License-Identifier: Apache-2.0

// Package render_test measures whole processes that render a module, compared with
// CUE's own command and a program that only loads and builds.
package render_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/test/bench/peak"
	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// kinds is one kind of each stable API group, by its package.
func kinds() map[string]string {
	return map[string]string{
		"admissionregistration": "MutatingWebhookConfiguration", "apps": "Deployment", "autoscaling": "HorizontalPodAutoscaler",
		"batch": "Job", "certificates": "CertificateSigningRequest", "coordination": "Lease", "core": "ConfigMap",
		"discovery": "EndpointSlice", "events": "Event", "flowcontrol": "FlowSchema", "networking": "NetworkPolicy",
		"node": "RuntimeClass", "policy": "PodDisruptionBudget", "rbac": "Role", "scheduling": "PriorityClass", "storage": "StorageClass",
	}
}

// BenchmarkProcess measures the CPU time and the peak memory of one process, as
// the least of all runs: whatever else the machine does only adds to them.
func BenchmarkProcess(b *testing.B) {
	build, floor, cue := programs(b)
	minimal, err := filepath.Abs("../../modules/minimal")
	if err != nil {
		b.Fatal(err)
	}
	render := func(dir string, args ...string) *exec.Cmd {
		return exec.Command(build, append([]string{"app", dir, "-n", "apps"}, args...)...)
	}
	export := func(dir string, args ...string) *exec.Cmd {
		cmd := exec.Command(cue, append([]string{"export", "--out", "yaml", "-t", "name=app", "-t", "namespace=apps"}, args...)...)
		cmd.Dir = dir
		return cmd
	}
	measure(b, "module=minimal/program=build", func() *exec.Cmd { return render(minimal) })
	measure(b, "module=minimal/program=floor", func() *exec.Cmd { return exec.Command(floor, minimal, "app", "apps") })
	measure(b, "module=minimal/program=floor-gc-off", func() *exec.Cmd {
		cmd := exec.Command(floor, minimal, "app", "apps")
		cmd.Env = append(os.Environ(), "GOGC=off")
		return cmd
	})
	for _, n := range []int{10, 100, 1000, 5000} {
		dir := fixture.ManyObjects(b, n)
		measure(b, fmt.Sprintf("objects=%d/program=build", n), func() *exec.Cmd { return render(dir) })
		measure(b, fmt.Sprintf("objects=%d/program=cue-export", n), func() *exec.Cmd { return export(dir) })
		measure(b, fmt.Sprintf("objects=%d/program=cue-export-apply", n), func() *exec.Cmd { return export(dir, "-e", "timoni.apply.app") })
	}
	dir := fixture.Module(b, map[string]string{"timoni.cue": withValues, "values.cue": "package main\n\nvalues: items: [string]: {a: int, b: string, c: [...string]}\n", "mine.yaml": manyValues(2000)})
	measure(b, "values-lines=10000/program=build", func() *exec.Cmd { return render(dir, "-f", filepath.Join(dir, "mine.yaml")) })
	for _, typed := range []int{0, 1, 2, 6} {
		dir := operator(b, typed)
		measure(b, fmt.Sprintf("operator/typed-crds=%d/program=build", typed), func() *exec.Cmd { return render(dir) })
	}
	dir = allGroups(b)
	measure(b, "schemas=all/program=build", func() *exec.Cmd { return render(dir) })
	measure(b, "schemas=all/program=floor", func() *exec.Cmd { return exec.Command(floor, dir, "app", "apps") })
}

// measure runs a command without the cache of rendered results.
func measure(b *testing.B, name string, command func() *exec.Cmd) {
	b.Helper()
	measureWith(b, name, "TIMONI_RENDER_CACHE=off", command)
}

// measureWith runs a command with a variable in its environment.
func measureWith(b *testing.B, name, variable string, command func() *exec.Cmd) {
	b.Helper()
	b.Run(name, func(b *testing.B) {
		var least, memory float64
		var quickest time.Duration
		for b.Loop() {
			cmd := command()
			if cmd.Env == nil {
				cmd.Env = os.Environ()
			}
			cmd.Env = append(cmd.Env, variable)
			var problem strings.Builder
			cmd.Stderr = &problem
			start := time.Now()
			if err := cmd.Run(); err != nil {
				b.Fatalf("%v\n%s", err, problem.String())
			}
			if took := time.Since(start); quickest == 0 || took < quickest {
				quickest = took
			}
			used := float64((cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Microseconds()) / 1000
			if least == 0 || used < least {
				least = used
			}
			if size := peak.Of(cmd.ProcessState); memory == 0 || size < memory {
				memory = size
			}
		}
		b.ReportMetric(least, "cpu-ms")
		b.ReportMetric(float64(quickest.Microseconds())/1000, "least-ms")
		b.ReportMetric(memory/(1<<20), "peak-MiB")
	})
}

// programs returns the paths of build, of floor and of CUE's own command, built
// from the module next to this directory.
func programs(b *testing.B) (build, floor, cue string) {
	b.Helper()
	build = binary(b, "kubectl-timoni-build")
	dir := b.TempDir()
	for _, args := range [][]string{
		{"build", "-o", dir, "./floor"},
		{"-C", "../cue", "build", "-o", dir, "cuelang.org/go/cmd/cue"},
	} {
		if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			b.Fatalf("go %v: %v\n%s", args, err, out)
		}
	}
	return build, filepath.Join(dir, "floor"+controlplane.Exe()), filepath.Join(dir, "cue"+controlplane.Exe())
}

func binary(b *testing.B, name string) string {
	b.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "..", "bin", name+controlplane.Exe()))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		b.Skipf("build it first: %v", err)
	}
	return path
}

const withValues = `package main

import "encoding/json"

timoni: {
	apiVersion: "v1alpha1"
	instance: config: values
	apply: app: [{
		apiVersion: "v1"
		kind:       "ConfigMap"
		metadata: name: "all"
		data: items: json.Marshal(instance.config.items)
	}]
}
`

// manyValues returns n items of five lines each.
func manyValues(n int) string {
	var text strings.Builder
	text.WriteString("items:\n")
	for i := range n {
		fmt.Fprintf(&text, "  item-%d:\n    a: %d\n    b: text %d\n    c:\n    - one\n", i, i, i)
	}
	return text.String()
}

// allGroups returns a module that uses a kind of each stable API group, with
// the schemas of all of them.
func allGroups(b *testing.B) string {
	b.Helper()
	var imports, objects strings.Builder
	for pkg, kind := range kinds() {
		fmt.Fprintf(&imports, "\t%[1]sv1 \"k8s.io/api/%[1]s/v1\"\n", pkg)
		fmt.Fprintf(&objects, "\t\"%s\": %sv1.#%s\n", strings.ToLower(kind), pkg, kind)
	}
	dir := fixture.Module(b, map[string]string{"timoni.cue": "package main\n\nimport (\n\t\"encoding/json\"\n\n" + imports.String() + ")\n\n" +
		"#all: {\n" + objects.String() + "}\n\ntimoni: {\n\tapiVersion: \"v1alpha1\"\n\tinstance: config: metadata: {\n\t\tname:      string @tag(name)\n\t\tnamespace: string @tag(namespace)\n\t}\n" +
		"\tapply: app: [#all.configmap & {apiVersion: \"v1\", kind: \"ConfigMap\", metadata: name: \"a\", data: a: json.Marshal([for k, _ in #all {k}])}]\n}\n"})
	cmd := exec.Command(binary(b, "kubectl-timoni-mod"), "vendor", "k8s")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("vendor k8s: %v\n%s", err, out)
	}
	files := 0
	err := filepath.WalkDir(filepath.Join(dir, "cue.mod"), func(string, fs.DirEntry, error) error { files++; return nil })
	if err != nil || files < 30 {
		b.Fatalf("%d files of schemas: %v", files, err)
	}
	return dir
}
