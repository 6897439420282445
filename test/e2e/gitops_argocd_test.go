// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// sidecar runs Argo CD's config management plugin server as the sidecar of the
// guide, which allows the variables with these names, and returns the directory
// of its socket.
func sidecar(t *testing.T, u *user, argocd, allowed string) (sockets string) {
	t.Helper()
	sockets, config, tmp := t.TempDir(), t.TempDir(), t.TempDir()
	plugin := read(t, filepath.Join(argocd, "plugin.yaml"))
	fixture.Files(t, config, map[string]string{
		"plugin.yaml": strings.Replace(plugin, "[/timoni-krm,", "["+filepath.Join(u.bin, "timoni-krm"+controlplane.Exe())+",", 1),
	})
	env := []string{"TMPDIR=" + tmp, "ARGOCD_PLUGINSOCKFILEPATH=" + sockets, "TIMONI_KRM_ALLOW_ENV=" + allowed}
	containers := field(t, read(t, filepath.Join(argocd, "sidecar.yaml")), "spec", "template", "spec", "containers").([]any)
	for _, e := range containers[0].(map[string]any)["env"].([]any) {
		variable := e.(map[string]any)
		env = append(env, variable["name"].(string)+"="+strings.Replace(variable["value"].(string), "/tmp", tmp, 1))
	}
	cmd := exec.CommandContext(t.Context(), extra(t, "argocd"), "cmp-server", "--config-dir-path", config)
	cmd.Env = env
	var log output
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Wait() // its context has ended
		if t.Failed() {
			t.Logf("the plugin server:\n%s", log.String())
		}
	})
	for deadline := time.Now().Add(time.Minute); !strings.Contains(log.String(), "serving on"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the plugin server does not serve")
		}
	}
	return sockets
}

// argocd runs the program of that name, and returns its standard output.
func argocd(t *testing.T, stdin string, env []string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, extra(t, "argocd"), args...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = append(os.Environ(), env...), strings.NewReader(stdin), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("argocd %q: %v\n%s%s", args, err, stdout.String(), stderr.String())
	}
	return stdout.String()
}

