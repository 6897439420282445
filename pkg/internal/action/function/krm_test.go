// SPDX-License-Identifier: Apache-2.0

package function_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/function"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/session"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// minimal is the sample module, from a base directory in this repository.
const (
	modules = "../../../../test/modules"
	minimal = "file://./minimal"
)

const header = `
apiVersion: config.kubernetes.io/v1
kind: ResourceList
items: []
functionConfig:
  apiVersion: krm.timoni.sh/v1alpha1
  kind: Instance
  metadata: {name: web, namespace: apps}
  spec:
`

func list(spec string) io.Reader { return strings.NewReader(header + spec) }

// run returns the objects that the function makes.
func run(t testing.TB, req function.Request) ([]api.Object, error) {
	t.Helper()
	result, err := function.Run(t.Context(), req, event.Discard())
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := result.Write(&out); err != nil {
		t.Fatal(err)
	}
	var written struct{ Items []api.Object }
	if err := sigsyaml.Unmarshal(out.Bytes(), &written); err != nil {
		t.Fatal(err)
	}
	return written.Items, nil
}

// TestRunIsBuild holds that the function returns what build prints, in the same
// order, for every sample module.
func TestRunIsBuild(t *testing.T) {
	t.Parallel()
	for _, module := range []string{"minimal", "stages", "embed"} {
		t.Run(module, func(t *testing.T) {
			t.Parallel()
			got, err := run(t, function.Request{Input: list("    module: {url: file://./" + module + "}\n"), Dir: modules})
			if err != nil {
				t.Fatal(err)
			}
			built, err := render.Build(t.Context(), render.Request{
				Dir: filepath.Join(modules, module), Name: "web", Namespace: "apps", ModuleVersion: ref.DevelVersion,
			})
			if err != nil {
				t.Fatal(err)
			}
			var want []api.Object
			for _, o := range built.Objects() {
				var again api.Object // as a reader of YAML has it
				if err := sigsyaml.Unmarshal(api.YAML([]api.Object{o}), &again); err != nil {
					t.Fatal(err)
				}
				want = append(want, again)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-build +function):\n%s", diff)
			}
		})
	}
}

func TestRunErrors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spec string
		want []string // parts of the error
		wrap error
	}{
		"a value of another type": {
			"    module: {url: " + minimal + "}\n    values: {image: {tag: 7}}\n",
			[]string{"Instance/apps/web: ", "7", "functionConfig: spec.values.image.tag\n"}, nil,
		},
		"an unknown value": {
			"    module: {url: " + minimal + "}\n    values: {image: {tga: a}}\n",
			[]string{"values.image.tga: unknown field", "functionConfig: spec.values.image.tga"}, nil,
		},
		"an element of a list": {
			"    module: {url: " + minimal + "}\n    values: {service: {annotations: {a: b, c: [1]}}}\n",
			[]string{"functionConfig: spec.values.service.annotations.c"}, nil,
		},
		"no module": {
			"    module: {url: file://./minimal/templates}\n", []string{`directory "file://./minimal/templates" has no cue.mod/module.cue`}, render.ErrNoModule,
		},
		"an unknown package": {
			"    module: {url: " + minimal + "}\n    package: other\n", []string{`has no package "other"`}, nil,
		},
		"an old Kubernetes": {
			"    module: {url: " + minimal + "}\n    kubeVersion: \"1.19\"\n", []string{"kubeMinorVersion"}, nil,
		},
		"no version of Kubernetes": {
			"    module: {url: " + minimal + "}\n    kubeVersion: latest\n", []string{`"latest" is not a version of Kubernetes`}, nil,
		},
		"no registry": {
			"    module: {url: oci://127.0.0.1:1/app, version: 1.0.0}\n", []string{"pull oci://127.0.0.1:1/app:1.0.0: "}, session.ErrUnreachable,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result, err := function.Run(t.Context(), function.Request{Input: list(test.spec), Dir: modules}, event.Discard())
			if test.wrap != nil && !errors.Is(err, test.wrap) {
				t.Errorf("%v does not wrap %v", err, test.wrap)
			}
			for _, part := range test.want {
				if !strings.Contains(fmt.Sprint(err), part) {
					t.Errorf("error %v, want %q in it", err, part)
				}
			}
			if result == nil || len(result.Results) == 0 || len(result.Items) > 0 {
				t.Errorf("list %+v", result)
			}
		})
	}
}

func TestRunOCI(t *testing.T) {
	t.Parallel()
	url := "oci://" + fixture.Registry(t) + "/minimal"
	digest := fixture.Push(t, filepath.Join(modules, "minimal"), fixture.Reference(t, url+":1.2.3"))
	// From here on it is the base directory that is read in, not the process's.
	objects, err := run(t, function.Request{
		Input: list(fmt.Sprintf("    module: {url: %s, version: 1.2.3, digest: %s}\n    valuesFrom: [{file: v.cue}]\n", url, digest)),
		Dir:   fixture.Dir(t, map[string]string{"v.cue": "values: replicas: 4\n"}), KubeVersion: "1.30.1",
	})
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, o := range objects {
		if spec, ok := o["spec"].(map[string]any); ok && o.Kind() == "Deployment" {
			found = fmt.Sprint(spec["replicas"]) == "4" && o.Label("app.kubernetes.io/version") == "1.2.3"
		}
	}
	if !found {
		t.Errorf("no Deployment of version 1.2.3 with 4 replicas in %v", objects)
	}
}

func BenchmarkRun(b *testing.B) {
	for _, module := range []string{"minimal", "stages", "embed"} {
		b.Run("module="+module, func(b *testing.B) {
			for b.Loop() {
				if _, err := run(b, function.Request{Input: list("    module: {url: file://./" + module + "}\n"), Dir: modules}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkBundle renders instances of one module in one bundle.
func BenchmarkBundle(b *testing.B) {
	for _, n := range []int{1, 20} {
		b.Run(fmt.Sprintf("instances=%d", n), func(b *testing.B) {
			text := strings.Builder{}
			text.WriteString("    instances:\n")
			for i := range n {
				fmt.Fprintf(&text, "      a%d: {module: {url: %s}, values: {replicas: %d}}\n", i, minimal, i+1)
			}
			config := strings.NewReplacer("kind: Instance", "kind: Bundle").Replace(header) + text.String()
			for b.Loop() {
				if _, err := run(b, function.Request{Input: strings.NewReader(config), Dir: modules}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestRunLimits holds that the limits of the build are those of a module.
func TestRunLimits(t *testing.T) {
	t.Parallel()
	_, err := function.Run(t.Context(), function.Request{
		Input: list("    module: {url: " + minimal + "}\n"), Dir: modules, Limits: render.Limits{Time: time.Nanosecond},
	}, event.Discard())
	if err == nil || !strings.Contains(err.Error(), "is not done after 1ns") || !errors.Is(err, render.ErrLimit) {
		t.Errorf("error %v", err)
	}
}
