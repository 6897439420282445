// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// Successor returns the group and version in which the server serves a kind
// that it does not serve in the one of gvk: another version of the same group,
// or a group of Kubernetes that an API has moved to. ok is false when there is
// none, or the server does not say.
func (c *Client) Successor(gvk schema.GroupVersionKind) (gv schema.GroupVersion, ok bool) {
	lists, _ := c.kinds.ServerPreferredResources() // what of it is known is enough for a hint
	for _, list := range lists {
		served, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			continue
		}
		if served.Group != gvk.Group && (!api.IsBuiltIn(gvk.Group) || !api.IsBuiltIn(served.Group) || gvk.Group == "") {
			continue // the same word for another thing
		}
		for _, r := range list.APIResources {
			if r.Kind == gvk.Kind && slices.Contains(r.Verbs, "patch") {
				return served, true
			}
		}
	}
	return schema.GroupVersion{}, false
}
