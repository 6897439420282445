// SPDX-License-Identifier: Apache-2.0

//go:build unix

package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

// The revisions of the rounds: what is there at first, what the run that is
// suspended applies, and what the run applies that takes over.
func suspendValues() map[string]string {
	return map[string]string{
		"first":     "stages: {one: {shared: " + cm("shared", "first") + ", gone: " + cm("gone", "first") + "}}",
		"suspended": "stages: {one: {shared: " + cm("shared", "suspended") + ", a: " + cm("a", "x") + "}, two: {b: " + cm("b", "x") + "}, three: {c: " + cm("c", "x") + "}}",
		"next":      "stages: {one: {shared: " + cm("shared", "next") + "}, two: {n: " + cm("n", "x") + "}}",
	}
}

func cm(name, value string) string {
	return "{apiVersion: v1, kind: ConfigMap, metadata: {name: " + name + "}, data: {key: " + value + "}}"
}

// suspension is a round: a run is stopped when it sends a write, for longer than
// its lease, while another run takes over.
type suspension struct {
	t      *testing.T
	root   string
	bin    string
	cp     *kit.ControlPlane
	ns     string
	values string // the directory of the values

	write int  // which of its writes the run is stopped at
	late  bool // the write reaches the server after the other run
}

// TestSuspended holds S91: a run that was suspended for longer than its lease
// overwrites nothing, and what it wrote all the same is shown by status and
// deleted by the next apply or delete.
func TestSuspended(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out what needs a control plane")
	}
	t.Parallel()
	root, err := controlplane.Root()
	if err != nil {
		t.Fatal(err)
	}
	values := t.TempDir()
	for name, text := range suspendValues() {
		if err := os.WriteFile(filepath.Join(values, name+".yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cp, bin := kit.ForTest(t), plugins(t, root)
	for n := range 20 {
		write, late := n/2+1, n%2 == 0
		t.Run(fmt.Sprintf("write %d late %v", write, late), func(t *testing.T) {
			t.Parallel()
			s := &suspension{t: t, root: root, bin: bin, cp: cp, ns: cp.Namespace(t), values: values, write: write, late: late}
			s.run(n)
		})
	}
}

func (s *suspension) run(n int) {
	kubeconfig, err := s.kubeconfig(n)
	if err != nil {
		s.t.Error(err)
		return
	}
	if out, err := s.apply(kubeconfig, "first"); err != nil {
		s.t.Errorf("round %d: %v: %s", n, err, out)
		return
	}
	failed, stopped := s.suspend(n, kubeconfig)
	if !stopped {
		s.t.Logf("round %d: the run has no %d writes", n, s.write)
		return
	}
	if !failed {
		return // it had written nothing yet, and planned again
	}
	if got := s.kubectl(kubeconfig, "get", "configmap", "shared", "-o", "jsonpath={.data.key}"); got != "next" {
		s.t.Errorf("round %d: shared is of the run %q", n, got)
	}
	strays := s.strays(kubeconfig)
	status, _ := s.command(kubeconfig, "kubectl-timoni", "status", "app").CombinedOutput()
	for _, name := range strays {
		if !strings.Contains(string(status), "ConfigMap/"+s.ns+"/"+name) && !strings.Contains(string(status), name+" ") {
			s.t.Errorf("round %d: status does not show %s:\n%s", n, name, status)
		}
	}
	s.t.Logf("round %d: stopped at write %d, late %v: outside of the record %v", n, s.write, s.late, strays)
	s.cleanUp(n, kubeconfig)
}

// cleanUp applies or deletes once more, and checks that nothing is left.
func (s *suspension) cleanUp(n int, kubeconfig string) {
	want := []string{"n", "shared"}
	if n%4 < 2 {
		if out, err := s.apply(kubeconfig, "next"); err != nil {
			s.t.Errorf("round %d: apply: %v: %s", n, err, out)
		}
	} else {
		want = nil
		if out, err := s.command(kubeconfig, "kubectl-timoni", "delete", "app").CombinedOutput(); err != nil {
			s.t.Errorf("round %d: delete: %v: %s", n, err, out)
		}
	}
	if got := s.objects(kubeconfig); !slices.Equal(got, want) {
		s.t.Errorf("round %d: stopped at write %d, late %v: left are %v, expected %v", n, s.write, s.late, got, want)
	}
}

// suspend applies through a proxy that stops the run at a write, has the other
// run take over, and lets the first go on. It returns whether that failed, and
// whether it was stopped at all.
func (s *suspension) suspend(n int, kubeconfig string) (failed, stopped bool) {
	proxy := s.cp.Proxy(s.t)
	run := s.command(proxy.Kubeconfig, "kubectl-timoni-apply", "app", filepath.Join(s.root, "test", "modules", "raw"),
		"-f", filepath.Join(s.values, "suspended.yaml"), "--timeout=2m")
	var out bytes.Buffer
	run.Stdout, run.Stderr = &out, &out
	started, atWrite, goOn := make(chan struct{}), make(chan struct{}), make(chan struct{})
	proxy.Break(isWrite(s.write), func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		<-started
		if err := run.Process.Signal(syscall.SIGSTOP); err != nil {
			s.t.Error(err)
		}
		close(atWrite)
		if s.late {
			<-goOn
		}
		forward.ServeHTTP(w, r)
	})
	if err := run.Start(); err != nil {
		s.t.Error(err)
		return false, false
	}
	close(started)
	ended := make(chan error, 1)
	go func() { ended <- run.Wait() }()
	select {
	case err := <-ended:
		close(goOn)
		return err != nil, false
	case <-atWrite:
	}
	if text, err := s.apply(kubeconfig, "next"); err != nil {
		s.t.Errorf("round %d: the run that takes over: %v: %s", n, err, text)
	}
	close(goOn)
	if err := run.Process.Signal(syscall.SIGCONT); err != nil {
		s.t.Error(err)
	}
	err := <-ended
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() < 0) {
		s.t.Errorf("round %d: %v: %s", n, err, &out)
	}
	return err != nil, true
}

