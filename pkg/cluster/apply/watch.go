// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
)

// watcher returns what follows the engine's objects.
func (e *Engine) watcher() ready.Watcher {
	return ready.Watcher{Client: e.Client, Observer: e.Observer, Along: e.Along}
}

// items returns what there is to watch of steps: not those of a kind that the
// server does not know.
func items(steps []*Step) []*ready.Item {
	var items []*ready.Item
	for _, s := range steps {
		if s.Resolved {
			items = append(items, &ready.Item{Object: s.Object, Resource: s.Resource, Live: s.now()})
		}
	}
	return items
}
