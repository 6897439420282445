// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

// fluxUser is the name of Flux's controllers in the audit log.
const fluxUser = "flux"

// installFlux runs Flux's source and kustomize controllers until the test ends.
func (c *cluster) installFlux() {
	c.t.Helper()
	source := extra(c.t, "source-controller")
	c.kubectl("", "apply", "--server-side", "-f", filepath.Join(filepath.Dir(source), "crds.yaml"))
	c.kubectl("", "wait", "--for=condition=Established", "crd", "--all")
	c.kubectl("", "create", "namespace", "flux-system")
	addresses, err := kit.FreePorts(1)
	if err != nil {
		c.t.Fatal(err)
	}
	c.start(source, "--storage-path="+c.t.TempDir(), "--storage-addr="+addresses[0], "--storage-adv-addr="+addresses[0])
	c.start(filepath.Join(filepath.Dir(source), "kustomize-controller"+controlplane.Exe()), "--requeue-dependency=1s")
}

// start runs a controller until the test ends.
func (c *cluster) start(program string, args ...string) {
	c.t.Helper()
	log, err := os.Create(filepath.Join(c.t.TempDir(), "log"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.CommandContext(c.t.Context(), program, append(args, "--metrics-addr=0", "--health-addr=0")...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.user(fluxUser), "RUNTIME_NAMESPACE=flux-system", "TMPDIR="+c.t.TempDir(), "HOME="+c.t.TempDir())
	cmd.Stdout, cmd.Stderr = log, log
	if err = cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.logs = append(c.logs, log.Name())
	c.t.Cleanup(func() { _ = cmd.Wait() }) // its context has ended
}

// await returns when a field of an object, which need not be there yet, has a
// value.
func (c *cluster) await(namespace, object, field, value string) {
	c.t.Helper()
	c.kubectl("", "wait", "-n", namespace, object, "--for=create", "--timeout=90s")
	c.kubectl("", "wait", "-n", namespace, object, "--for=jsonpath="+field+"="+value, "--timeout=90s")
}

// applied returns when Flux has applied a revision of the app with these
// stages, and waited for them.
func (c *cluster) applied(revision string, stages ...string) {
	c.t.Helper()
	c.await("flux-system", "kustomization/app", "{.status.lastAppliedRevision}", revision)
	for _, stage := range stages {
		c.await("apps", "kustomization/app-"+stage, "{.status.lastAppliedRevision}", revision)
	}
}

// testFluxControllers has Flux apply what the guide pushed to repo, and two
// more versions of it.
func testFluxControllers(t *testing.T, u *user, c *cluster, work, repo string) {
	t.Helper()
	c.installFlux()
	c.kubectl("", "create", "namespace", "apps")
	mark := c.mark()
	guide := strings.ReplaceAll(read(t, filepath.Join(work, "docs", "gitops", "flux", "app.yaml")), "oci://registry.example.com", repo)
	c.kubectl(guide, "apply", "-f", "-")
	app := repo + "/deploy/app"
	c.applied(revision(u, app, "1.0.0"), "crds", "config", "app")
	if diff := cmp.Diff([]string{"customresourcedefinitions", "configmaps", "deployments"}, c.written(mark, fluxUser)); diff != "" {
		t.Errorf("Flux writes (-want +got):\n%s", diff)
	}

	// An artifact that holds the objects themselves.
	c.kubectl(strings.NewReplacer("/app", "/web", "name: app", "name: web", "./kustomizations", "./").Replace(guide), "apply", "-f", "-")
	c.await("flux-system", "kustomization/web", "{.status.lastAppliedRevision}", revision(u, repo+"/deploy/web", "1.0.0"))
	c.kubectl("", "get", "-n", "apps", "deployment/web", "service/web")

	// The stage after the Widget's begins when it is ready, as the module says.
	push := func(version, values string, args ...string) string {
		manifests := filepath.Join(work, "manifests")
		u.must(values, "build", "app", filepath.Join(u.modules, "stages"), "-n", "apps", "-f", "-",
			"--emit=flux", "--emit-source=OCIRepository/app.flux-system", "--output-dir", manifests)
		u.must("", "artifact", append([]string{"push", app + ":" + version, "-f", manifests, "--format=flux"}, args...)...)
		return revision(u, app, version)
	}
	second := push("2.0.0", "{report: {enabled: true}, widget: {wait: true}, settings: {more: {key: value}}}")
	c.kubectl("", "patch", "-n", "flux-system", "ocirepository", "app", "--type=merge", "-p", `{"spec": {"ref": {"tag": "2.0.0"}}}`)
	c.await("apps", "kustomization/app-config", "{.status.lastAppliedRevision}", second)
	c.await("apps", "kustomization/app-report", `{.status.conditions[?(@.type=="Ready")].reason}`, "DependencyNotReady")
	c.kubectl("", "get", "-n", "apps", "configmap", "app-more")
	if out, err := c.tryKubectl("", "get", "-n", "apps", "configmap", "app-report"); err == nil {
		t.Errorf("applied before the Widget is ready: %s", out)
	}
	c.kubectl("", "patch", "-n", "apps", "widget", "app", "--subresource=status", "--type=merge", "-p",
		`{"status": {"conditions": [{"type": "Ready", "status": "True"}]}}`)
	c.applied(second, "crds", "config", "app", "report")
	c.kubectl("", "get", "-n", "apps", "configmap", "app-report")

	// What is not signed is not taken; what the next version lacks goes.
	key, public := keyPair(t)
	c.kubectl("", "create", "secret", "generic", "cosign", "-n", "flux-system", "--from-file=cosign.pub="+public)
	c.kubectl("", "patch", "-n", "flux-system", "ocirepository", "app", "--type=merge", "-p",
		`{"spec": {"verify": {"provider": "cosign", "secretRef": {"name": "cosign"}}}}`)
	c.await("flux-system", "ocirepository/app", `{.status.conditions[?(@.type=="SourceVerified")].status}`, "False")
	third := push("3.0.0", "{}", "--sign", key)
	c.kubectl("", "patch", "-n", "flux-system", "ocirepository", "app", "--type=merge", "-p", `{"spec": {"ref": {"tag": "3.0.0"}}}`)
	c.applied(third, "crds", "config", "app")
	c.await("flux-system", "ocirepository/app", `{.status.conditions[?(@.type=="SourceVerified")].status}`, "True")
	for _, gone := range []string{"kustomization/app-report", "configmap/app-report", "configmap/app-more"} {
		c.kubectl("", "wait", "-n", "apps", gone, "--for=delete", "--timeout=90s")
	}
	c.kubectl("", "get", "-n", "apps", "configmap/app-log", "deployment/app", "widget/app")

	c.kubectl("", "delete", "-n", "flux-system", "kustomization", "app", "--timeout=90s")
	for _, gone := range []string{"kustomization/app-crds", "kustomization/app-config", "kustomization/app-app", "configmap/app-log", "deployment/app"} {
		c.kubectl("", "wait", "-n", "apps", gone, "--for=delete", "--timeout=90s")
	}
	// The definition is kept, as a delete of the instance keeps it.
	c.kubectl("", "delete", "crd", "widgets.samples.timoni.sh", "--timeout=90s")
	testFluxDecrypts(t, u, c, guide, repo)
}

// testFluxDecrypts has Flux apply a Secret that is encrypted in the registry.
func testFluxDecrypts(t *testing.T, u *user, c *cluster, guide, repo string) {
	t.Helper()
	sops, manifests := extra(t, "sops"), t.TempDir()
	key := filepath.Join(t.TempDir(), "age.agekey")
	keygen := func(args ...string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), filepath.Join(filepath.Dir(sops), "age-keygen"+controlplane.Exe()), args...).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	keygen("-o", key)
	recipient := keygen("-y", key)
	c.kubectl("", "create", "secret", "generic", "sops-age", "-n", "apps", "--from-file=age.agekey="+key)

	build := u.command(`{stages: {app: {db: {apiVersion: v1, kind: Secret, metadata: {name: db, namespace: apps}, stringData: {password: hunter2-flux}}}}}`,
		"build", "sealed", filepath.Join(u.modules, "raw"), "-n", "apps", "-f", "-", "--sops",
		"--emit=flux", "--emit-source=OCIRepository/sealed.flux-system", "--emit-keys=sops-age", "--output-dir", manifests)
	build.Env = append(build.Env, "SOPS_AGE_RECIPIENTS="+recipient, "PATH="+filepath.Dir(sops))
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	u.must("", "artifact", "push", repo+"/deploy/sealed:1.0.0", "-f", manifests, "--format=flux")
	c.kubectl(strings.NewReplacer("deploy/app", "deploy/sealed", "name: app", "name: sealed").Replace(guide), "apply", "-f", "-")
	c.await("apps", "kustomization/sealed-app", "{.status.lastAppliedRevision}", revision(u, repo+"/deploy/sealed", "1.0.0"))
	c.await("apps", "secret/db", "{.data.password}", base64.StdEncoding.EncodeToString([]byte("hunter2-flux")))
	c.kubectl("", "delete", "-n", "flux-system", "kustomization", "sealed", "--timeout=90s")
}

// revision is what Flux calls the artifact with a tag.
func revision(u *user, repository, tag string) string {
	u.t.Helper()
	return tag + "@" + strings.TrimSpace(u.must("", "artifact", "digest", repository+":"+tag))
}

// keyPair writes a private and a public key to files.
func keyPair(t *testing.T) (private, public string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cosign")
	if err := writeKeys(path, nil); err != nil {
		t.Fatal(err)
	}
	return path + ".key", path + ".pub"
}
