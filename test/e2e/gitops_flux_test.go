// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

// fluxInstallation is a cluster of the test's own on which Flux's source and
// kustomize controllers run.
type fluxInstallation struct {
	t    *testing.T
	cp   *kit.ControlPlane
	logs []string // files
}

// fluxUser is the name of the controllers in the audit log.
const fluxUser = "flux"

func installFlux(t *testing.T) *fluxInstallation {
	t.Helper()
	var log bytes.Buffer
	source, err := controlplane.Extra(t.Context(), "source-controller", &log)
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	f := &fluxInstallation{t: t, cp: newControlPlane(t)}
	f.kubectl("", "apply", "--server-side", "-f", filepath.Join(filepath.Dir(source), "crds.yaml"))
	f.kubectl("", "wait", "--for=condition=Established", "crd", "--all")
	f.kubectl("", "create", "namespace", "flux-system")
	addresses, err := kit.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	f.start(source, "--storage-path="+t.TempDir(), "--storage-addr="+addresses[0], "--storage-adv-addr="+addresses[0])
	f.start(filepath.Join(filepath.Dir(source), "kustomize-controller"+controlplane.Exe()), "--requeue-dependency=1s")
	return f
}

// newControlPlane starts one beside that of the other tests, whose namespaces
// and kinds it does not touch.
func newControlPlane(t *testing.T) *kit.ControlPlane {
	t.Helper()
	if testing.Short() {
		t.Skip("-short leaves out what needs a control plane")
	}
	supervisor, err := kit.Spawn(kit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := supervisor.Stop(); err != nil {
			t.Error(err)
		}
	})
	cp, err := kit.Attach(t.Context(), supervisor.URL)
	if err != nil {
		t.Fatal(err)
	}
	return cp
}