func (s *suspension) kubeconfig(n int) (string, error) {
	config, err := s.cp.User(fmt.Sprintf("%s-%d", s.ns, n))
	if err != nil {
		return "", err
	}
	path := filepath.Join(s.values, fmt.Sprintf("kubeconfig-%d", n))
	return path, os.WriteFile(path, config, 0o600)
}

// command returns a command in the namespace of the round.
func (s *suspension) command(kubeconfig, name string, args ...string) *exec.Cmd {
	path := filepath.Join(s.bin, name)
	if filepath.IsAbs(name) {
		path = name
	}
	cmd := exec.CommandContext(context.WithoutCancel(s.t.Context()), path, append(args, "-n", s.ns)...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "HOME="+s.values)
	cmd.WaitDelay = time.Minute
	return cmd
}

func (s *suspension) apply(kubeconfig, revision string) (string, error) {
	out, err := s.command(kubeconfig, "kubectl-timoni-apply", "app", filepath.Join(s.root, "test", "modules", "raw"),
		"-f", filepath.Join(s.values, revision+".yaml"), "--timeout=2m").CombinedOutput()
	return string(out), err
}

func (s *suspension) kubectl(kubeconfig string, args ...string) string {
	out, err := s.command(kubeconfig, s.cp.Kubectl, args...).CombinedOutput()
	if err != nil {
		s.t.Errorf("kubectl %v: %v: %s", args, err, out)
	}
	return string(out)
}

// objects returns the names of the instance's objects.
func (s *suspension) objects(kubeconfig string) []string {
	names := strings.Fields(s.kubectl(kubeconfig, "get", "configmap", "-l", "instance.timoni.sh/name=app",
		"-o", "jsonpath={.items[*].metadata.name}"))
	slices.Sort(names)
	return names
}

// strays returns the names of those that the run which took over does not have.
func (s *suspension) strays(kubeconfig string) []string {
	return slices.DeleteFunc(s.objects(kubeconfig), func(name string) bool { return name == "n" || name == "shared" })
}
