// SPDX-License-Identifier: Apache-2.0

package removal

import (
	"context"
	"slices"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/ownership"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/survey"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kinds"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// keepShared keeps those of the definitions to be deleted that another
// instance shares: to know, it has to see the records of the whole cluster. Who
// may not list them deletes no definition.
func (r Remover) keepShared(ctx context.Context, m api.Metadata, items []*survey.Item) error {
	toDelete := slices.DeleteFunc(slices.Clone(items), func(s *survey.Item) bool { return s.Action != event.Deleted || !s.Live.IsCRD() })
	if len(toDelete) == 0 {
		return nil
	}
	records, err := r.Store.List(ctx, "", "")
	bad, err := store.Unreadable(err)
	var ledgers map[string]*store.Ledger
	if err == nil {
		ledgers, err = r.Store.Ledgers(ctx)
	}
	if err != nil && !kube.IsForbidden(err) && records == nil {
		return err
	}
	for _, s := range toDelete {
		reason, unknown := userOf(s, m, records, ledgers), err
		if reason == "" && unknown == nil {
			unknown = r.userUnread(ctx, s, bad)
		}
		if unknown != nil {
			reason = "it is unknown whether another instance shares it: " + unknown.Error()
			r.observe(event.Warning{Text: s.Ref().String() + " is kept: " + reason})
		}
		if reason != "" {
			s.Action, s.Reason = event.Kept, reason
		}
	}
	return nil
}

// keepSharedSince keeps those of the definitions to be deleted that another
// instance has begun to share since the plan: the objects of a stage may take
// long to go, and the version of a definition does not tell its users.
func (r Remover) keepSharedSince(ctx context.Context, items []*survey.Item) error {
	i := slices.IndexFunc(items, func(s *survey.Item) bool { return s.Action == event.Deleted && s.Live.IsCRD() })
	if i < 0 {
		return nil
	}
	return r.keepShared(ctx, ownership.Instance(items[i].Live), items)
}

// userUnread returns why it is unknown whether an instance whose record cannot
// be read shares the definition of an item: it has objects of the kind. One
// broken record must not keep every definition of the cluster.
func (r Remover) userUnread(ctx context.Context, s *survey.Item, bad []*store.UnreadableError) error {
	if len(bad) == 0 {
		return nil
	}
	list, err := r.listKind(ctx, s.Live)
	if err != nil {
		return err
	}
	for _, record := range bad {
		if slices.ContainsFunc(list, func(o api.Object) bool { return ownership.Is(o, record.Instance()) }) {
			return record
		}
	}
	return nil
}

// userOf returns which instance other than m shares the definition of an item,
// or may do so because it has objects of the kind and its ledger does not say;
// empty when there is none.
func userOf(s *survey.Item, m api.Metadata, records []*store.Record, ledgers map[string]*store.Ledger) string {
	var module api.Module
	for _, r := range records {
		if ownership.Key(r.Instance.Metadata) == ownership.Key(m) {
			module = r.Instance.Module
		}
	}
	for _, r := range records {
		name := ownership.Key(r.Instance.Metadata)
		if name == ownership.Key(m) {
			continue
		}
		shares, known := ledgers[name].Shares(r, s.Key())
		switch {
		case shares:
			return "shared with instance " + name
		case !known && ownership.SameModule(r.Instance.Module, module) && hasKind(r, s.Live):
			return "instance " + name + " of the same module may share it"
		}
	}
	return ""
}

// hasKind says whether a record names objects of the kind that crd defines.
func hasKind(r *store.Record, crd api.Object) bool {
	gk, _ := kinds.Defined(crd)
	return slices.ContainsFunc(r.Inventory(), func(entry api.Entry) bool {
		id, err := entry.Parse()
		return err == nil && id.Group == gk.Group && id.Kind == gk.Kind
	})
}
