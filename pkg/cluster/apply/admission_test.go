// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
)

// TestMutatingWebhook holds that what a webhook adds to our objects, and what
// it changes of our own fields, is no difference.
func TestMutatingWebhook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mutate(t, []map[string]any{
		{"op": "add", "path": "/data/injected", "value": "by a webhook"},
		{"op": "replace", "path": "/data/key", "value": "changed by a webhook"},
	})
	req := w.request(configMap("a", "x"))
	w.want(w.apply(req), "created ConfigMap/a")
	if data := fmt.Sprint(w.live("v1", "ConfigMap", "a")["data"]); data != "map[injected:by a webhook key:changed by a webhook]" {
		t.Fatalf("data = %s: the webhook was not called", data)
	}
	for range 2 {
		since := w.mark()
		w.want(w.apply(req), "unchanged ConfigMap/a")
		if writes := w.writes(since); writes != nil {
			t.Errorf("an unchanged apply wrote %q", writes)
		}
	}
	more := strings.Replace(configMap("a", "x"), "key: x", "key: x, more: x", 1)
	w.want(w.apply(w.request(more)), "configured ConfigMap/a")
}

// mutate has a webhook of the namespace answer with a patch for each ConfigMap.
func (w *world) mutate(t *testing.T, patch []map[string]any) {
	t.Helper()
	text, err := json.Marshal(patch)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var review struct {
			Request struct {
				UID string `json:"uid"`
			} `json:"request"`
		}
		if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
			t.Error(err)
		}
		rw.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(rw, `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":%q,"allowed":true,"patchType":"JSONPatch","patch":%q}}`,
			review.Request.UID, base64.StdEncoding.EncodeToString(text))
	}))
	t.Cleanup(server.Close)
	bundle := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	config := w.request(`
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: NS}
webhooks:
- name: mutate.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: NS}}
  rules: [{apiGroups: [""], apiVersions: [v1], resources: [configmaps], operations: [CREATE, UPDATE]}]
`).Stages[0].Objects[0]
	config["webhooks"].([]any)[0].(map[string]any)["clientConfig"] = map[string]any{
		"url": server.URL, "caBundle": base64.StdEncoding.EncodeToString(bundle),
	}
	r := resource(t, w, "admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration")
	hook, err := w.client.Create(t.Context(), r, config, kube.Real)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.client.Delete(context.Background(), r, hook); err != nil {
			t.Error(err)
		}
	})
	w.untilCalled(t)
}

// untilCalled returns when the API server has taken notice of the webhook.
func (w *world) untilCalled(t *testing.T) {
	t.Helper()
	probe := w.request(configMap("probe", "x")).Stages[0].Objects[0]
	probe.SetNamespace(w.ns)
	for {
		got, err := w.client.Create(t.Context(), resource(t, w, "v1", "ConfigMap"), probe, kube.DryRun)
		if err != nil {
			t.Fatal(err)
		}
		if v, found, _ := nested(got, "data", "injected"); found && v != "" {
			return
		}
	}
}

// TestInjectedBundle holds that the caBundle that an injector, as that of
// cert-manager, writes into a webhook's configuration is no difference, and
// stays.
func TestInjectedBundle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	req := w.request(`
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: NS}
webhooks:
- name: validate.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Ignore
  clientConfig: {service: {name: hook, namespace: NS}}
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: nowhere}}
  rules: [{apiGroups: [""], apiVersions: [v1], resources: [configmaps], operations: [CREATE]}]
`)
	w.want(w.apply(req), "created ValidatingWebhookConfiguration/"+w.ns)
	t.Cleanup(w.clean)
	r := resource(t, w, "admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration")
	injected := w.hookBundle(t, r, func(o api.Object, config map[string]any) {
		config["caBundle"] = base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE"}))
		if _, err := w.client.WithFieldManager("injector").Update(t.Context(), r, o); err != nil {
			t.Fatal(err)
		}
	})
	w.want(w.apply(req), "unchanged ValidatingWebhookConfiguration/"+w.ns)
	w.want(w.apply(req), "unchanged ValidatingWebhookConfiguration/"+w.ns)
	if got := w.hookBundle(t, r, nil); got == "" || got != injected {
		t.Errorf("caBundle = %q after the applies, it was %q", got, injected)
	}
}

// hookBundle changes the clientConfig of the test's webhook, and returns the
// caBundle in it.
func (w *world) hookBundle(t *testing.T, r kube.Resource, change func(o api.Object, config map[string]any)) string {
	t.Helper()
	o, err := w.client.Get(t.Context(), r, "", w.ns)
	if err != nil {
		t.Fatal(err)
	}
	config := o["webhooks"].([]any)[0].(map[string]any)["clientConfig"].(map[string]any)
	if change != nil {
		change(o, config)
	}
	bundle, _ := config["caBundle"].(string)
	return bundle
}

// TestQuota holds that a quota that only the writes meet, since each dry run
// for itself fits in, is reported with what was and what was not applied.
func TestQuota(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: few}\nspec: {hard: {count/configmaps: \"3\"}}\n")
	w.untilQuota(t)
	req := w.request(configMap("a", "x")+"---\n"+configMap("b", "x")+"---\n"+configMap("c", "x"), configMap("later", "x"))
	_, err := w.engine.Apply(t.Context(), req)
	if err == nil {
		t.Fatal("the quota was not met")
	}
	text := err.Error()
	for _, want := range []string{"exceeded quota: few", "applied 2 of 4 objects; not applied: ConfigMap/" + w.ns, "ConfigMap/" + w.ns + "/later"} {
		if !strings.Contains(text, want) {
			t.Errorf("the error does not say %q:\n%s", want, text)
		}
	}
	quota := w.live("v1", "ResourceQuota", "few")
	quota["spec"] = map[string]any{"hard": map[string]any{"count/configmaps": "10"}}
	if _, err := w.client.Update(t.Context(), resource(t, w, "v1", "ResourceQuota"), quota); err != nil {
		t.Fatal(err)
	}
	if _, err := w.engine.Apply(t.Context(), req); err != nil {
		t.Errorf("with a larger quota: %v", err)
	}
}

// untilQuota returns when the quota counts: it has seen kube-root-ca.crt.
func (w *world) untilQuota(t *testing.T) {
	t.Helper()
	for {
		used, _, _ := nested(w.live("v1", "ResourceQuota", "few"), "status", "used", "count/configmaps")
		if used == "1" {
			return
		}
		if t.Context().Err() != nil {
			t.Fatal("the quota does not count")
		}
	}
}
