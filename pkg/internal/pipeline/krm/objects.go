// SPDX-License-Identifier: Apache-2.0

package krm

import "sigs.k8s.io/kustomize/kyaml/yaml"

// ReadItems returns what a stream of YAML or JSON holds, which need not be objects.
func ReadItems(stream []byte) ([]*yaml.RNode, error) {
	items, err := newReader(stream).Read()
	if err != nil {
		return nil, hidden(err)
	}
	return items, checkItems(items)
}
