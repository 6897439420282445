// SPDX-License-Identifier: Apache-2.0

package render

import (
	"slices"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// groupKind names a kind in all its versions.
type groupKind struct{ group, kind string }

// defaultNamespaces gives the objects that name none the instance's namespace,
// and takes it from those that are known to have none.
//
// A renderer knows the scope of the kinds that are built into Kubernetes and of
// those whose CRD is part of the module. For any other kind it assumes a
// namespace: an API server drops one that a cluster-scoped object does not
// need, while an object without the one it needs would end in the namespace of
// whoever pipes the output to kubectl. The applier asks the server for the
// scope and corrects it.
func (r *reader) defaultNamespaces() {
	scopes := map[groupKind]bool{} // true: cluster
	for _, f := range r.found {
		if gk, cluster, ok := definedScope(f.object); ok {
			scopes[gk] = cluster
		}
	}
	for _, f := range r.found {
		gk := groupKind{f.object.Group(), f.object.Kind()}
		cluster, known := scopes[gk]
		if !known {
			cluster = isClusterScoped(gk)
		}
		switch metadata, ok := f.object["metadata"].(map[string]any); {
		case !ok: // validate complains
		case cluster:
			delete(metadata, "namespace")
		case metadata["namespace"] == nil || metadata["namespace"] == "":
			metadata["namespace"] = r.namespace
		}
	}
}

// definedScope returns what a CustomResourceDefinition defines.
func definedScope(o api.Object) (gk groupKind, cluster, ok bool) {
	if o.Kind() != "CustomResourceDefinition" || o.Group() != "apiextensions.k8s.io" {
		return groupKind{}, false, false
	}
	spec, _ := o["spec"].(map[string]any)
	names, _ := spec["names"].(map[string]any)
	group, _ := spec["group"].(string)
	kind, _ := names["kind"].(string)
	return groupKind{group, kind}, spec["scope"] == "Cluster", true
}

// isClusterScoped says whether a kind is one of Kubernetes' own that have no
// namespace.
func isClusterScoped(gk groupKind) bool {
	switch gk.group {
	case "":
		return oneOf(gk.kind, "Namespace", "Node", "PersistentVolume", "ComponentStatus")
	case "rbac.authorization.k8s.io":
		return oneOf(gk.kind, "ClusterRole", "ClusterRoleBinding")
	case "storage.k8s.io":
		return gk.kind != "CSIStorageCapacity"
	case "networking.k8s.io":
		return oneOf(gk.kind, "IngressClass", "IPAddress", "ServiceCIDR")
	case "certificates.k8s.io":
		return oneOf(gk.kind, "CertificateSigningRequest", "ClusterTrustBundle")
	case "resource.k8s.io":
		return oneOf(gk.kind, "DeviceClass", "ResourceSlice", "DeviceTaintRule", "ResourcePoolStatusRequest")
	case "scheduling.k8s.io":
		return gk.kind == "PriorityClass"
	case "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io",
		"flowcontrol.apiserver.k8s.io", "internal.apiserver.k8s.io", "node.k8s.io", "storagemigration.k8s.io":
		return true
	}
	return false
}

func oneOf(kind string, kinds ...string) bool { return slices.Contains(kinds, kind) }
