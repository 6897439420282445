// SPDX-License-Identifier: Apache-2.0

package krm

import "github.com/kubectl-timoni/kubectl-timoni/pkg/api"

// Lists returns two lists of the objects: one that makes text of them, and one
// that makes items of them first.
func Lists(objects []api.Object) (text, nodes *List, err error) {
	var products []product
	nodes = &List{APIVersion: "config.kubernetes.io/v1"}
	for _, o := range objects {
		p := product{Object: o}
		item, failed := p.item()
		if failed != nil {
			return nil, nil, failed
		}
		products, nodes.Items = append(products, p), append(nodes.Items, item)
	}
	text = &List{APIVersion: nodes.APIVersion}
	text.make(products)
	return text, nodes, nil
}
