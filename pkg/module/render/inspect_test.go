// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"context"
	"testing"

	"cuelang.org/go/cue"
	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// TestInspect looks at a field that values.cue sets.
func TestInspect(t *testing.T) {
	t.Parallel()
	s, err := render.Inspect(context.Background(), render.Request{Dir: "../../../test/modules/minimal"}, func(s *render.Schema) *render.Schema { return s })
	if err != nil {
		t.Fatal(err)
	}
	message := cue.ParsePath("message")
	if got, err := s.Defaults.LookupPath(message).String(); got != "Hello World" || err != nil {
		t.Errorf("default of message: %q, %v", got, err)
	}
	if typ := s.Type.LookupPath(cue.MakePath(cue.Str("message").Required())); !typ.Exists() || typ.IsConcrete() {
		t.Errorf("type of message: %v", typ)
	}
	if name, err := s.Config.LookupPath(cue.ParsePath("metadata.name")).String(); err != nil || name == "" {
		t.Errorf("the module fills in no name: %q, %v", name, err)
	}
}

// TestDebug renders with debug_values.cue in place of values.cue.
func TestDebug(t *testing.T) {
	t.Parallel()
	req := render.Request{
		Dir: "../../../test/modules/minimal", Name: "app", Namespace: "apps", ModuleVersion: "1.0.0", Debug: true,
	}
	result, err := render.Build(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	var stages []string
	for _, set := range result.Sets {
		stages = append(stages, set.Name)
	}
	if diff := cmp.Diff([]string{"app", "test"}, stages); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCheckImages(t *testing.T) {
	t.Parallel()
	for image, want := range map[string]string{
		"nginx:1":                    "",
		"localhost:5000/nginx:1":     "",
		"nginx@sha256:" + digest:     "",
		"nginx:1@sha256:" + digest:   "",
		"nginx":                      `image "nginx" has neither a tag nor a digest`,
		"localhost:5000/nginx":       `image "localhost:5000/nginx" has neither a tag nor a digest`,
		"":                           `"" is not the reference of an image`,
		"nginx@sha256:12":            `"nginx@sha256:12" is not the reference of an image`,
		"nginx :1":                   `"nginx :1" is not the reference of an image`,
		"registry.example.com/a/b:v": "",
	} {
		t.Run(image, func(t *testing.T) {
			t.Parallel()
			dir := fixture.Module(t, map[string]string{
				"values.cue": "package main\nvalues: image: \"" + image + "\"\n",
				"timoni.cue": `package main
timoni: {
	apiVersion: "v1alpha1"
	instance: config: values
	apply: app: [{apiVersion: "v1", kind: "Pod", metadata: name: "app", spec: containers: [{image: values.image}]}]
}`,
			})
			result, err := render.Build(context.Background(), render.Request{
				Dir: dir, Name: "app", Namespace: "apps", CheckImages: true,
			})
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, p := range result.ImageProblems {
				got += p.Message
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

const digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
