// SPDX-License-Identifier: Apache-2.0

package survey

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
)

// Recorded returns an item for every object in the inventory of a record, with
// its namespace according to its scope. One whose kind the server no longer
// serves, so that it cannot exist, has no resource; nor has one of which that
// is unknown.
func (r Reader) Recorded(record *store.Record) ([]*Item, error) {
	var items []*Item
	seen := map[api.ID]bool{}
	for _, entry := range record.Inventory() {
		s, err := r.recordedItem(entry)
		if err != nil {
			return nil, fmt.Errorf("record of instance %q: %w", record.Instance.Metadata.Name, err)
		}
		if id := s.Object.ID(); !seen[id] {
			seen[id] = true
			items = append(items, s)
		}
	}
	return items, nil
}

func (r Reader) recordedItem(entry api.Entry) (*Item, error) {
	id, err := entry.Parse()
	if err != nil {
		return nil, err
	}
	s := &Item{Recorded: true}
	s.Resource, err = r.locate(id, entry.Version)
	switch {
	case err == nil:
		s.Resolved = true
		if !s.Resource.Namespaced {
			id.Namespace = ""
		}
	case kube.IsUnknownKind(err):
		s.Resource = kube.Resource{GroupVersionResource: schema.GroupVersionResource{Group: id.Group, Version: entry.Version}}
	case kube.IsUnavailable(err):
		s.Resource = kube.Resource{GroupVersionResource: schema.GroupVersionResource{Group: id.Group, Version: entry.Version}}
		s.Unknown = err.Error()
	default:
		return nil, fmt.Errorf("%s: %w", id, err)
	}
	s.Object = skeleton(id, s.Resource.GroupVersion())
	return s, nil
}
