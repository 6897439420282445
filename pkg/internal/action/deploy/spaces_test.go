// SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"context"
	"errors"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/deploy"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

// TestReviewedBeforeSpaces holds that what changes between the review of a plan and
// the creation of the namespaces of a kustomization is not applied without one, and
// that the namespaces go again.
func TestReviewedBeforeSpaces(t *testing.T) {
	t.Parallel()
	ns := kit.ForTest(t).Namespace(t)
	client := connect(t, kit.ForTest(t).Proxy(t))
	object := func(namespace, text string) api.Object {
		return api.Object{
			"apiVersion": "v1", "kind": "ConfigMap",
			"metadata": map[string]any{"name": "map", "namespace": namespace}, "data": map[string]any{"text": text},
		}
	}
	request := func(objects ...api.Object) deploy.ApplyRequest {
		req := deploy.ApplyRequest{Request: build.Request{Name: "app", Namespace: ns}}
		return req.WithRendering(api.Rendering{Stages: []api.Stage{{Name: "app", Objects: objects}}, Spaces: []string{ns + "-two"}})
	}
	if _, err := deploy.Apply(t.Context(), client, request(object(ns, "one")), event.Discard()); err != nil {
		t.Fatal(err)
	}
	req := request(object(ns, "two"), object(ns+"-two", "two"))
	req.Show = func(ctx context.Context, _ []instance.Difference) error {
		live, err := client.Get(ctx, kube.ConfigMaps(), ns, "map")
		if err == nil {
			live["data"] = map[string]any{"text": "theirs"}
			_, err = client.Update(ctx, kube.ConfigMaps(), live)
		}
		return err
	}
	_, err := deploy.Apply(t.Context(), client, req, event.Discard())
	if _, isStale := errors.AsType[*apply.StaleError](err); !isStale {
		t.Errorf("error %v", err)
	}
	live, err := client.Get(t.Context(), kube.ConfigMaps(), ns, "map")
	if data, _ := live["data"].(map[string]any); err != nil || data["text"] != "theirs" {
		t.Errorf("%v, error %v", data, err)
	}
	spaces := kube.Resource{GroupVersionResource: schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}, Kind: "Namespace"}
	two, err := client.Get(t.Context(), spaces, "", ns+"-two")
	if !apierrors.IsNotFound(err) && !two.IsTerminating() {
		t.Errorf("the namespace: %v, error %v", two, err)
	}
}
