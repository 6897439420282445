// SPDX-License-Identifier: Apache-2.0

package krm

import (
	"slices"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// spaces returns the namespaces of instances as objects, where they are asked for: those that are neither
// made by a module nor among the items already, and that no cluster comes with.
func (o bundleOutput) spaces(l *List, members []member, made map[yaml.ResourceIdentifier]string, by owner) []product {
	if !o.Namespaces {
		return nil
	}
	var all []product
	output, files := o.config(), l.areFiles()
	for _, m := range members {
		if slices.Contains([]string{defaultNamespace, "kube-system", "kube-public", "kube-node-lease"}, m.Namespace) {
			continue
		}
		space := api.Object{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": m.Namespace}}
		id := identityOf(space)
		if _, ok := made[id]; ok || l.hasOther(id, by) {
			continue
		}
		made[id] = m.Name
		all = append(all, output.product(space, by, m.Module.String(), files))
	}
	return all
}

// hasOther says whether an object of another author is among the items.
func (l *List) hasOther(id yaml.ResourceIdentifier, by owner) bool {
	return slices.ContainsFunc(l.Items, func(item *yaml.RNode) bool {
		return identify(item) == id && item.GetAnnotations()[by.annotation] != by.name
	})
}
