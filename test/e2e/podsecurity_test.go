// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"k8s.io/client-go/rest"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

// TestPodSecurity holds that the policies Baseline and Restricted of
// test/modules/policies find something in a Pod exactly when the API server
// refuses it in a namespace of that level: each Pod of the module's own tests, by
// both levels.
func TestPodSecurity(t *testing.T) {
	t.Parallel()
	root, err := controlplane.Root()
	if err != nil {
		t.Fatal(err)
	}
	cp, bin := kit.ForTest(t), plugins(t, root)
	module := filepath.Join(root, "test", "modules", "policies")
	pods := readPods(t, filepath.Join(module, "tests", "levels.cue"))
	policy := "oci://" + cp.Registry + "/podsecurity/policies"
	if out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "kubectl-timoni-mod"), "push", module, policy, "-v", "1.0.0").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for level, definition := range map[string]string{"baseline": "#Baseline", "restricted": "#Restricted"} {
		t.Run(level, func(t *testing.T) {
			t.Parallel()
			server := newAdmission(t, cp, level)
			found := findings(t, bin, policy+":1.0.0", definition, pods)
			var taken, refused, invalid int
			for _, name := range slices.Sorted(maps.Keys(pods)) {
				message := server.refuses(t, pods[name])
				switch {
				case message == "":
					taken++
				case strings.Contains(message, "violates PodSecurity"):
					refused++
				default:
					invalid++ // it is no Pod that the level could be asked about
				}
				if (message != "") != found[name] {
					t.Errorf("%s: found something: %t; the server: %q", name, found[name], message)
				}
			}
			t.Logf("the server takes %d and refuses %d, not counting %d that are invalid", taken, refused, invalid)
			if taken < 20 || refused < 20 || invalid > 10 {
				t.Error("these are too few to compare with")
			}
		})
	}
}

// readPods returns the Pods of the tests of the module by the names of the cases.
func readPods(t *testing.T, file string) map[string]map[string]any {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var pods map[string]map[string]any
	if err := cuecontext.New().CompileBytes(text).LookupPath(cue.ParsePath("pods")).Decode(&pods); err != nil {
		t.Fatal(err)
	}
	return pods
}

// findings says of each Pod whether vet finds an error in it.
func findings(t *testing.T, bin, policy, definition string, pods map[string]map[string]any) map[string]bool {
	t.Helper()
	var stream bytes.Buffer
	names := map[string]string{}
	for name, pod := range pods {
		id := fmt.Sprint("pod-", len(names))
		names[id] = name
		named := maps.Clone(pod)
		named["metadata"] = maps.Clone(pod["metadata"].(map[string]any))
		named["metadata"].(map[string]any)["name"] = id
		stream.WriteString("---\n")
		if err := json.NewEncoder(&stream).Encode(named); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "timoni-krm"), "vet", "-f", policy, "--definition", definition, "-o", "json", "-")
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = &stream, &stderr
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var vetted struct {
		Objects  int
		Findings []struct{ Severity, Name string }
	}
	if err := json.Unmarshal(out, &vetted); err != nil || vetted.Objects != len(pods) {
		t.Fatalf("%v: %d objects instead of %d", err, vetted.Objects, len(pods))
	}
	found := map[string]bool{}
	for _, f := range vetted.Findings {
		found[names[f.Name]] = true
	}
	return found
}

// admission asks an API server for its verdict on Pods in a namespace.
type admission struct {
	client    *http.Client
	namespace string // its URL
}

// newAdmission returns the admission of a namespace with a level. In it there is
// a Pod that every level takes.
func newAdmission(t *testing.T, cp *kit.ControlPlane, level string) admission {
	t.Helper()
	config, err := cp.REST()
	if err != nil {
		t.Fatal(err)
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	a := admission{client, strings.TrimSuffix(config.Host, "/") + "/api/v1/namespaces/" + cp.Namespace(t)}
	label := map[string]any{"metadata": map[string]any{"labels": map[string]any{"pod-security.kubernetes.io/enforce": level}}}
	for _, request := range []struct {
		method, path string
		body         any
	}{
		{http.MethodPatch, "", label},
		{http.MethodPost, "/serviceaccounts", map[string]any{"metadata": map[string]any{"name": "default"}}},
		{http.MethodPost, "/pods", pod("base")},
	} {
		if status, body := a.do(t, request.method, request.path, request.body); status >= 300 && status != http.StatusConflict {
			t.Fatalf("%s %s: %d: %s", request.method, request.path, status, body)
		}
	}
	return a
}

// pod returns a Pod that every level takes.
func pod(name string) map[string]any {
	return map[string]any{
		"metadata": map[string]any{"name": name},
		"spec": map[string]any{
			"securityContext": map[string]any{"runAsNonRoot": true, "seccompProfile": map[string]any{"type": "RuntimeDefault"}},
			"containers": []any{map[string]any{"name": "main", "image": "registry.example.com/app:1.2.3", "securityContext": map[string]any{
				"allowPrivilegeEscalation": false, "capabilities": map[string]any{"drop": []any{"ALL"}},
			}}},
		},
	}
}

// refuses returns why the server does not take a Pod, "" when it does. One with
// containers for debugging is created in two steps, as the server wants it.
func (a admission) refuses(t *testing.T, pod map[string]any) string {
	t.Helper()
	pod = maps.Clone(pod)
	pod["metadata"] = maps.Clone(pod["metadata"].(map[string]any))
	delete(pod["metadata"].(map[string]any), "namespace")
	pod["spec"] = maps.Clone(pod["spec"].(map[string]any))
	debug := pod["spec"].(map[string]any)["ephemeralContainers"]
	delete(pod["spec"].(map[string]any), "ephemeralContainers")
	status, body := a.do(t, http.MethodPost, "/pods?dryRun=All", pod)
	if status < 300 && debug != nil {
		status, body = a.do(t, http.MethodPatch, "/pods/base/ephemeralcontainers?dryRun=All", map[string]any{"spec": map[string]any{"ephemeralContainers": debug}})
	}
	if status < 300 {
		return ""
	}
	var answer struct{ Reason, Message string }
	if err := json.Unmarshal(body, &answer); err != nil || answer.Reason != "Forbidden" && answer.Reason != "Invalid" {
		t.Fatalf("%d: %s", status, body)
	}
	return answer.Message
}

func (a admission) do(t *testing.T, method, path string, body any) (int, []byte) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, a.namespace+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		req.Header.Set("Content-Type", "application/strategic-merge-patch+json")
	}
	res, err := a.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, out
}
