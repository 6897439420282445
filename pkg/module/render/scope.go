// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/wellknown"
)

// Scope says whether the objects of a kind have a namespace.
type Scope struct {
	Group, Kind string
	Namespaced  bool
}

// defaultNamespaces gives the objects of namespaced kinds that name none the
// instance's namespace, and takes it from those of cluster-scoped kinds. An
// object of unknown scope stays as the module has it: a namespace that is wrong
// is refused by some appliers. Those without one are in unscoped.
func (r *reader) defaultNamespaces() {
	scopes := map[api.GroupKind]bool{} // true: cluster
	for _, s := range r.scopes {
		scopes[api.GroupKind{Group: s.Group, Kind: s.Kind}] = !s.Namespaced
	}
	for _, f := range r.found {
		if gk, cluster, ok := definedScope(f.object); ok {
			scopes[gk] = cluster
		}
	}
	for _, f := range r.found {
		gk := f.object.GroupKind()
		cluster, known := scopes[gk]
		if !known {
			cluster, known = r.scopeOf(gk, f.object.Version())
		}
		metadata, ok := f.object["metadata"].(map[string]any)
		hasNone := metadata["namespace"] == nil || metadata["namespace"] == ""
		switch {
		case !ok: // validate complains
		case known && cluster:
			delete(metadata, "namespace")
		case known && hasNone:
			metadata["namespace"] = r.namespace
		case hasNone:
			delete(metadata, "namespace")
			r.unscoped = append(r.unscoped, f.object)
		}
	}
}

// scopeOf returns the scope of a kind whose CRD is not among the objects.
func (r *reader) scopeOf(gk api.GroupKind, version string) (cluster, known bool) {
	if api.IsBuiltIn(gk.Group) {
		return isClusterScoped(gk), true
	}
	if r.vendored != nil {
		if cluster, known = r.vendored(gk, version); known {
			return cluster, true
		}
	}
	cluster = wellknown.IsClusterScoped(gk.Group, gk.Kind)
	return cluster, cluster
}

// vendoredScopeRE matches how the schema of a kind, as 'mod vendor crd'
// writes it, asks for a namespace: a namespaced kind needs one.
var vendoredScopeRE = regexp.MustCompile(`(?m)^\s*metadata!?: \{[^}]*?\bnamespace([!?]):`)

// vendoredScope returns the scope of a kind whose definition the module has
// below cue.mod/gen.
func (f *files) vendoredScope(gk api.GroupKind, version string) (cluster, known bool) {
	name := filepath.Join("cue.mod", "gen", gk.Group, strings.ToLower(gk.Kind), version, "types_gen.cue")
	if !filepath.IsLocal(filepath.Join(gk.Group, gk.Kind, version)) || !isAPIVersion(gk.Group+"/"+version) {
		return false, false
	}
	name = filepath.Join(f.root, name)
	if f.check(name) != nil {
		return false, false
	}
	m := vendoredScopeRE.FindSubmatch(read(name))
	if len(m) < 2 {
		return false, false
	}
	return string(m[1]) == "?", true
}

// scopeWarnings returns a warning for each object whose scope is unknown.
func scopeWarnings(objects []api.Object) []string {
	var warnings []string
	for _, o := range objects {
		warnings = append(warnings, fmt.Sprintf("%s: the scope of its kind is unknown, it is left without a namespace", o.ID()))
	}
	return warnings
}

func idsOf(objects []api.Object) []api.ID {
	ids := make([]api.ID, len(objects))
	for i, o := range objects {
		ids[i] = o.ID()
	}
	return ids
}

// definedScope returns what a CustomResourceDefinition defines.
func definedScope(o api.Object) (gk api.GroupKind, cluster, ok bool) {
	if !o.IsCRD() {
		return api.GroupKind{}, false, false
	}
	spec, _ := o["spec"].(map[string]any)
	names, _ := spec["names"].(map[string]any)
	group, _ := spec["group"].(string)
	kind, _ := names["kind"].(string)
	return api.GroupKind{Group: group, Kind: kind}, spec["scope"] == "Cluster", true
}

// isClusterScoped says whether a kind is one of Kubernetes' own that have no
// namespace.
func isClusterScoped(gk api.GroupKind) bool {
	switch gk.Group {
	case "":
		return oneOf(gk.Kind, "Namespace", "Node", "PersistentVolume", "ComponentStatus")
	case "rbac.authorization.k8s.io":
		return oneOf(gk.Kind, "ClusterRole", "ClusterRoleBinding")
	case "storage.k8s.io":
		return gk.Kind != "CSIStorageCapacity"
	case "networking.k8s.io":
		return oneOf(gk.Kind, "IngressClass", "IPAddress", "ServiceCIDR")
	case "authorization.k8s.io":
		return gk.Kind != "LocalSubjectAccessReview"
	case "certificates.k8s.io":
		return oneOf(gk.Kind, "CertificateSigningRequest", "ClusterTrustBundle")
	case "resource.k8s.io":
		return oneOf(gk.Kind, "DeviceClass", "ResourceSlice", "DeviceTaintRule", "ResourcePoolStatusRequest")
	case "scheduling.k8s.io":
		return gk.Kind == "PriorityClass"
	case "admissionregistration.k8s.io", "authentication.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io",
		"flowcontrol.apiserver.k8s.io", "internal.apiserver.k8s.io", "node.k8s.io", "storagemigration.k8s.io":
		return true
	}
	return false
}

func oneOf(kind string, kinds ...string) bool { return slices.Contains(kinds, kind) }
