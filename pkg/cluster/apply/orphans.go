// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"slices"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/survey"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
)

// maxAbandoned bounds how many kinds and namespaces the ledger remembers of runs
// that did not end.
const maxAbandoned = 32

// abandoned returns the kinds and namespaces of revisions that were not applied
// in full and that the present one does not have: a run that was suspended may
// still write there.
func (p *Plan) abandoned() []store.ListKey {
	keys := slices.Clone(p.ledger.Abandoned)
	if p.record != nil && (p.record.Pending != nil || len(p.record.Stages) > 0) {
		keys = append(keys, survey.KeysOf(p.record.Inventory())...)
	}
	present := survey.KeysOf(p.instance.Inventory.Entries)
	var kept []store.ListKey
	for _, key := range keys {
		if !slices.Contains(present, key) && !slices.Contains(kept, key) {
			kept = append(kept, key)
		}
	}
	return kept[max(0, len(kept)-maxAbandoned):]
}
