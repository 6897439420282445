// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

// cluster is a control plane of a test's own, in which no other test's
// namespaces and kinds are.
type cluster struct {
	t    *testing.T
	cp   *kit.ControlPlane
	logs []string // files of what runs on it
}

func newCluster(t *testing.T) *cluster {
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
	return &cluster{t: t, cp: cp}
}

// in returns the cluster for a subtest.
func (c *cluster) in(t *testing.T) *cluster {
	t.Helper()
	return &cluster{t: t, cp: c.cp}
}

// user returns a kubeconfig of an administrator with a name.
func (c *cluster) user(name string) (file string) {
	c.t.Helper()
	config, err := c.cp.User(name)
	if err != nil {
		c.t.Fatal(err)
	}
	file = filepath.Join(c.t.TempDir(), "kubeconfig")
	if err = os.WriteFile(file, config, 0o600); err != nil {
		c.t.Fatal(err)
	}
	return file
}

func (c *cluster) mark() kit.Mark {
	c.t.Helper()
	mark, err := c.cp.Mark()
	if err != nil {
		c.t.Fatal(err)
	}
	return mark
}

// written returns of which kinds a user has written objects, in order: of those
// that one stage of the sample module has each.
func (c *cluster) written(since kit.Mark, user string) (kinds []string) {
	c.t.Helper()
	requests, err := c.cp.Requests(since, user)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, r := range requests {
		kind, _, _ := strings.Cut(r.Resource, ".")
		if r.Write() && slices.Contains([]string{"customresourcedefinitions", "configmaps", "deployments"}, kind) {
			kinds = append(kinds, kind)
		}
	}
	return slices.Compact(kinds)
}

// kubectl returns what kubectl printed. When it fails, the test ends and shows
// what the controllers have to say.
func (c *cluster) kubectl(stdin string, args ...string) string {
	c.t.Helper()
	out, err := c.tryKubectl(stdin, args...)
	if err == nil {
		return out
	}
	var status string
	if len(c.logs) > 0 {
		status, _ = c.tryKubectl("", "get", "-A", "ocirepositories,kustomizations")
	}
	for _, name := range c.logs {
		for line := range strings.Lines(read(c.t, name)) {
			if !strings.Contains(line, `"level":"info"`) {
				status += line
			}
		}
	}
	c.t.Fatalf("kubectl %q: %v\n%s\n%s", args, err, out, status)
	return ""
}

func (c *cluster) tryKubectl(stdin string, args ...string) (string, error) {
	cmd := exec.CommandContext(c.t.Context(), c.cp.Kubectl, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.cp.Kubeconfig)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
