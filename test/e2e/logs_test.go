// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

const loggedValues = `stages: {one: {a: {apiVersion: apps/v1, kind: StatefulSet, metadata: {name: web}, spec: {
  selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: nginx}]}}}}}}
`

// TestLogBreaksOff holds that a log that is followed is taken up again where it
// was when the connection breaks and the server then fails, and that no line is
// shown twice or left out, not even of those that have the same time.
func TestLogBreaksOff(t *testing.T) {
	t.Parallel()
	root, err := controlplane.Root()
	if err != nil {
		t.Fatal(err)
	}
	bin, cp, dir := plugins(t, root), kit.ForTest(t), t.TempDir()
	ns, proxy := cp.Namespace(t), cp.Proxy(t)
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = f.WriteString(text)
			_ = f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	line := func(n int) string { return fmt.Sprintf("2099-01-01T00:00:%02d.000000000Z stdout F line %d\n", n/2, n) }
	log := write("web.log", line(1)+line(2))
	logs := write("logs.yaml", fmt.Sprintf("apiVersion: kwok.x-k8s.io/v1alpha1\nkind: ClusterLogs\nmetadata: {name: %s}\n"+
		"spec: {selector: {matchNamespaces: [%s]}, logs: [{logsFile: %q, follow: true}]}\n", ns, ns, log))
	command := func(kubeconfig string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), args[0], append(args[1:], "-n", ns)...)
		cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "XDG_CACHE_HOME="+dir)
		return cmd
	}
	for _, args := range [][]string{
		{cp.Kubectl, "apply", "-f", logs},
		{filepath.Join(bin, "kubectl-timoni-apply"), "app", filepath.Join(root, "test", "modules", "raw"), "-f", write("values.yaml", loggedValues)},
	} {
		if out, err := command(cp.Kubeconfig, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}

	broken, n := make(chan context.CancelFunc, 1), 0
	proxy.Intercept(func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		if strings.HasSuffix(r.URL.Path, "/log") {
			switch n++; n {
			case 1:
				ctx, cancel := context.WithCancel(r.Context())
				broken <- cancel
				r = r.WithContext(ctx)
			case 2:
				kit.Answer(http.StatusInternalServerError, "InternalError")(w, r, forward)
				return
			}
		}
		forward.ServeHTTP(w, r)
	})
	cmd := command(proxy.Kubeconfig, filepath.Join(bin, "kubectl-timoni-instance"), "logs", "app", "-f", "--no-prefix")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for i := 1; i <= 5; i++ {
		if !lines.Scan() || lines.Text() != fmt.Sprintf("line %d", i) {
			t.Fatalf("line %d: %q, %v", i, lines.Text(), lines.Err())
		}
		switch i {
		case 2:
			(<-broken)()
			write("web.log", line(3)) // of the time of line 2
		case 3:
			write("web.log", line(4)+line(5)) // both of one time
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// TestEventsAtAHalfDeadServer holds that who follows events is told when they
// cannot be listed, and sees them when they can.
func TestEventsAtAHalfDeadServer(t *testing.T) {
	t.Parallel()
	root, err := controlplane.Root()
	if err != nil {
		t.Fatal(err)
	}
	bin, cp, dir := plugins(t, root), kit.ForTest(t), t.TempDir()
	ns, proxy := cp.Namespace(t), cp.Proxy(t)
	values := filepath.Join(dir, "values.yaml")
	if err = os.WriteFile(values, []byte(loggedValues), 0o600); err != nil {
		t.Fatal(err)
	}
	command := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), filepath.Join(bin, args[0]), append(args[1:], "-n", ns)...)
		cmd.Env = append(os.Environ(), "KUBECONFIG="+proxy.Kubeconfig, "XDG_CACHE_HOME="+dir)
		return cmd
	}
	if out, err := command("kubectl-timoni-apply", "app", filepath.Join(root, "test", "modules", "raw"), "-f", values).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	proxy.Break(func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/events") }, kit.Answer(http.StatusInternalServerError, "InternalError"))
	cmd := command("kubectl-timoni-instance", "events", "app", "--watch")
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	cmd.Stdout, cmd.Stderr = writer, writer
	if err = cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = writer.Close()
	lines := bufio.NewScanner(reader)
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), "warning: list the events: ") {
		t.Errorf("first line: %q", lines.Text())
	}
	proxy.Intercept(nil)
	found := false
	for !found && lines.Scan() {
		found = strings.Contains(lines.Text(), "SuccessfulCreate")
	}
	if !found {
		t.Error("no event was shown")
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}
