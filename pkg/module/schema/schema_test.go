// SPDX-License-Identifier: Apache-2.0

package schema_test

import (
	"crypto/sha1"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/load"
	"cuelang.org/go/encoding/yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/schema"
	"github.com/kubectl-timoni/kubectl-timoni/test/golden"
)

const corePath = "timoni.sh/core/v1alpha1"

// root is where the overlay pretends that the module is: nothing is read from
// the disk.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("testdata/none")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// build evaluates a module whose root package is files, with the core schemas
// vendored; without files, the package of the core schemas.
func build(t *testing.T, files map[string][]byte) (cue.Value, error) {
	t.Helper()
	dir := root(t)
	overlay := map[string]load.Source{
		filepath.Join(dir, "cue.mod", "module.cue"): load.FromString(`module: "timoni.sh/test", language: version: "v0.9.0"`),
	}
	err := fs.WalkDir(schema.Core(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(schema.Core(), name)
		overlay[filepath.Join(dir, "cue.mod", "pkg", filepath.FromSlash(name))] = load.FromBytes(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range files {
		overlay[filepath.Join(dir, name)] = load.FromBytes(data)
	}
	pkg := "."
	if len(files) == 0 {
		pkg = corePath
	}
	inst := load.Instances([]string{pkg}, &load.Config{Dir: dir, Overlay: overlay})[0]
	if inst.Err != nil {
		return cue.Value{}, inst.Err
	}
	v := cuecontext.New().BuildInstance(inst)
	return v, v.Validate(cue.Concrete(true))
}

func details(t *testing.T, err error) string {
	t.Helper()
	return filepath.ToSlash(errors.Details(err, &errors.Config{Cwd: root(t), ToSlash: true}))
}

// TestDefinitions evaluates the cases of testdata: in each, NAME/in.cue is
// followed by NAME/out.yaml, or by NAME/err.
func TestDefinitions(t *testing.T) {
	t.Parallel()
	golden.Run(t, "testdata/*.txtar", func(t *testing.T, archive *txtar.Archive) *txtar.Archive {
		t.Helper()
		got := &txtar.Archive{Comment: archive.Comment}
		for _, f := range archive.Files {
			if dir, base := path.Split(f.Name); base == "in.cue" {
				got.Files = append(got.Files, f, result(t, dir, f.Data))
			}
		}
		return got
	})
}

func result(t *testing.T, dir string, src []byte) txtar.File {
	t.Helper()
	src = append([]byte("package main\n\nimport timoniv1 \""+corePath+"\"\n\n"), src...)
	v, err := build(t, map[string][]byte{"in.cue": src})
	if err != nil {
		return txtar.File{Name: dir + "err", Data: []byte(details(t, err))}
	}
	out, err := yaml.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	return txtar.File{Name: dir + "out.yaml", Data: out}
}

// TestComplete holds the names that modules written for Timoni rely on.
func TestComplete(t *testing.T) {
	t.Parallel()
	src := []string{"Action", "ActionStatus", "action"}
	for name := range strings.FieldsSeq(`
		Affinity AffinityPreset AffinityPresetHard AffinityPresetNone AffinityPresetSoft AffinityValues Annotations Bundle CPUQuantity ConfigMapKind
		ContainerSecurityContext HealthCheck HealthCheckForCondition HealthCheckLibrary Image
		ImagePullSecret ImageReference ImmutableConfig InstanceModule InstanceName InstanceOwnerReference
		InstanceNamespace Labels MemoryQuantity MetaClusterComponent MetaComponent Metadata
		Monitor MonitorEndpoint MonitorEndpointSpec MonitorSpec MonitorValues ObjectReference
		PodSecurityContext PromDuration ResourceRequirement ResourceRequirements Runtime
		RuntimeValue SecretKind SecurityContextPreset SecurityContextPresetHardened SecurityContextPresetPlatform Selector SemVer StdLabelComponent
		StdLabelInstance StdLabelManagedBy StdLabelName StdLabelPartOf StdLabelVersion Timoni`) {
		src = append(src, "#"+name)
	}
	for i, name := range src {
		src[i] = fmt.Sprintf("#f%d: timoniv1.%s", i, name)
	}
	_, err := build(t, map[string][]byte{"in.cue": []byte("package main\nimport timoniv1 \"" + corePath + "\"\n" + strings.Join(src, "\n"))})
	if err != nil {
		t.Error(details(t, err))
	}
}

// TestVet evaluates the definitions as they stand.
func TestVet(t *testing.T) {
	t.Parallel()
	v, err := build(t, nil)
	if err == nil {
		err = v.Validate(cue.All())
	}
	if err != nil {
		t.Error(details(t, err))
	}
}

func TestModule(t *testing.T) {
	t.Parallel()
	const ok = `
timoni: {
	apiVersion: "v1alpha1"
	instance: config: name: "x"
	apply: app: [null, {kind: "ConfigMap"}]
	kubeMinorVersion: 30
	healthChecks: timoniv1.#HealthCheckLibrary.families.gatewayAPI
	healthChecks: demo: #HealthCheckForCondition & {group: "testing.timoni.sh"}
	healthChecks: raw: timoniv1.#HealthCheck & {
		group: "raw.timoni.sh"
		#object: {status?: {applied?: bool, ...}, ...}
		current: #object.status.applied
	}
}
`
	tests := map[string]struct{ src, want string }{
		"full":          {ok, ""},
		"unknown field": {ok + "timoni: aply: {}\n", "timoni.aply: field not allowed"},
		"version":       {`timoni: {apiVersion: "v1", instance: {}, apply: {}}`, `timoni.apiVersion: conflicting values "v1alpha1" and "v1"`},
		"no list":       {ok + "timoni: apply: app2: {}\n", `timoni.apply.app2: conflicting values {} and [...]`},
		"no group":      {ok + "timoni: healthChecks: x: current: true\n", `timoni.healthChecks.x.group: field is required but not present`},
		"check type":    {ok + "timoni: healthChecks: x: {group: \"x\", current: 1}\n", `timoni.healthChecks.x.current: conflicting values 1 and bool`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, err := build(t, map[string][]byte{
				"timoni.cue":           []byte("package app\n\nimport timoniv1 \"" + corePath + "\"\n_use: timoniv1.Action\n" + tt.src),
				"timoni_generated.cue": schema.Module("app"),
			})
			// An expression over a field that the live object will have is
			// incomplete at build time.
			got := ""
			for _, e := range errors.Errors(err) {
				if !strings.HasPrefix(e.Error(), "timoni.healthChecks.raw.current: cannot reference optional field") && got == "" {
					got = e.Error()
				}
			}
			if (tt.want == "") != (got == "") || !strings.HasPrefix(got, tt.want) {
				t.Fatalf("error %q, want %q", got, tt.want)
			}
			if tt.want != "" {
				return
			}
			raw := v.LookupPath(cue.ParsePath("timoni.healthChecks.raw"))
			raw = raw.FillPath(cue.ParsePath("#object"), map[string]any{"status": map[string]any{"applied": true}})
			if ready, err := raw.LookupPath(cue.ParsePath("current")).Bool(); err != nil || !ready {
				t.Errorf("current = %v, %v", ready, err)
			}
		})
	}
}

// TestImmutableName computes the hash of a name without CUE.
func TestImmutableName(t *testing.T) {
	t.Parallel()
	v, err := build(t, map[string][]byte{"in.cue": []byte("package main\nimport timoniv1 \"" + corePath + `"
x: timoniv1.#ImmutableConfig & {#Meta: {name: "app", namespace: "apps"}, #Suffix: "-env", #Data: {b: "1", a: "<2>"}}`)})
	if err != nil {
		t.Fatal(details(t, err))
	}
	got, err := v.LookupPath(cue.ParsePath("x.metadata.name")).String()
	if err != nil {
		t.Fatal(err)
	}
	dns := "\x6b\xa7\xb8\x10\x9d\xad\x11\xd1\x80\xb4\x00\xc0\x4f\xd4\x30\xc8" // RFC 9562, appendix A
	sum := sha1.Sum([]byte(dns + `{"b":"1","a":"<2>"}`))
	if want := fmt.Sprintf("app-env-%x", sum[:4]); got != want {
		t.Errorf("name %s, want %s", got, want)
	}
}

// TestModuleClause fails when the clause of timoni.cue moves: the file would
// then keep its own package.
func TestModuleClause(t *testing.T) {
	t.Parallel()
	src := string(schema.Module("main"))
	if strings.Count(src, "\npackage main\n") != 1 || strings.Contains(src, "v1alpha1\n") || strings.Contains(src, "\nimport ") {
		t.Errorf("not a file of package main without imports:\n%s", src)
	}
}

func TestFormat(t *testing.T) {
	t.Parallel()
	err := fs.WalkDir(schema.Core(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		src, err := fs.ReadFile(schema.Core(), name)
		if err != nil {
			return err
		}
		want, err := format.Source(src)
		if err != nil {
			return err
		}
		if diff := cmp.Diff(string(want), string(src)); diff != "" {
			t.Errorf("%s is not formatted (-want +got):\n%s", name, diff)
		}
		if !strings.HasPrefix(string(src), "// SPDX-License-Identifier: Apache-2.0\n") {
			t.Errorf("%s: no licence line", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
