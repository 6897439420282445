// SPDX-License-Identifier: Apache-2.0

package krm

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// ReadItems returns what a stream of YAML or JSON holds, which need not be
// objects, and in place of lists what these hold. All of the stream is read, also
// what kyaml leaves out without a word: what follows "..." or a value in JSON.
func ReadItems(stream []byte) ([]*yaml.RNode, error) {
	var items []*yaml.RNode
	for _, text := range valuesOf(stream) {
		for decoder := yaml.NewDecoder(bytes.NewReader(text)); ; {
			node := &yaml.Node{}
			err := decoder.Decode(node)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, hidden(err)
			}
			if item := yaml.NewRNode(node); !yaml.IsYNodeEmptyDoc(node) && !item.IsNil() {
				items = append(items, members(item)...)
			}
		}
	}
	return items, checkItems(items)
}

// valuesOf returns the values of a stream in JSON, which need nothing between
// them, or the stream.
func valuesOf(stream []byte) (all [][]byte) {
	decoder := json.NewDecoder(bytes.NewReader(stream))
	for {
		var value json.RawMessage
		err := decoder.Decode(&value)
		if errors.Is(err, io.EOF) && len(all) > 0 {
			return all
		}
		if err != nil {
			return [][]byte{stream}
		}
		all = append(all, value)
	}
}

// members returns the objects of a list, also of lists in it, and for what is no
// list the item itself.
func members(item *yaml.RNode) (all []*yaml.RNode) {
	if item.YNode().Kind != yaml.MappingNode || !strings.HasSuffix(item.GetKind(), "List") {
		return []*yaml.RNode{item}
	}
	items := item.Field("items")
	if items.IsNilOrEmpty() || items.Value.YNode().Kind != yaml.SequenceNode {
		return []*yaml.RNode{item}
	}
	for _, n := range items.Value.YNode().Content {
		if n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		all = append(all, members(yaml.NewRNode(n))...)
	}
	return all
}
