// SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/kubeflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/deploy"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

func TestMain(m *testing.M) { os.Exit(kit.Main(m)) }

// TestRoundTrips holds how many round trips in a row an apply of 100 ConfigMaps
// takes, each a wave, and with them how many requests: ten and 212 for an
// install, two and 5 when nothing has changed, eight and 18 for a change of 3.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	proxy := kit.ForTest(t).Proxy(t)
	ns := kit.ForTest(t).Namespace(t)
	client := connect(t, proxy)
	const (
		core    = "/api/v1/namespaces/*"
		objects = core + "/configmaps"
		record  = core + "/secrets/timoni.app"
		ledger  = core + "/secrets/timoni-ledger.app"
		lease   = "/apis/coordination.k8s.io/v1/namespaces/*/leases"
		user    = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
	)
	reads := kit.Wave{"GET /version": 1, "GET " + core: 1, "GET " + record: 1, "GET " + ledger: 1}
	list, lock, unlock := kit.Wave{"GET " + objects: 1}, kit.Wave{"POST " + lease: 1, "POST " + user: 1}, kit.Wave{"DELETE " + lease + "/timoni.app": 1}
	check := func(n int) kit.Wave { return kit.Wave{"PATCH " + objects + "/* dry run": n} }
	write := func(n int) kit.Wave { return kit.Wave{"PATCH " + objects + "/*": n} }
	for _, step := range []struct {
		name    string
		changed int
		waves   []kit.Wave
	}{
		{"install", 0, []kit.Wave{
			reads, list, check(64), check(36), lock, {"POST " + core + "/secrets": 1}, write(64), write(36),
			{"PUT " + record: 1, "POST " + core + "/secrets": 1}, unlock,
		}},
		{"unchanged", 0, []kit.Wave{reads, list}},
		{"change of 3", 3, []kit.Wave{
			reads, list, check(3), lock, {"PUT " + record: 1}, write(3), {"PUT " + record: 1, "PUT " + ledger: 1}, unlock,
		}},
	} {
		verify := proxy.Waves(step.waves...)
		_, err := deploy.Apply(t.Context(), client, hundred(t, ns, step.changed), event.Discard())
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if err = verify(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
	}
}

// connect returns a client through a proxy, which knows the kinds of the server.
func connect(t *testing.T, proxy *kit.Proxy) *kube.Client {
	t.Helper()
	flags, fs := kubeflag.NewFlags(), pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.AddTo(fs)
	if err := fs.Parse([]string{"--kubeconfig", proxy.Kubeconfig, "--cache-dir", t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	client, err := flags.Connect("test", event.Discard())
	if err == nil {
		_, err = client.Resource(schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"})
	}
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// hundred returns the request to apply 100 ConfigMaps, the first of which are
// changed.
func hundred(t *testing.T, namespace string, changed int) deploy.ApplyRequest {
	t.Helper()
	root, err := controlplane.Root()
	if err != nil {
		t.Fatal(err)
	}
	module, err := ref.Parse(filepath.Join(root, "test", "modules", "raw"))
	if err != nil {
		t.Fatal(err)
	}
	stage := map[string]any{}
	for i := range 100 {
		name := fmt.Sprintf("o%02d", i)
		stage[name] = map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name}, "data": map[string]any{"changed": fmt.Sprint(i < changed)},
		}
	}
	text, err := json.Marshal(map[string]any{"stages": map[string]any{"app": stage}})
	if err != nil {
		t.Fatal(err)
	}
	return deploy.ApplyRequest{Request: build.Request{
		Module: module, Name: "app", Namespace: namespace, Values: []values.Source{{Name: "values.json", Format: values.JSON, Data: text}},
	}}
}
