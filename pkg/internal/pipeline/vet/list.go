// SPDX-License-Identifier: Apache-2.0

package vet

import (
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/document"
)

// Members returns the objects of a list, also of lists in it, and for what is no
// list the item itself.
func Members(item *yaml.RNode) ([]*yaml.RNode, error) {
	if len(elements(item.YNode())) == 0 {
		return []*yaml.RNode{item}, nil
	}
	if err := document.Check(item.YNode()); err != nil { // before aliases are followed
		return nil, err
	}
	return appendMembers(nil, item.YNode()), nil
}

func appendMembers(all []*yaml.RNode, n *yaml.Node) []*yaml.RNode {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	list := elements(n)
	if len(list) == 0 {
		return append(all, yaml.NewRNode(n))
	}
	for _, element := range list {
		all = appendMembers(all, element)
	}
	return all
}

// elements returns what a list of objects holds, nil for what is none.
func elements(n *yaml.Node) []*yaml.Node {
	item := yaml.NewRNode(n)
	if item.YNode().Kind != yaml.MappingNode || !strings.HasSuffix(item.GetKind(), "List") {
		return nil
	}
	items := item.Field("items")
	if items.IsNilOrEmpty() {
		return nil
	}
	list := items.Value.YNode()
	if list.Kind == yaml.AliasNode {
		list = list.Alias
	}
	if list.Kind != yaml.SequenceNode {
		return nil
	}
	return list.Content
}
