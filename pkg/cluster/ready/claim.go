// SPDX-License-Identifier: Apache-2.0

package ready

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
)

// Assess is Criteria.Assess that asks the server for what the object alone does
// not say.
func (w Watcher) Assess(ctx context.Context, c Criteria, live api.Object, now time.Time) (State, error) {
	c.awaitsConsumer = func(claim api.Object) bool { return w.awaitsConsumer(ctx, claim) }
	return c.Assess(live, now)
}

// selectedNode is the annotation by which the scheduler says where the pod that
// uses a claim will run: from then on the claim is bound.
const selectedNode = "volume.kubernetes.io/selected-node"

// awaitsConsumer says whether a claim is bound only once a pod uses it, and
// none does. A user without rights on StorageClasses learns it from the event
// that the controller of claims reports.
func (w Watcher) awaitsConsumer(ctx context.Context, claim api.Object) bool {
	phase, _, _ := unstructured.NestedString(claim, "status", "phase")
	if !claim.IsClaim() || phase != "Pending" || claim.Annotation(selectedNode) != "" {
		return false
	}
	name, _, _ := unstructured.NestedString(claim, "spec", "storageClassName")
	volume, _, _ := unstructured.NestedString(claim, "spec", "volumeName")
	if name == "" || volume != "" {
		return false
	}
	class, err := w.Client.Get(ctx, storageClasses(), "", name)
	if apierrors.IsForbidden(err) {
		event := asked{w.Client}.event(ctx, claim)
		return event != nil && text(event, "reason") == "WaitForFirstConsumer"
	}
	return err == nil && class["volumeBindingMode"] == "WaitForFirstConsumer"
}

func storageClasses() kube.Resource {
	return kube.Resource{
		GroupVersionResource: schema.GroupVersionResource{Group: "storage.k8s.io", Version: "v1", Resource: "storageclasses"},
		Kind:                 "StorageClass",
	}
}
