// SPDX-License-Identifier: Apache-2.0

package krm

import (
	"errors"
	"maps"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// plain returns an object as maps, slices and scalars, without the annotations
// of kustomize's and kpt's, of which whoever wrote it does not know.
func plain(item *yaml.RNode) (map[string]any, error) {
	budget := maxNodes
	if !within(item.YNode(), &budget) {
		return nil, errors.New("it is too large, or an alias in it stands for what contains it")
	}
	var object map[string]any
	if err := item.YNode().Decode(&object); err != nil {
		return nil, err
	}
	metadata, _ := object["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	before := len(annotations)
	maps.DeleteFunc(annotations, func(key string, _ any) bool { return isToolAnnotation(key) })
	if before > 0 && len(annotations) == 0 {
		delete(metadata, "annotations")
	}
	return object, nil
}

// within says whether a value, aliases expanded, is within the budget.
func within(n *yaml.Node, budget *int) bool {
	if *budget--; *budget < 0 {
		return false
	}
	if n.Kind == yaml.AliasNode {
		return within(n.Alias, budget)
	}
	for _, child := range n.Content {
		if !within(child, budget) {
			return false
		}
	}
	return true
}
