// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

// TestGitOps runs every command of docs/gitops.md, and its files as Argo CD and
// Flux do.
func TestGitOps(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	root := filepath.Dir(filepath.Dir(u.modules))
	work := t.TempDir()
	for _, dir := range []string{"docs/gitops", "test/modules"} {
		if err := os.CopyFS(filepath.Join(work, dir), os.DirFS(filepath.Join(root, dir))); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(work, ".git"), 0o755); err != nil { // a repository may share a module
		t.Fatal(err)
	}
	repo := registry(t, &front{})
	r := newReader(t, root)
	host := strings.TrimPrefix(repo, "oci://")
	r.dir, r.to, r.from = work, strings.NewReplacer("registry.example.com", host), strings.NewReplacer(host, "registry.example.com")
	r.follow(t, filepath.Join(root, "docs", "gitops.md"))
	t.Run("plugin", func(t *testing.T) { testPlugin(t, u, work) })
	t.Run("sidecar", func(t *testing.T) { testSidecar(t, work) })
	c := newCluster(t)
	t.Run("flux", func(t *testing.T) { testFluxControllers(t, u, c.in(t), work, repo) })
	t.Run("waves", func(t *testing.T) { testWaves(t, u, c.in(t), work) })
}

// testSidecar adds the component to a Deployment as Argo CD has it.
func testSidecar(t *testing.T, work string) {
	t.Helper()
	fixture.Files(t, work, map[string]string{
		"kustomization.yaml": "namespace: argocd\nresources: [install.yaml]\ncomponents: [docs/gitops/argocd]\n",
		"install.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: {name: argocd-repo-server}
spec:
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec:
      containers: [{name: argocd-repo-server, image: "quay.io/argoproj/argocd:v3.4.0"}]
      volumes: [{name: var-files, emptyDir: {}}, {name: plugins, emptyDir: {}}]
`,
	})
	out, err := exec.CommandContext(t.Context(), kit.ForTest(t).Kubectl, "kustomize", work).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	config, deployment, _ := strings.Cut(string(out), "\n---\n")
	spec := field(t, deployment, "spec", "template", "spec").(map[string]any)
	volumes := map[string]any{}
	for _, v := range spec["volumes"].([]any) {
		volumes[v.(map[string]any)["name"].(string)] = v
	}
	if len(spec["containers"].([]any)) != 2 {
		t.Fatalf("containers %v", spec["containers"])
	}
	for _, m := range spec["containers"].([]any)[0].(map[string]any)["volumeMounts"].([]any) {
		if name := m.(map[string]any)["name"].(string); volumes[name] == nil {
			t.Errorf("no volume %s", name)
		}
	}
	mounted := volumes["timoni-plugin"].(map[string]any)["configMap"].(map[string]any)["name"]
	if diff := cmp.Diff(field(t, config, "metadata", "name"), mounted); diff != "" {
		t.Errorf("the ConfigMap of the plugin (-want +got):\n%s", diff)
	}
}

// TestHealthChecks holds that the health checks which build --emit translates
// judge objects as the module's do, in Lua and in CEL.
func TestHealthChecks(t *testing.T) {
	t.Parallel()
	u, dir := newUser(t), t.TempDir()
	stages := filepath.Join(u.modules, "stages")
	data := field(t, u.must("", "build", "app", stages, "-n", "apps", "--emit=argocd-health"), "data").(map[string]any)
	u.must("", "build", "app", stages, "-n", "apps", "--emit=flux", "--output-dir", dir)
	flux := read(t, filepath.Join(dir, "kustomizations", "kustomization.kustomize.toolkit.fluxcd.io_apps_app-app.yaml"))
	expressions := field(t, flux, "spec", "healthCheckExprs").([]any)[0].(map[string]any)

	var objects []any
	var want []string
	for _, tc := range []struct{ status, verdict string }{
		{`null`, "Progressing"},
		{`{}`, "Progressing"},
		{`{conditions: []}`, "Progressing"},
		{`{conditions: [{type: Ready, status: "True"}]}`, "Healthy"},
		{`{conditions: [{type: Ready, status: "False"}]}`, "Progressing"},
		{`{conditions: [{type: Other, status: "True"}]}`, "Progressing"},
		{`{conditions: [{type: Stalled, status: "True"}]}`, "Degraded"},
		{`{conditions: [{type: Stalled, status: "False"}, {type: Ready, status: "True"}]}`, "Healthy"},
		{`{conditions: [{type: Ready, status: "True"}, {type: Stalled, status: "True"}]}`, "Degraded"},
		{`{observedGeneration: 1, conditions: [{type: Ready, status: "True"}]}`, "Progressing"},
		{`{observedGeneration: 2, conditions: [{type: Ready, status: "True"}]}`, "Healthy"},
		{`{conditions: [{type: Ready, status: "True", observedGeneration: 1}]}`, "Progressing"},
		{`{conditions: [{type: Ready, status: "True", observedGeneration: 2}]}`, "Healthy"},
		{`{conditions: [{type: Stalled, status: "True", observedGeneration: 1}, {type: Ready, status: "True", observedGeneration: 2}]}`, "Healthy"},
	} {
		object := map[string]any{"metadata": map[string]any{"name": "x", "generation": 2}, "spec": map[string]any{}}
		if status := field(t, tc.status); status != nil {
			object["status"] = status
		}
		objects, want = append(objects, object), append(want, tc.verdict)
	}
	// Argo CD has no other way to be told what not to wait for.
	verdict := judged(t, "argocd", map[string]any{
		"lua": data["resource.customizations.health.samples.timoni.sh_Widget"],
		"objects": []any{map[string]any{"metadata": map[string]any{
			"name": "x", "generation": 2, "annotations": map[string]any{"action.timoni.sh/wait": "disabled"},
		}}},
	})
	if diff := cmp.Diff([]string{"Healthy"}, verdict); diff != "" {
		t.Errorf("not waited for (-want +got):\n%s", diff)
	}
	for program, request := range map[string]map[string]any{
		"argocd": {"lua": data["resource.customizations.health.samples.timoni.sh_Widget"]},
		"flux":   expressions,
	} {
		request["objects"] = objects
		if diff := cmp.Diff(want, judged(t, program, request)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", program, diff)
		}
	}
}

// judged returns the verdicts of a tool in the words of Argo CD.
func judged(t *testing.T, program string, request map[string]any) []string {
	t.Helper()
	input, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), extra(t, program), "health")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	// Flux waits for what it cannot judge.
	words := strings.NewReplacer("Current", "Healthy", "InProgress", "Progressing", "Unknown", "Progressing", "Failed", "Degraded")
	return strings.Fields(words.Replace(string(out)))
}

// extra returns the path of a peer's program. Without the peers the test is
// skipped.
func extra(t *testing.T, name string) string {
	t.Helper()
	if !withPeers() {
		t.Skip("runs with 'make test-interop'")
	}
	var log bytes.Buffer
	path, err := controlplane.Extra(t.Context(), name, &log)
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	return path
}

// field returns a field of a YAML document, nil when it does not exist.
func field(t *testing.T, document string, path ...string) any {
	t.Helper()
	var value any
	if err := yaml.UnmarshalStrict([]byte(document), &value); err != nil {
		t.Fatalf("%v\n%s", err, document)
	}
	for _, name := range path {
		m, _ := value.(map[string]any)
		value = m[name]
	}
	return value
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
