// SPDX-License-Identifier: Apache-2.0

package survey

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
)

// Lists are the answers to LIST requests that were sent before all is known that
// is to be listed.
type Lists map[kube.ListKey]listed

type listed struct {
	objects []api.Object
	err     error
}

// ListAhead lists the objects of an instance of the kinds and in the namespaces
// of its record. What the server does not know is left to ListOwned.
func (r Reader) ListAhead(ctx context.Context, record *store.Record) Lists {
	if record == nil {
		return nil
	}
	var keys []kube.ListKey
	for _, k := range KeysOf(record.Inventory()) {
		resource, err := r.Client.Mapped(schema.GroupVersionKind{Group: k.Group, Version: k.Version, Kind: k.Kind})
		if err == nil {
			keys = append(keys, resource.ListKey(k.Namespace))
		}
	}
	lists := Lists{}
	var mu sync.Mutex
	_ = kube.Each(r.Concurrency, keys, func(key kube.ListKey) error {
		objects, err := r.list(ctx, record.Instance.Metadata, key)
		mu.Lock()
		defer mu.Unlock()
		lists[key] = listed{objects, err}
		return nil // the reader of the list has the error
	})
	return lists
}

// list returns what a LIST says of the objects of an instance, or has said
// ahead.
func (r Reader) list(ctx context.Context, m api.Metadata, key kube.ListKey) ([]api.Object, error) {
	if ahead, ok := r.Ahead[key]; ok {
		return ahead.objects, ahead.err
	}
	objects, _, err := r.Client.List(ctx, key.Resource, key.Namespace, kube.Selector{Labels: m.Selector()})
	return objects, err
}

// KeysOf returns the kinds and namespaces of the entries of an inventory.
func KeysOf(entries []api.Entry) []store.ListKey {
	seen := map[store.ListKey]bool{}
	var keys []store.ListKey
	for _, entry := range entries {
		id, err := entry.Parse()
		if err != nil {
			continue // Recorded reports it
		}
		key := store.ListKey{Group: id.Group, Version: entry.Version, Kind: id.Kind, Namespace: id.Namespace}
		if !seen[key] {
			seen[key] = true
			keys = append(keys, key)
		}
	}
	return keys
}