// testPlugin has Argo CD's repo server render directories of a repository by
// the plugin of the guide.
func testPlugin(t *testing.T, u *user, work string) {
	t.Helper()
	dir := filepath.Join(work, "docs", "gitops", "argocd")
	sockets := []string{"ARGOCD_PLUGINSOCKFILEPATH=" + sidecar(t, u, dir, "ARGOCD_APP_NAME,PARAM_MESSAGE")}
	application := read(t, filepath.Join(dir, "application.yaml"))
	documents := strings.Split(argocd(t, application, sockets, "generate", work), "---\n")[1:]
	if len(documents) != 4 {
		t.Errorf("%d objects: %s", len(documents), documents)
	}
	for _, document := range documents {
		if got := field(t, document, "metadata", "namespace"); got != "apps" {
			t.Errorf("namespace %v in\n%s", got, document)
		}
		annotations, _ := field(t, document, "metadata", "annotations").(map[string]any)
		if annotations["argocd.argoproj.io/sync-wave"] == nil {
			t.Errorf("no sync wave in\n%s", document)
		}
	}

	fixture.Files(t, work, map[string]string{
		"bundle/kustomization.yaml": "generators: [bundle.yaml]\n",
		"bundle/bundle.yaml": `apiVersion: krm.timoni.sh/v1alpha1
kind: Bundle
metadata: {name: bundle}
spec:
  files: [bundle.cue]
  runtime: {env: [ARGOCD_APP_NAME, PARAM_MESSAGE]}
`,
		"bundle/bundle.cue": `bundle: {
	apiVersion: "v1alpha1"
	name:       "bundle"
	instances: [string]: {module: url: "file://../test/modules/minimal", namespace: "apps"}
	instances: one: values: message: string @timoni(runtime:string:ARGOCD_APP_NAME)
	instances: two: values: message: string @timoni(runtime:string:PARAM_MESSAGE)
}
`,
	})
	application = strings.NewReplacer("name: app,", "name: from-a-name,", "path: docs/gitops/app", "path: bundle",
		"{name: timoni}", "{name: timoni, parameters: [{name: message, string: from a parameter}]}").Replace(application)
	out := strings.ReplaceAll(argocd(t, application, sockets, "generate", work), `\u003c`, "<") // as Go escapes it
	for _, want := range []string{"from-a-name</", "from a parameter</"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
}

// argocdUser is the name of Argo CD in the audit log.
const argocdUser = "argocd"

// testWaves has Argo CD apply what the guide writes for it, in waves.
func testWaves(t *testing.T, u *user, c *cluster, work string) {
	t.Helper()
	kubeconfig := []string{"KUBECONFIG=" + c.user(argocdUser)}
	c.kubectl("", "create", "namespace", "argocd")
	c.kubectl("", "create", "namespace", "waves")
	c.kubectl("", "apply", "--server-side", "-f", filepath.Join(work, "argocd-cm.yaml"))
	stages := filepath.Join(u.modules, "stages")
	// objects are those that the repo server reads from a directory of plain files.
	objects := func(app, module, values string) string {
		u.must(values, "build", app, module, "-n", "waves", "-f", "-", "--emit=argocd", "--output-dir", filepath.Join(work, app))
		return argocd(t, "metadata: {name: "+app+"}\nspec: {project: default, source: {repoURL: x, path: "+app+"}, destination: {namespace: waves}}\n",
			nil, "generate", work)
	}
	mark := c.mark()
	argocd(t, objects("app", stages, "{}"), kubeconfig, "sync", "waves", "app")
	if diff := cmp.Diff([]string{"customresourcedefinitions", "configmaps", "deployments"}, c.written(mark, argocdUser)); diff != "" {
		t.Errorf("Argo CD writes (-want +got):\n%s", diff)
	}

	// The wave after the Widget's begins when it is healthy, as the module says.
	second := objects("app", stages, "{report: {enabled: true}, widget: {wait: true}, settings: {more: {key: value}}}")
	var log output
	sync := exec.CommandContext(t.Context(), extra(t, "argocd"), "sync", "waves", "app")
	sync.Env, sync.Stdin, sync.Stdout, sync.Stderr = append(os.Environ(), kubeconfig...), strings.NewReader(second), &log, &log
	if err := sync.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(90 * time.Second); !strings.Contains(log.String(), "waiting for healthy state of samples.timoni.sh/Widget/app"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("Argo CD does not wait for the Widget:\n%s", log.String())
		}
	}
	c.kubectl("", "get", "-n", "waves", "configmap", "app-more")
	if out, err := c.tryKubectl("", "get", "-n", "waves", "configmap", "app-report"); err == nil {
		t.Errorf("applied before the Widget is ready: %s", out)
	}
	c.kubectl("", "patch", "-n", "waves", "widget", "app", "--subresource=status", "--type=merge", "-p",
		`{"status": {"conditions": [{"type": "Ready", "status": "True", "message": "as it is"}]}}`)
	if err := sync.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	c.kubectl("", "get", "-n", "waves", "configmap", "app-report")

	// What the next version lacks goes, unless it is not to be pruned.
	argocd(t, objects("app", stages, "{}"), kubeconfig, "sync", "waves", "app")
	c.kubectl("", "wait", "-n", "waves", "configmap/app-report", "configmap/app-more", "--for=delete", "--timeout=90s")
	c.kubectl("", "get", "-n", "waves", "configmap/app-log")
	raw := filepath.Join(u.modules, "raw")
	argocd(t, objects("raw", raw, `{stages: {app: {
    kept: {apiVersion: v1, kind: ConfigMap, metadata: {name: kept, annotations: {action.timoni.sh/prune: disabled}}},
    pruned: {apiVersion: v1, kind: ConfigMap, metadata: {name: pruned}},
}}}`), kubeconfig, "sync", "waves", "raw")
	argocd(t, objects("raw", raw, `{stages: {app: {other: {apiVersion: v1, kind: ConfigMap, metadata: {name: other}}}}}`), kubeconfig, "sync", "waves", "raw")
	c.kubectl("", "wait", "-n", "waves", "configmap/pruned", "--for=delete", "--timeout=90s")
	c.kubectl("", "get", "-n", "waves", "configmap/kept", "configmap/other")
}
