// SPDX-License-Identifier: Apache-2.0

package vet

import (
	"maps"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/document"
)

// plain returns an object as maps, slices and scalars, without the annotations
// of kustomize's and kpt's, of which the author of the object does not know, and
// without null.
func plain(item *yaml.RNode) (map[string]any, error) {
	if err := document.Check(item.YNode()); err != nil {
		return nil, err
	}
	var object map[string]any
	if err := item.YNode().Decode(&object); err != nil {
		return nil, err
	}
	metadata, _ := object["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	before := len(annotations)
	maps.DeleteFunc(annotations, func(key string, _ any) bool { return api.IsToolAnnotation(key) })
	if before > 0 && len(annotations) == 0 {
		delete(metadata, "annotations")
	}
	dropNull(object)
	return object, nil
}

// dropNull removes the fields that are null: for an API server they are not set.
func dropNull(v any) {
	switch v := v.(type) {
	case map[string]any:
		maps.DeleteFunc(v, func(_ string, field any) bool { return field == nil })
		for _, field := range v {
			dropNull(field)
		}
	case []any:
		for _, element := range v {
			dropNull(element)
		}
	}
}
