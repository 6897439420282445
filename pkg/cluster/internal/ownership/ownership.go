// SPDX-License-Identifier: Apache-2.0

// Package ownership says who manages an object, by the mark that each tool leaves on
// what it applies.
package ownership

import (
	"fmt"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// Is says whether an object carries the labels of an instance.
func Is(live api.Object, m api.Metadata) bool {
	return live.Label(api.LabelInstanceName) == m.Name && live.Label(api.LabelInstanceNamespace) == m.Namespace
}

// Of names who manages an object, by the mark that each tool leaves on
// what it applies; empty when there is none. It is one line, whatever the mark
// holds: it becomes part of errors and warnings.
func Of(o api.Object) string { return mask.Line(manager(o)) }

func manager(o api.Object) string {
	if name := o.Label(api.LabelInstanceName); name != "" {
		return fmt.Sprintf("instance %s/%s", o.Label(api.LabelInstanceNamespace), name)
	}
	if name := o.Annotation("meta.helm.sh/release-name"); name != "" {
		return fmt.Sprintf("Helm release %s/%s", o.Annotation("meta.helm.sh/release-namespace"), name)
	}
	if o.Label("app.kubernetes.io/managed-by") == "Helm" {
		return "Helm"
	}
	if name := o.Label("kustomize.toolkit.fluxcd.io/name"); name != "" {
		return fmt.Sprintf("Flux Kustomization %s/%s", o.Label("kustomize.toolkit.fluxcd.io/namespace"), name)
	}
	if name := o.Label("helm.toolkit.fluxcd.io/name"); name != "" {
		return fmt.Sprintf("Flux HelmRelease %s/%s", o.Label("helm.toolkit.fluxcd.io/namespace"), name)
	}
	if id := o.Annotation("argocd.argoproj.io/tracking-id"); id != "" {
		return "Argo CD application " + id
	}
	if name := o.Label("argocd.argoproj.io/instance"); name != "" {
		return "Argo CD application " + name
	}
	if id := o.Label("applyset.kubernetes.io/part-of"); id != "" {
		return "ApplySet " + id
	}
	return Controller(o)
}

// Controller names the controller among the owner references of an object, as
// KIND/NAME; empty when there is none.
func Controller(o api.Object) string {
	metadata, _ := o["metadata"].(map[string]any)
	references, _ := metadata["ownerReferences"].([]any)
	for _, r := range references {
		reference, _ := r.(map[string]any)
		if reference["controller"] == true {
			return fmt.Sprintf("%v/%v", reference["kind"], reference["name"])
		}
	}
	return ""
}

// IsNamespaceOf says whether the object is the instance's namespace, created
// by an earlier run because it was missing.
func IsNamespaceOf(live api.Object, m api.Metadata) bool {
	return live.IsNamespace() && live.Name() == m.Namespace && live.Label(api.LabelCreatedBy) == api.CreatedBy
}

// Instance returns the instance that owns an object by its labels, with an
// empty name when it is none.
func Instance(o api.Object) api.Metadata {
	return api.Metadata{Name: o.Label(api.LabelInstanceName), Namespace: o.Label(api.LabelInstanceNamespace)}
}

// Key returns an instance as NAMESPACE/NAME.
func Key(m api.Metadata) string { return m.Namespace + "/" + m.Name }

// SameModule says whether two instances are of one module, whatever its
// version. A name that is no module path, as that of a kustomization, says
// nothing without the repository.
func SameModule(a, b api.Module) bool {
	return a.Name == b.Name && (strings.Contains(a.Name, ".") || a.Repository == b.Repository)
}
