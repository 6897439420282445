// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// DropServerFields removes from the objects the fields that only the server
// writes, and returns a warning for each object that had some. An object that
// was saved with 'kubectl get -o yaml' has them. A server refuses some of them
// in a write that it took in a dry run. A null sets nothing and stays.
func DropServerFields(objects []api.Object) (warnings []string) {
	subresources := statusSubresources(objects)
	for _, o := range objects {
		var dropped []string
		metadata, _ := o["metadata"].(map[string]any)
		for _, field := range serverMetadata() {
			if metadata[field] != nil {
				delete(metadata, field)
				dropped = append(dropped, "metadata."+field)
			}
		}
		if o["status"] != nil && (hasStatusSubresource(o) || subresources[typeMeta{o.APIVersion(), o.Kind()}]) {
			delete(o, "status")
			dropped = append(dropped, "status")
		}
		if len(dropped) > 0 {
			warnings = append(warnings, fmt.Sprintf("%s: left out %s: only the server sets it", o.ID(), strings.Join(dropped, ", ")))
		}
	}
	return warnings
}

// serverMetadata returns the fields of metadata that only the server writes.
func serverMetadata() []string {
	return []string{
		"uid", "resourceVersion", "generation", "creationTimestamp",
		"deletionTimestamp", "deletionGracePeriodSeconds", "managedFields", "selfLink",
	}
}

// typeMeta names a kind in one version.
type typeMeta struct{ apiVersion, kind string }

// statusSubresources returns the kinds whose status is a subresource by a CRD
// among the objects.
func statusSubresources(objects []api.Object) map[typeMeta]bool {
	kinds := map[typeMeta]bool{}
	for _, o := range objects {
		gk, _, ok := definedScope(o)
		if !ok {
			continue
		}
		spec, _ := o["spec"].(map[string]any)
		versions, _ := spec["versions"].([]any)
		for _, v := range versions {
			version, _ := v.(map[string]any)
			name, _ := version["name"].(string)
			subresources, _ := version["subresources"].(map[string]any)
			if subresources["status"] != nil {
				kinds[typeMeta{gk.Group + "/" + name, gk.Kind}] = true
			}
		}
	}
	return kinds
}

// hasStatusSubresource says whether a kind of Kubernetes' own has its status
// as a subresource, as the OpenAPI of Kubernetes 1.36 has it. A status that is
// none, such as that of a ComponentStatus, is part of the object.
func hasStatusSubresource(o api.Object) bool {
	switch o.Group() {
	case "":
		return oneOf(o.Kind(), "Namespace", "Node", "PersistentVolume", "PersistentVolumeClaim", "Pod",
			"ReplicationController", "ResourceQuota", "Service")
	case "apps":
		return oneOf(o.Kind(), "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")
	case "batch":
		return oneOf(o.Kind(), "CronJob", "Job")
	case "networking.k8s.io":
		return oneOf(o.Kind(), "Ingress", "ServiceCIDR")
	case "resource.k8s.io":
		return oneOf(o.Kind(), "DeviceTaintRule", "ResourceClaim", "ResourcePoolStatusRequest")
	case "certificates.k8s.io":
		return oneOf(o.Kind(), "CertificateSigningRequest", "PodCertificateRequest")
	case "flowcontrol.apiserver.k8s.io":
		return oneOf(o.Kind(), "FlowSchema", "PriorityLevelConfiguration")
	}
	return oneOf(o.Kind()+"."+o.Group(),
		"APIService.apiregistration.k8s.io",
		"CustomResourceDefinition.apiextensions.k8s.io",
		"HorizontalPodAutoscaler.autoscaling",
		"PodDisruptionBudget.policy",
		"PodGroup.scheduling.k8s.io",
		"StorageVersion.internal.apiserver.k8s.io",
		"StorageVersionMigration.storagemigration.k8s.io",
		"ValidatingAdmissionPolicy.admissionregistration.k8s.io",
		"VolumeAttachment.storage.k8s.io",
	)
}
