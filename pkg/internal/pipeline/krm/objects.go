// SPDX-License-Identifier: Apache-2.0

package krm

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/vet"
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
			item := yaml.NewRNode(node)
			if yaml.IsYNodeEmptyDoc(node) || item.IsNil() {
				continue
			}
			found, err := vet.Members(item)
			if err != nil {
				return nil, err
			}
			items = append(items, found...)
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