// start runs a controller until the test ends.
func (f *fluxInstallation) start(program string, args ...string) {
	f.t.Helper()
	dir := f.t.TempDir()
	config, err := f.cp.User(fluxUser)
	if err != nil {
		f.t.Fatal(err)
	}
	kubeconfig := filepath.Join(dir, "kubeconfig")
	if err = os.WriteFile(kubeconfig, config, 0o600); err != nil {
		f.t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		f.t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.CommandContext(f.t.Context(), program, append(args, "--metrics-addr=0", "--health-addr=0")...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "RUNTIME_NAMESPACE=flux-system", "TMPDIR="+f.t.TempDir(), "HOME="+dir)
	cmd.Stdout, cmd.Stderr = log, log
	if err = cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.logs = append(f.logs, log.Name())
	f.t.Cleanup(func() { _ = cmd.Wait() }) // its context has ended
}

// kubectl returns what kubectl printed. When it fails, the test ends and shows
// what the controllers have to say.
func (f *fluxInstallation) kubectl(stdin string, args ...string) string {
	f.t.Helper()
	out, err := f.tryKubectl(stdin, args...)
	if err == nil {
		return out
	}
	status, _ := f.tryKubectl("", "get", "-A", "ocirepositories,kustomizations")
	for _, name := range f.logs {
		for line := range strings.Lines(read(f.t, name)) {
			if !strings.Contains(line, `"level":"info"`) {
				status += line
			}
		}
	}
	f.t.Fatalf("kubectl %q: %v\n%s\n%s", args, err, out, status)
	return ""
}

func (f *fluxInstallation) tryKubectl(stdin string, args ...string) (string, error) {
	cmd := exec.CommandContext(f.t.Context(), f.cp.Kubectl, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+f.cp.Kubeconfig)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// await returns when a field of an object, which need not be there yet, has a
// value.
func (f *fluxInstallation) await(namespace, object, field, value string) {
	f.t.Helper()
	f.kubectl("", "wait", "-n", namespace, object, "--for=create", "--timeout=90s")
	f.kubectl("", "wait", "-n", namespace, object, "--for=jsonpath="+field+"="+value, "--timeout=90s")
}

// applied returns when Flux has applied a revision of the app with these
// stages, and waited for them.
func (f *fluxInstallation) applied(revision string, stages ...string) {
	f.t.Helper()
	f.await("flux-system", "kustomization/app", "{.status.lastAppliedRevision}", revision)
	for _, stage := range stages {
		f.await("apps", "kustomization/app-"+stage, "{.status.lastAppliedRevision}", revision)
	}
}

// testFluxControllers has Flux apply what the guide pushed to repo, and two
// more versions of it.
func testFluxControllers(t *testing.T, u *user, work, repo string) {
	t.Helper()
	f := installFlux(t)
	f.kubectl("", "create", "namespace", "apps")
	mark, err := f.cp.Mark()
	if err != nil {
		t.Fatal(err)
	}
	guide := strings.ReplaceAll(read(t, filepath.Join(work, "docs", "gitops", "flux", "app.yaml")), "oci://registry.example.com", repo)
	f.kubectl(guide, "apply", "-f", "-")
	app := repo + "/deploy/app"
	f.applied(revision(u, app, "1.0.0"), "crds", "config", "app")
	var kinds []string
	requests, err := f.cp.Requests(mark, fluxUser)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range requests {
		if name, _, _ := strings.Cut(r.Resource, "."); r.Write() && slices.Contains([]string{"customresourcedefinitions", "configmaps", "deployments"}, name) {
			kinds = append(kinds, name)
		}
	}
	if diff := cmp.Diff([]string{"customresourcedefinitions", "configmaps", "deployments"}, slices.Compact(kinds)); diff != "" {
		t.Errorf("Flux writes (-want +got):\n%s", diff)
	}

	// An artifact that holds the objects themselves.
	f.kubectl(strings.NewReplacer("/app", "/web", "name: app", "name: web", "./kustomizations", "./").Replace(guide), "apply", "-f", "-")
	f.await("flux-system", "kustomization/web", "{.status.lastAppliedRevision}", revision(u, repo+"/deploy/web", "1.0.0"))
	f.kubectl("", "get", "-n", "apps", "deployment/web", "service/web")

	// The stage after the Widget's begins when it is ready, as the module says.
	push := func(version, values string, args ...string) string {
		manifests := filepath.Join(work, "manifests")
		u.must(values, "build", "app", filepath.Join(u.modules, "stages"), "-n", "apps", "-f", "-",
			"--emit=flux", "--emit-source=OCIRepository/app.flux-system", "--output-dir", manifests)
		u.must("", "artifact", append([]string{"push", app + ":" + version, "-f", manifests, "--format=flux"}, args...)...)
		return revision(u, app, version)
	}
	second := push("2.0.0", "{report: {enabled: true}, widget: {wait: true}, settings: {more: {key: value}}}")
	f.kubectl("", "patch", "-n", "flux-system", "ocirepository", "app", "--type=merge", "-p", `{"spec": {"ref": {"tag": "2.0.0"}}}`)
	f.await("apps", "kustomization/app-config", "{.status.lastAppliedRevision}", second)
	f.await("apps", "kustomization/app-report", `{.status.conditions[?(@.type=="Ready")].reason}`, "DependencyNotReady")
	f.kubectl("", "get", "-n", "apps", "configmap", "app-more")
	if out, err := f.tryKubectl("", "get", "-n", "apps", "configmap", "app-report"); err == nil {
		t.Errorf("applied before the Widget is ready: %s", out)
	}
	f.kubectl("", "patch", "-n", "apps", "widget", "app", "--subresource=status", "--type=merge", "-p",
		`{"status": {"conditions": [{"type": "Ready", "status": "True"}]}}`)
	f.applied(second, "crds", "config", "app", "report")
	f.kubectl("", "get", "-n", "apps", "configmap", "app-report")

	// What is not signed is not taken; what the next version lacks goes.
	key, public := keyPair(t)
	f.kubectl("", "create", "secret", "generic", "cosign", "-n", "flux-system", "--from-file=cosign.pub="+public)
	f.kubectl("", "patch", "-n", "flux-system", "ocirepository", "app", "--type=merge", "-p",
		`{"spec": {"verify": {"provider": "cosign", "secretRef": {"name": "cosign"}}}}`)
	f.await("flux-system", "ocirepository/app", `{.status.conditions[?(@.type=="SourceVerified")].status}`, "False")
	third := push("3.0.0", "{}", "--sign", key)
	f.kubectl("", "patch", "-n", "flux-system", "ocirepository", "app", "--type=merge", "-p", `{"spec": {"ref": {"tag": "3.0.0"}}}`)
	f.applied(third, "crds", "config", "app")
	f.await("flux-system", "ocirepository/app", `{.status.conditions[?(@.type=="SourceVerified")].status}`, "True")
	for _, gone := range []string{"kustomization/app-report", "configmap/app-report", "configmap/app-more"} {
		f.kubectl("", "wait", "-n", "apps", gone, "--for=delete", "--timeout=90s")
	}
	f.kubectl("", "get", "-n", "apps", "configmap/app-log", "deployment/app", "widget/app")

	f.kubectl("", "delete", "-n", "flux-system", "kustomization", "app", "--timeout=90s")
	for _, gone := range []string{"kustomization/app-crds", "kustomization/app-config", "kustomization/app-app", "configmap/app-log", "deployment/app"} {
		f.kubectl("", "wait", "-n", "apps", gone, "--for=delete", "--timeout=90s")
	}
}

// revision is what Flux calls the artifact with a tag.
func revision(u *user, repository, tag string) string {
	u.t.Helper()
	return tag + "@" + strings.TrimSpace(u.must("", "artifact", "digest", repository+":"+tag))
}

// keyPair writes a private and a public key to files.
func keyPair(t *testing.T) (private, public string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, der []byte, err error) string {
		t.Helper()
		if err == nil {
			name = filepath.Join(dir, name)
			err = os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	private = write("cosign.key", "PRIVATE KEY", der, err)
	der, err = x509.MarshalPKIXPublicKey(&key.PublicKey)
	return private, write("cosign.pub", "PUBLIC KEY", der, err)
}
