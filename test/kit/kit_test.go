// SPDX-License-Identifier: Apache-2.0

package kit_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

func TestMain(m *testing.M) { os.Exit(kit.Main(m)) }

func TestRequests(t *testing.T) {
	t.Parallel()
	cp := kit.ForTest(t)
	ns := cp.Namespace(t)
	mark, err := cp.Mark()
	if err != nil {
		t.Fatal(err)
	}
	alice := user(t, cp, "alice")
	path := "/api/v1/namespaces/" + ns + "/configmaps"
	body := `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}`
	send(t, alice, http.MethodPost, path+"?dryRun=All", body, http.StatusCreated)
	send(t, alice, http.MethodPost, path, body, http.StatusCreated)
	send(t, alice, http.MethodGet, path+"/b", "", http.StatusNotFound)
	send(t, alice, http.MethodGet, path, "", http.StatusOK)
	send(t, alice, http.MethodGet, path+"?watch=true&timeoutSeconds=0", "", http.StatusOK)
	send(t, alice, http.MethodDelete, path+"/a", `{"dryRun":["All"]}`, http.StatusOK)
	send(t, alice, http.MethodDelete, path+"/a", "", http.StatusOK)
	send(t, alice, http.MethodGet, "/version", "", http.StatusOK)
	send(t, user(t, cp, "bob"), http.MethodGet, path, "", http.StatusOK)

	got, err := cp.Requests(mark, "alice")
	if err != nil {
		t.Fatal(err)
	}
	base := kit.Request{User: "alice", Resource: "configmaps", Namespace: ns}
	with := func(verb, name string, dryRun bool, code int) kit.Request {
		r := base
		r.Verb, r.Name, r.DryRun, r.Code = verb, name, dryRun, code
		return r
	}
	want := []kit.Request{
		with("create", "", true, 201),
		with("create", "", false, 201),
		with("get", "b", false, 404),
		with("list", "", false, 200),
		with("watch", "", false, 200),
		with("delete", "a", true, 200),
		with("delete", "a", false, 200),
		{User: "alice", Verb: "get", Resource: "/version", Code: 200},
	}
	// Of a creation the server logs the name or not; it is not what counts here.
	for i := range 2 {
		if i < len(got) {
			got[i].Name = ""
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	writes := 0
	for _, r := range got {
		if r.Write() {
			writes++
		}
	}
	if writes != 2 {
		t.Errorf("%d writes, want 2", writes)
	}
}

func TestNamespaceAdmin(t *testing.T) {
	t.Parallel()
	cp := kit.ForTest(t)
	ns := cp.Namespace(t)
	data, name, err := cp.NamespaceAdmin(t.Context(), ns)
	if err != nil {
		t.Fatal(err)
	}
	if want := "system:serviceaccount:" + ns + ":admin"; name != want {
		t.Errorf("user %q, want %q", name, want)
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	send(t, config, http.MethodGet, "/api/v1/namespaces/"+ns+"/secrets", "", http.StatusOK)
	send(t, config, http.MethodGet, "/api/v1/namespaces/default/secrets", "", http.StatusForbidden)
	send(t, config, http.MethodGet, "/api/v1/namespaces", "", http.StatusForbidden)
}

func TestToken(t *testing.T) {
	t.Parallel()
	cp := kit.ForTest(t)
	config, err := cp.REST()
	if err != nil {
		t.Fatal(err)
	}
	anonymous := rest.AnonymousClientConfig(config)
	send(t, anonymous, http.MethodGet, "/api/v1/nodes/kit", "", http.StatusForbidden)
	anonymous.BearerToken = cp.Token
	send(t, anonymous, http.MethodGet, "/api/v1/nodes/kit", "", http.StatusOK)
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	cp := kit.ForTest(t)
	registry := &rest.Config{Host: "http://" + cp.Registry}
	send(t, registry, http.MethodPost, "/v2/kit/blobs/uploads/", "", http.StatusAccepted)
	send(t, registry, http.MethodGet, "/v2/kit/manifests/absent", "", http.StatusNotFound)
}

// TestExistingCluster uses this binary's control plane as the existing one.
func TestExistingCluster(t *testing.T) {
	t.Parallel()
	cp := kit.ForTest(t)
	sup, err := kit.Spawn(kit.Options{Kubeconfig: cp.Kubeconfig})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := sup.Stop(); err != nil {
			t.Error(err)
		}
	}()
	existing, err := kit.Attach(t.Context(), sup.URL)
	if err != nil {
		t.Fatal(err)
	}
	if len(existing.Pids) != 1 {
		t.Errorf("started %d programs, want the registry alone", len(existing.Pids))
	}
	if _, err := existing.Mark(); !errors.Is(err, kit.ErrNoAudit) {
		t.Errorf("Mark: %v, want %v", err, kit.ErrNoAudit)
	}
	ns := existing.Namespace(t)
	send(t, user(t, existing, "carol"), http.MethodGet, "/api/v1/namespaces/"+ns, "", http.StatusOK)
	// One left by an earlier run is replaced.
	if err := existing.CreateNamespace(t.Context(), ns); err != nil {
		t.Error(err)
	}
}

// TestVictim is the child of TestLeavesNothing and does nothing otherwise.
func TestVictim(t *testing.T) {
	mode := os.Getenv("KIT_VICTIM")
	if mode == "" {
		return
	}
	data, err := json.Marshal(kit.ForTest(t))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("\n%s\n", data)
	switch mode {
	case "panic":
		panic("as wanted")
	case "exit":
		os.Exit(7)
	case "wait":
		select {}
	}
}

// TestApplyThatOnlyCreates holds what kube.Client.ApplyNew relies on, and what
// the API does not promise: that a server-side apply with resourceVersion "1"
// creates an object, and is a conflict with one that exists, in a dry run too.
func TestApplyThatOnlyCreates(t *testing.T) {
	t.Parallel()
	cp := kit.ForTest(t)
	applyOnlyCreates(t, cp, cp.Namespace(t))
}

// TestApplyThatOnlyCreatesPrevious holds the same of an older minor version.
func TestApplyThatOnlyCreatesPrevious(t *testing.T) {
	if os.Getenv("TIMONI_INTEROP") == "" {
		t.Skip("TIMONI_INTEROP=1 runs the tests with programs of other projects and versions")
	}
	t.Parallel()
	sup, err := kit.Spawn(kit.Options{Previous: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sup.Stop(); err != nil {
			t.Error(err)
		}
	})
	cp, err := kit.Attach(t.Context(), sup.URL)
	if err != nil {
		t.Fatal(err)
	}
	server, err := discovery.NewDiscoveryClientForConfig(user(t, cp, "version"))
	if err != nil {
		t.Fatal(err)
	}
	if version, err := server.ServerVersion(); err != nil || version.Minor != "35" {
		t.Fatalf("the server is %v, want 1.35: %v", version, err)
	}
	applyOnlyCreates(t, cp, "default")
}

func applyOnlyCreates(t *testing.T, cp *kit.ControlPlane, ns string) {
	t.Helper()
	config := user(t, cp, "only-creates")
	apply := func(path, apiVersion, kind, name, version, dry string, want int) {
		t.Helper()
		send(t, config, http.MethodPatch, path+name+"?fieldManager=test&force=true&fieldValidation=Strict"+dry, fmt.Sprintf(
			`{"apiVersion":%q,"kind":%q,"metadata":{"name":%q,"resourceVersion":%q}}`, apiVersion, kind, name, version), want)
	}
	const dry = "&dryRun=All"
	for kind, o := range map[string][2]string{
		"ConfigMap":      {"v1", "/api/v1/namespaces/" + ns + "/configmaps/"},
		"ServiceAccount": {"v1", "/api/v1/namespaces/" + ns + "/serviceaccounts/"},
		"ClusterRole":    {"rbac.authorization.k8s.io/v1", "/apis/rbac.authorization.k8s.io/v1/clusterroles/"},
	} {
		name := ns + "-only-creates"
		apply(o[1], o[0], kind, name, "1", dry, http.StatusCreated)
		apply(o[1], o[0], kind, name, "1", "", http.StatusCreated)
		apply(o[1], o[0], kind, name, "1", dry, http.StatusConflict)
		apply(o[1], o[0], kind, name, "1", "", http.StatusConflict)
		apply(o[1], o[0], kind, name, "", "", http.StatusOK)
		send(t, config, http.MethodDelete, o[1]+name, "", http.StatusOK)
	}
}

func user(t *testing.T, cp *kit.ControlPlane, name string) *rest.Config {
	t.Helper()
	data, err := cp.User(name)
	if err != nil {
		t.Fatal(err)
	}
	path := fixture.Write(t, filepath.Join(t.TempDir(), name), data)
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func send(t *testing.T, config *rest.Config, method, path, body string, want int) {
	t.Helper()
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, config.Host+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		req.Header.Set("Content-Type", "application/apply-patch+yaml")
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != want {
		t.Errorf("%s %s: %s, want %d", method, path, res.Status, want)
	}
}
