// SPDX-License-Identifier: Apache-2.0

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
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

// away is a moment at which a server goes away, and the error that this is.
type away struct {
	at      func(*http.Request) bool
	values  string
	timeout string // of the wait
	want    string
}

// awayAt returns the moments by name: the writes of a run in their order, and a
// wait.
func awayAt() map[string]away {
	const three = "stages: {one: {a: {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}}, " +
		"two: {b: {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}}, three: {c: {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}}}"
	const stuck = "stages: {one: {p: {apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {nodeSelector: {no: node}, containers: [{name: c, image: c}]}}}}"
	const unrecorded = `write the record or the ledger of instance "app": SERVER` +
		"\nall objects were applied; the next apply writes what is missing of the record"
	moments := map[string]away{"wait": {
		at:     func(r *http.Request) bool { return r.URL.Query().Has("watch") },
		values: stuck, timeout: "2s",
		want: "wait for 1 of the objects: SERVER\nall objects were applied; whether they are ready is not known",
	}}
	for n, want := range []string{
		`lock instance "app" in namespace "NS": SERVER`,
		`write the record of instance "app": SERVER`,
		"ConfigMap/NS/a: SERVER",
		"ConfigMap/NS/b: SERVER\napplied 1 of 3 objects; not applied: ConfigMap/NS/b, ConfigMap/NS/c",
		"ConfigMap/NS/c: SERVER\napplied 2 of 3 objects; not applied: ConfigMap/NS/c",
		unrecorded, unrecorded, // the record and the ledger are under way together
		"release the lock: SERVER",
	} {
		moments[fmt.Sprintf("write %d", n+1)] = away{at: isWrite(n + 1), values: three, timeout: "5m", want: want}
	}
	return moments
}

// TestServerGoesAway holds S95: a server that goes away in the middle of an
// apply, whatever is written then, is one error with exit code 3 that says what
// was applied, without a line of a library.
func TestServerGoesAway(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out what needs a control plane")
	}
	t.Parallel()
	root, err := controlplane.Root()
	if err != nil {
		t.Fatal(err)
	}
	cp, bin := kit.ForTest(t), plugins(t, root)
	for name, moment := range awayAt() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns, proxy, home := cp.Namespace(t), cp.Proxy(t), t.TempDir()
			proxy.Break(moment.at, func(http.ResponseWriter, *http.Request, http.Handler) {
				proxy.Stop()
				panic(http.ErrAbortHandler)
			})
			values := filepath.Join(home, "values.yaml")
			if err := os.WriteFile(values, []byte(moment.values), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(context.WithoutCancel(t.Context()), filepath.Join(bin, "kubectl-timoni-apply"), "app",
				filepath.Join(root, "test", "modules", "raw"), "-n", ns, "-f", values, "-q", "--timeout="+moment.timeout)
			cmd.Env = append(os.Environ(), "KUBECONFIG="+proxy.Kubeconfig, "HOME="+home)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if exit, ok := errors.AsType[*exec.ExitError](cmd.Run()); !ok || exit.ExitCode() != 3 {
				t.Errorf("%v", exit)
			}
			want := "error: apply app: " + moment.want +
				"\nhint: check the context with 'kubectl config get-contexts' and the server with 'kubectl cluster-info'\n"
			got := strings.ReplaceAll(stderr.String(), ns, "NS")
			got = regexp.MustCompile(`the server http://\S+ is not reachable: [^\n]*`).ReplaceAllString(got, "SERVER")
			got = regexp.MustCompile(`write the (record|ledger) of (.*\nall objects)`).ReplaceAllString(got, "write the record or the ledger of $2")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("stderr (-want +got):\n%s", diff)
			}
		})
	}
}

// isWrite returns what says of a request whether it is the nth write: not one of
// the server's answers about the client itself, nor a dry run.
func isWrite(n int) func(*http.Request) bool {
	var writes atomic.Int32
	return func(r *http.Request) bool {
		return r.Method != http.MethodGet && !r.URL.Query().Has("dryRun") && !strings.Contains(r.URL.Path, "/self") && int(writes.Add(1)) == n
	}
}
