// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"fmt"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// isOwnedBy says whether an object carries the labels of an instance.
func isOwnedBy(live api.Object, m api.Metadata) bool {
	return live.Label(api.LabelInstanceName) == m.Name && live.Label(api.LabelInstanceNamespace) == m.Namespace
}

// checkOwner returns why an instance may not write a live object, nil when it
// may: it is its own, or may be adopted (docs/design.md, decision 5).
func checkOwner(live api.Object, m api.Metadata, adopt Adopt) error {
	if isOwnedBy(live, m) || adopt == AdoptAll || isOwnNamespace(live, m) {
		return nil
	}
	owner := ownerOf(live)
	if owner == "" && adopt == AdoptUnmanaged {
		return nil
	}
	if owner == "" {
		return fail.Hint(fail.Refusedf("%s exists and is not managed by an instance", live.Ref()),
			"to take over objects without an owner: --adopt=unmanaged")
	}
	return fail.Hint(fail.Refusedf("%s belongs to %s", live.Ref(), owner),
		"to take over objects of another owner: --adopt=all")
}

// isOwnNamespace says whether the object is the instance's namespace, created
// by an earlier run because it was missing.
func isOwnNamespace(live api.Object, m api.Metadata) bool {
	return isNamespace(live) && live.Name() == m.Namespace && live.Label(api.LabelCreatedBy) == api.CreatedBy
}

// ownerOf names who manages an object, by the mark that each tool leaves on
// what it applies; empty when there is none.
func ownerOf(o api.Object) string {
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
	return controllerOf(o)
}

func controllerOf(o api.Object) string {
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
