// SPDX-License-Identifier: Apache-2.0

// Package fieldset knows who wrote which fields of an object, from
// metadata.managedFields: the fields that an instance has applied and their
// values, those of tools that it overrides, and those of others, which stay.
//
// It asks no server: package apply decides what follows.
package fieldset

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// entry is one entry of metadata.managedFields.
type entry map[string]any

// entries returns those of an object.
func entries(o api.Object) []entry {
	metadata, _ := o["metadata"].(map[string]any)
	list, _ := metadata["managedFields"].([]any)
	return asEntries(list)
}

func asEntries(list []any) []entry {
	all := make([]entry, 0, len(list))
	for _, item := range list {
		if e, ok := item.(map[string]any); ok {
			all = append(all, e)
		}
	}
	return all
}

func (e entry) text(key string) string {
	s, _ := e[key].(string)
	return s
}

func (e entry) manager() string     { return e.text("manager") }
func (e entry) subresource() string { return e.text("subresource") }
func (e entry) isApply() bool       { return e.text("operation") == "Apply" }

// fields returns the fields that the manager of the entry has written.
func (e entry) fields() (*fieldpath.Set, error) {
	text, err := json.Marshal(e["fieldsV1"])
	if err != nil {
		return nil, err
	}
	set := fieldpath.NewSet()
	if err := set.FromJSON(bytes.NewReader(text)); err != nil {
		return nil, fmt.Errorf("read the fields of manager %q: %w", e.manager(), err)
	}
	return set, nil
}

// fieldsV1 returns a set in the form of managedFields.
func fieldsV1(set *fieldpath.Set) (map[string]any, error) {
	text, err := set.ToJSON()
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	err = json.Unmarshal(text, &fields)
	return fields, err
}

// top yields the first elements of the paths in a set, each with the set of
// what is named below it: an empty one below a leaf.
func top(set *fieldpath.Set) iter.Seq2[fieldpath.PathElement, *fieldpath.Set] {
	return func(yield func(fieldpath.PathElement, *fieldpath.Set) bool) {
		for pe := range set.Children.All() {
			below, _ := set.Children.Get(pe)
			if !yield(pe, below) {
				return
			}
		}
		for pe := range set.Members.All() {
			if _, twice := set.Children.Get(pe); !twice && !yield(pe, fieldpath.NewSet()) {
				return
			}
		}
	}
}

func field(name string) fieldpath.PathElement { return fieldpath.FieldNameElement(name) }

// under returns a set with what it holds moved below an element of a path.
func under(pe fieldpath.PathElement, set *fieldpath.Set) *fieldpath.Set {
	moved := &fieldpath.Set{}
	*moved.Children.Descend(pe) = *set
	return moved
}
