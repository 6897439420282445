// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	runGuide(t, u, filepath.Join(root, "docs", "gitops.md"), work, repo)
	t.Run("plugin", func(t *testing.T) { testPlugin(t, u, work) })
	t.Run("sidecar", func(t *testing.T) { testSidecar(t, work) })
	t.Run("flux", func(t *testing.T) { testFluxControllers(t, u, work, repo) })
}

// runGuide runs the commands of a guide in a directory, with repo in the place
// of the registry that they name.
func runGuide(t *testing.T, u *user, guide, dir, repo string) {
	t.Helper()
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	path := strings.Join([]string{u.bin, filepath.Dir(kit.ForTest(t).Kubectl), os.Getenv("PATH")}, string(os.PathListSeparator))
	for line := range strings.Lines(string(text)) {
		command, ok := strings.CutPrefix(strings.TrimSpace(line), "$ ")
		if !ok {
			continue
		}
		cmd := exec.CommandContext(t.Context(), "sh", "-ec", strings.ReplaceAll(command, "oci://registry.example.com", repo))
		cmd.Dir, cmd.Env = dir, append(slices.Clone(u.command("", "build").Env), "PATH="+path)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("$ %s: %v\n%s", command, err, out)
		}
	}
}

// testPlugin runs the plugin's command as Argo CD does: in the directory of the
// Application, with what the sidecar has in its environment and the build's own.
func testPlugin(t *testing.T, u *user, work string) {
	t.Helper()
	argocd := filepath.Join(work, "docs", "gitops", "argocd")
	var command []string
	for _, word := range field(t, read(t, filepath.Join(argocd, "plugin.yaml")), "spec", "generate", "command").([]any) {
		command = append(command, word.(string))
	}
	if command[0] != "/timoni-krm" { // the place of the program in the image
		t.Fatalf("the plugin runs %q", command)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(u.bin, "timoni-krm"+controlplane.Exe()), command[1:]...)
	cmd.Dir = filepath.Join(work, field(t, read(t, filepath.Join(argocd, "application.yaml")), "spec", "source", "path").(string))
	cmd.Env = []string{
		"ARGOCD_APP_NAME=app", "ARGOCD_APP_NAMESPACE=apps", "ARGOCD_APP_PARAMETERS=[]", "PARAM_MESSAGE=hello",
		"KUBE_VERSION=1.36.0", "ARGOCD_APP_SOURCE_PATH=docs/gitops/app",
	}
	containers := field(t, read(t, filepath.Join(argocd, "sidecar.yaml")), "spec", "template", "spec", "containers").([]any)
	tmp := t.TempDir() // the sidecar's /tmp
	for _, e := range containers[0].(map[string]any)["env"].([]any) {
		variable := e.(map[string]any)
		cmd.Env = append(cmd.Env, variable["name"].(string)+"="+strings.Replace(variable["value"].(string), "/tmp", tmp, 1))
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%q: %v\n%s", command, err, stderr.String())
	}
	documents := strings.Split(string(out), "\n---\n")
	if len(documents) != 4 {
		t.Errorf("%d objects:\n%s", len(documents), out)
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
	verdict := judged(t, map[string]any{
		"lua": data["resource.customizations.health.samples.timoni.sh_Widget"],
		"objects": []any{map[string]any{"metadata": map[string]any{
			"name": "x", "generation": 2, "annotations": map[string]any{"action.timoni.sh/wait": "disabled"},
		}}},
	})
	if diff := cmp.Diff([]string{"Healthy"}, verdict); diff != "" {
		t.Errorf("not waited for (-want +got):\n%s", diff)
	}
	for name, request := range map[string]map[string]any{
		"lua": {"lua": data["resource.customizations.health.samples.timoni.sh_Widget"]},
		"cel": expressions,
	} {
		request["objects"] = objects
		if diff := cmp.Diff(want, judged(t, request)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func judged(t *testing.T, request map[string]any) (verdicts []string) {
	t.Helper()
	var log bytes.Buffer
	program, err := controlplane.Extra(t.Context(), "health", &log)
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	input, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), &log
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &verdicts)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	return verdicts
}

// field returns a field of a YAML document, nil when it is not there.
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
