// SPDX-License-Identifier: Apache-2.0

package buildcmd_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/buildcmd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// run runs the command with an environment of its own and returns what it did.
func run(t *testing.T, env map[string]string, stdin string, args ...string) (stdout, stderr string, code fail.Code) {
	t.Helper()
	var out, errs bytes.Buffer
	code = cli.Run(t.Context(), cli.Env{
		Program: "kubectl timoni build", Verb: "build", Args: args,
		Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &errs,
		LookupEnv: func(key string) (string, bool) { v, ok := env[key]; return v, ok },
	}, buildcmd.New)
	return out.String(), errs.String(), code
}

func module(t *testing.T) string {
	t.Helper()
	return fixture.Module(t, map[string]string{
		"values.cue": "package main\n\nvalues: message: \"hello\"\n",
		"timoni.cue": `package main

values: message: string
timoni: {
	apiVersion: "v1alpha1"
	instance: config: values & {kube: string @tag(kv, var=kubeVersion)}
	instance: config: message: string
	apply: app: [{apiVersion: "v1", kind: "ConfigMap", metadata: name: "x", data: instance.config}]
}
`,
	})
}

func TestBuild(t *testing.T) {
	t.Parallel()
	env := map[string]string{"TIMONI_KUBE_VERSION": "v1.30+"}
	stdout, stderr, code := run(t, env, "message: bye", "app", module(t), "-n", "apps", "-f", "-")
	want := `apiVersion: v1
data:
  kube: "1.30.0"
  message: bye
kind: ConfigMap
metadata:
  name: x
  namespace: apps
`
	if diff := cmp.Diff(want, stdout); diff != "" || stderr != "" || code != fail.Done {
		t.Errorf("code %d, stderr %q, stdout (-want +got):\n%s", code, stderr, diff)
	}
}

func TestBuildFails(t *testing.T) {
	t.Parallel()
	dir := module(t)
	for name, tc := range map[string]struct {
		args []string
		code fail.Code
		want string
	}{
		"operands":  {[]string{"app"}, fail.Usage, "takes NAME and MODULE, not 1 arguments"},
		"name":      {[]string{"App", dir}, fail.Usage, `instance name "App"`},
		"namespace": {[]string{"app", dir, "-n", "a.b"}, fail.Usage, `namespace "a.b"`},
		"output":    {[]string{"app", dir, "-o", "table"}, fail.Usage, `output format "table" is not one of yaml, json, name`},
		"values":    {[]string{"app", dir, "-f", "-"}, fail.Failed, "<stdin>:1:10"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, code := run(t, nil, "message: 1", tc.args...)
			if stdout != "" || code != tc.code || !strings.Contains(stderr, tc.want) {
				t.Errorf("code %d, stdout %q, stderr %q, want %d and %q", code, stdout, stderr, tc.code, tc.want)
			}
		})
	}
}
