// SPDX-License-Identifier: Apache-2.0

package krmcmd_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/krmcmd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// isFunction is set in the environment of what kustomize starts: the binary of
// this test, which then is the function.
const isFunction = "TIMONI_KRM_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(isFunction) != "" {
		os.Exit(cli.Main(krmcmd.New))
	}
	if err := os.Setenv(isFunction, "1"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

const (
	moduleCUE = `module: "example.com/web"
language: version: "v0.12.0"
`
	valuesCUE = `package main

values: {}
`
	timoniCUE = `package main

values: replicas: *1 | int

timoni: {
	apiVersion: "v1alpha1"
	instance: config: {
		name:      string @tag(name)
		namespace: string @tag(namespace)
	}
	apply: second: [{
		apiVersion: "v1"
		kind:       "ConfigMap"
		metadata: instance.config
		data: on: "yes"
	}]
	apply: first: [{
		apiVersion: "apps/v1"
		kind:       "Deployment"
		metadata: instance.config
		spec: replicas: values.replicas
	}]
}
`
	kustomization = `sortOptions: {order: fifo}
namePrefix: eu-
generators:
- |-
  apiVersion: krm.timoni.sh/v1alpha1
  kind: Instance
  metadata:
    name: web
    namespace: apps
    annotations:
      config.kubernetes.io/function: 'exec: {path: %q}'
  spec:
    module: {url: file://./module}
%s
`
)

// TestKrusty builds with kustomize's own API, in-process.
func TestKrusty(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		spec, want string
		fails      bool
	}{
		"objects in the order of the stages": {spec: "    values: {replicas: 2}", want: `apiVersion: v1
data:
  "on": "yes"
kind: ConfigMap
metadata:
  name: eu-web
  namespace: apps
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: eu-web
  namespace: apps
spec:
  replicas: 2
`},
		"an error fails the build":           {spec: "    values: {replicas: two}", fails: true},
		"an unknown field fails the build":   {spec: "    value: {}", fails: true},
		"an unreadable file fails the build": {spec: "    valuesFrom: [{file: none.yaml}]", fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := fixture.Dir(t, map[string]string{
				"kustomization.yaml":        fmt.Sprintf(kustomization, filepath.ToSlash(self), test.spec),
				"module/cue.mod/module.cue": moduleCUE, "module/values.cue": valuesCUE, "module/timoni.cue": timoniCUE,
			})
			options := krusty.MakeDefaultOptions()
			options.PluginConfig = types.EnabledPluginConfig(types.BploUseStaticallyLinked)
			options.PluginConfig.FnpLoadingOptions = types.FnPluginLoadingOptions{EnableExec: true}
			built, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), dir)
			if test.fails {
				if err == nil || !strings.Contains(err.Error(), "exit status") {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := built.AsYaml()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCommand(t *testing.T) {
	t.Parallel()
	const empty = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\n"
	for name, test := range map[string]struct {
		program, verb string
		args          []string
		code          fail.Code
		stdout        string // begins with
		stderr        string // holds
	}{
		"the function":             {"timoni-krm", "timoni-krm", nil, fail.Failed, empty, "there is no ResourceList"},
		"the function as a plugin": {"kubectl timoni", "timoni", []string{"krm"}, fail.Failed, empty, "there is no ResourceList"},
		"help":                     {"timoni-krm", "timoni-krm", []string{"--help"}, fail.Done, "Render a Timoni module as part of a kustomization.", ""},
		"help of the plugin":       {"kubectl timoni", "timoni", []string{"krm", "--help"}, fail.Done, "Render a Timoni module as part of a kustomization.", ""},
		"an unknown operand":       {"timoni-krm", "timoni-krm", []string{"a.yaml"}, fail.Usage, "", `"a.yaml" is neither a command nor the file of a function config`},
		"an unknown verb":          {"kubectl timoni", "timoni", []string{"krrm"}, fail.Usage, "", `kubectl timoni has no command "krrm"`},
		"an unknown command":       {"kubectl timoni", "timoni", []string{"krm", "x"}, fail.Usage, "", `"x" is neither a command nor the file of a function config`},
		"two operands":             {"timoni-krm", "timoni-krm", []string{"a", "b"}, fail.Usage, "", "takes the file of a function config, not 2 arguments"},
		"the schema":               {"timoni-krm", "timoni-krm", []string{"schema"}, fail.Done, "{\n", ""},
		"no namespace":             {"timoni-krm", "timoni-krm", []string{"kustomize", "-n", "A_b"}, fail.Usage, "", `namespace "A_b"`},
		"an unknown flag":          {"timoni-krm", "timoni-krm", []string{"-o", "yaml"}, fail.Usage, "", "unknown shorthand flag"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			env := cli.Env{
				Program: test.program, Verb: test.verb, Args: test.args,
				Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
				LookupEnv: func(string) (string, bool) { return "", false },
			}
			code := cli.Run(t.Context(), env, krmcmd.New)
			if code != test.code || !strings.HasPrefix(stdout.String(), test.stdout) || !strings.Contains(stderr.String(), test.stderr) {
				t.Errorf("code %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
			}
			if test.stdout == "" && stdout.Len() > 0 || test.stderr == "" && stderr.Len() > 0 {
				t.Errorf("stdout %q, stderr %q", stdout.String(), stderr.String())
			}
		})
	}
}

// TestCancelled holds that the function ends, with a document, when it is told
// to while it waits for its input.
func TestCancelled(t *testing.T) {
	t.Parallel()
	in, never := io.Pipe()
	defer never.Close()
	var stdout, stderr bytes.Buffer
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("terminated"))
	code := cli.Run(ctx, cli.Env{
		Program: "timoni-krm", Verb: "timoni-krm", Stdin: in, Stdout: &stdout, Stderr: &stderr,
		LookupEnv: func(string) (string, bool) { return "", false },
	}, krmcmd.New)
	if code != fail.Failed || !strings.Contains(stdout.String(), "message: 'read the standard input: terminated'") {
		t.Errorf("code %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
	}
}
