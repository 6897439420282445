// SPDX-License-Identifier: Apache-2.0

package survey

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

// OrphanReason says of an orphan what it is.
const OrphanReason = "an interrupted run left it, no inventory names it"

// Orphans returns an item for each live object that the instance has applied
// and no inventory names: a run that was suspended wrote it after another had
// taken over. Labels alone prove nothing, since controllers copy them to what
// they create: it must have fields that we applied, and no controller. What may
// hold the data of others is never an orphan, nor what is annotated to stay.
func (r Reader) Orphans(live *Owned, known []*Item, ledger *store.Ledger) []*Item {
	manager := ManagerOf(r.Client, ledger)
	ids, uids := map[api.ID]bool{}, map[string]bool{}
	for _, s := range known {
		ids[s.Object.ID()] = true
		if o := live.Get(s); o != nil {
			uids[kube.UID(o)] = true // the same object under another API group
		}
	}
	var items []*Item
	for id, o := range live.objects {
		if ids[id] || uids[kube.UID(o)] || !isAppliedBy(o, manager) || ownership.Controller(o) != "" ||
			o.IsProtected() || o.IsDisabled(api.AnnotationPrune) {
			continue
		}
		uids[kube.UID(o)] = true
		resource := live.resources[id]
		items = append(items, &Item{
			Object: skeleton(id, resource.GroupVersion()), Resource: resource, Action: event.Deleted, Reason: OrphanReason,
			Resolved: true, Live: o,
		})
	}
	slices.SortFunc(items, func(a, b *Item) int { return strings.Compare(a.Key(), b.Key()) })
	return items
}

// isAppliedBy says whether a manager has applied fields of an object, under its
// name or an earlier one.
func isAppliedBy(o api.Object, m fieldset.Manager) bool {
	return slices.ContainsFunc(append([]string{m.Name}, m.Former...), func(name string) bool {
		return fieldset.Manager{Name: name}.Applied(o) != nil
	})
}

// ManagerOf returns the manager of a run by this client: the ledger has the name
// of the last one, and objects from before that, or of the reference tool, have
// the common name.
func ManagerOf(client *kube.Client, ledger *store.Ledger) fieldset.Manager {
	m := fieldset.Manager{Name: client.FieldManager()}
	for _, name := range []string{ledger.FieldManager, api.FieldManager} {
		if name != "" && name != m.Name {
			m.Former = append(m.Former, name)
		}
	}
	return m
}
