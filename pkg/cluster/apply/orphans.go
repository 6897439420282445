// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/fieldset"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/ownership"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// orphanReason says of an orphan what it is.
const orphanReason = "an interrupted run left it, no inventory names it"

// orphans returns a step for each live object that the instance has applied
// and no inventory names: a run that was suspended wrote it after another had
// taken over. Labels alone prove nothing, since controllers copy them to what
// they create: it must have fields that we applied, and no controller. What may
// hold the data of others is never an orphan, nor what is annotated to stay.
func (e *Engine) orphans(live *owned, known []*Step, ledger *store.Ledger) []*Step {
	manager := managerOf(e.Client, ledger)
	ids, uids := map[api.ID]bool{}, map[string]bool{}
	for _, s := range known {
		ids[s.Object.ID()] = true
		if o := live.get(s); o != nil {
			uids[kube.UID(o)] = true // the same object under another API group
		}
	}
	var steps []*Step
	for id, o := range live.objects {
		if ids[id] || uids[kube.UID(o)] || !isAppliedBy(o, manager) || ownership.Controller(o) != "" ||
			o.IsProtected() || isDisabled(o, api.AnnotationPrune) {
			continue
		}
		uids[kube.UID(o)] = true
		r := live.resources[id]
		steps = append(steps, &Step{
			Object: skeleton(id, r.GroupVersion()), Resource: r, Action: event.Deleted, Reason: orphanReason,
			decision: decision{resolved: true, live: o},
		})
	}
	slices.SortFunc(steps, func(a, b *Step) int { return strings.Compare(a.key(), b.key()) })
	return steps
}

// isAppliedBy says whether a manager has applied fields of an object, under its
// name or an earlier one.
func isAppliedBy(o api.Object, m fieldset.Manager) bool {
	return slices.ContainsFunc(append([]string{m.Name}, m.Former...), func(name string) bool {
		return fieldset.Manager{Name: name}.Applied(o) != nil
	})
}

// maxAbandoned bounds how many kinds and namespaces the ledger remembers of runs
// that did not end.
const maxAbandoned = 32

// abandoned returns the kinds and namespaces of revisions that were not applied
// in full and that the present one does not have: a run that was suspended may
// still write there.
func (p *Plan) abandoned() []store.ListKey {
	keys := slices.Clone(p.ledger.Abandoned)
	if p.record != nil && (p.record.Pending != nil || len(p.record.Stages) > 0) {
		keys = append(keys, recordedKeys(p.record.Inventory())...)
	}
	present := recordedKeys(p.instance.Inventory.Entries)
	var kept []store.ListKey
	for _, key := range keys {
		if !slices.Contains(present, key) && !slices.Contains(kept, key) {
			kept = append(kept, key)
		}
	}
	return kept[max(0, len(kept)-maxAbandoned):]
}

func recordedKeys(entries []api.Entry) []store.ListKey {
	var keys []store.ListKey
	for _, entry := range entries {
		id, err := entry.Parse()
		if err != nil {
			continue // recorded reports it
		}
		key := store.ListKey{Group: id.Group, Version: entry.Version, Kind: id.Kind, Namespace: id.Namespace}
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// addAbandoned adds to the spaces to list those that the ledger remembers. A
// kind that is gone, or cannot be read, shows no orphans.
func (e *Engine) addAbandoned(keys map[kube.ListKey][]*Step, abandoned []store.ListKey) {
	for _, a := range abandoned {
		r, err := e.locate(api.ID{Group: a.Group, Kind: a.Kind}, a.Version)
		if err != nil {
			continue
		}
		key := kube.ListKey{Resource: r, Namespace: a.Namespace}
		if !r.Namespaced {
			key.Namespace = ""
		}
		if _, listed := keys[key]; !listed {
			keys[key] = nil
		}
	}
}
