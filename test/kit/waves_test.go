// SPDX-License-Identifier: Apache-2.0

package kit_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

// TestWaves holds that a proxy that counts round trips lets those through that
// are under way together, and names what is missing or in no wave.
func TestWaves(t *testing.T) {
	t.Parallel()
	proxy := kit.ForTest(t).Proxy(t)
	config := through(t, proxy)
	const version, pods = "GET /version", "GET /api/v1/namespaces/*/pods"
	get := func(paths ...string) {
		var group sync.WaitGroup
		for _, path := range paths {
			group.Go(func() { send(t, config, http.MethodGet, path, "", http.StatusOK) })
		}
		group.Wait()
	}
	for name, tc := range map[string]struct {
		waves []kit.Wave
		fault string
	}{
		"as they are":  {[]kit.Wave{{version: 1, pods: 2}, {version: 1}}, ""},
		"one too few":  {[]kit.Wave{{version: 1, pods: 2}}, `"GET /version" is not in wave 2`},
		"another kind": {[]kit.Wave{{version: 1, pods: 2}, {pods: 1}}, `"GET /version" is not in wave 2`},
		"more to come": {[]kit.Wave{{version: 1, pods: 2}, {version: 1}, {pods: 1}}, "wave 3 did not come: map[" + pods + ":1]"},
	} {
		verify := proxy.Waves(tc.waves...)
		get("/version", "/api/v1/namespaces/default/pods", "/api/v1/namespaces/kube-system/pods")
		get("/version")
		if err := verify(); (err == nil) != (tc.fault == "") || !strings.Contains(fmt.Sprint(err), tc.fault) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTimeline holds that requests of one kind that are under way together are
// one line.
func TestTimeline(t *testing.T) {
	t.Parallel()
	proxy := kit.ForTest(t).Proxy(t)
	config := through(t, proxy)
	since := time.Now()
	proxy.Trace()
	send(t, config, http.MethodGet, "/version", "", http.StatusOK)
	send(t, config, http.MethodGet, "/api/v1/namespaces/default/pods?watch=true&timeoutSeconds=0", "", http.StatusOK)
	lines := strings.Split(strings.TrimSpace(proxy.Timeline(since)), "\n")
	if len(lines) != 2 || !strings.HasSuffix(lines[0], " 1 × GET /version") || !strings.HasSuffix(lines[1], " 1 × WATCH /api/v1/namespaces/default/pods") {
		t.Errorf("%q", lines)
	}
}

func through(t *testing.T, proxy *kit.Proxy) *rest.Config {
	t.Helper()
	text, err := os.ReadFile(proxy.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(text)
	if err != nil {
		t.Fatal(err)
	}
	return config
}
