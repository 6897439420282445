// SPDX-License-Identifier: Apache-2.0

package controlplane_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
)

func TestBinaries(t *testing.T) {
	t.Parallel()
	paths, err := controlplane.Binaries(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	var again strings.Builder
	if _, err := controlplane.Binaries(t.Context(), &again); err != nil || again.Len() > 0 {
		t.Errorf("a second call: %v, built %q", err, again.String())
	}
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"etcd":                    {[]string{paths.Etcd, "--version"}, "etcd Version: 3.6."},
		"kube-apiserver":          {[]string{paths.APIServer, "--version"}, "Kubernetes v1.36.3\n"},
		"kube-controller-manager": {[]string{paths.ControllerManager, "--version"}, "Kubernetes v1.36.3\n"},
		"kube-scheduler":          {[]string{paths.Scheduler, "--version"}, "Kubernetes v1.36.3\n"},
		"kubectl":                 {[]string{paths.Kubectl, "version", "--client"}, "Client Version: v1.36.3\n"},
		"kwok":                    {[]string{paths.Kwok, "--version"}, "v0.8.0"},
		"registry":                {[]string{paths.Registry, "--version"}, "3.1.1"},
		"kustomize":               {[]string{paths.Kustomize, "version"}, "v5.8.2\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := exec.CommandContext(t.Context(), test.args[0], test.args[1:]...).CombinedOutput()
			if err != nil || !strings.Contains(string(out), test.want) {
				t.Errorf("%v: %v, printed %q, want %q", test.args, err, out, test.want)
			}
		})
	}
	stages, err := os.ReadFile(paths.Stages)
	if err != nil || strings.Count(string(stages), "kind: Stage") != 5 {
		t.Errorf("the kwok stages: %v, want 5:\n%s", err, stages)
	}
}

// TestAssets sets the environment and therefore does not run in parallel.
func TestAssets(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(dir, "etcd")
	if runtime.GOOS == "windows" {
		own += ".exe"
	}
	if err := os.WriteFile(own, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBEBUILDER_ASSETS", dir)
	paths, err := controlplane.Binaries(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	if paths.Etcd != own {
		t.Errorf("etcd is %s, want %s", paths.Etcd, own)
	}
	if filepath.Dir(paths.APIServer) == dir {
		t.Errorf("kube-apiserver is %s, which does not exist", paths.APIServer)
	}
}
