// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/survey"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
)

// candidates returns an item for every recorded object that the plan does not
// apply.
func (e *Engine) candidates(record *store.Record, planned []*Step) ([]*survey.Item, error) {
	wanted := map[api.ID]bool{}
	for _, s := range planned {
		wanted[s.Object.ID()] = true
	}
	recorded, err := e.reader().Recorded(record)
	if err != nil {
		return nil, err
	}
	var items []*survey.Item
	for _, s := range recorded {
		if !wanted[s.Object.ID()] {
			items = append(items, s)
		}
	}
	return items, nil
}
