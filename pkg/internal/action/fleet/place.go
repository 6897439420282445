// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"cmp"
	"slices"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/bundle"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
)

// owner returns what the record of an instance says of the bundle.
func (b *Bundle) owner(in bundle.Instance) store.Bundle {
	at := slices.IndexFunc(b.Instances, func(other bundle.Instance) bool { return other.Name == in.Name })
	return store.Bundle{
		Name: b.Name, Namespaces: b.namespaces(),
		Place: store.Place{Position: at + 1, DependsOn: in.DependsOn()},
	}
}

// inPlace returns records in the order in which their instances are applied: by
// their positions, except that an instance comes after those that it depends on.
// Where one has no position, because another tool wrote its record, the order is
// that in which the records were created.
func inPlace(records []*store.Record) []*store.Record {
	isUnknown := func(r *store.Record) bool { return r.Place().Position == 0 }
	byCreation := slices.ContainsFunc(records, isUnknown)
	records = slices.Clone(records)
	slices.SortStableFunc(records, func(a, b *store.Record) int {
		byPosition := cmp.Compare(a.Place().Position, b.Place().Position)
		if !byCreation {
			return byPosition
		}
		return cmp.Or(cmp.Compare(a.Created(), b.Created()), byPosition)
	})
	var sorted []*store.Record
	seen := map[*store.Record]bool{}
	var visit func(r *store.Record)
	visit = func(r *store.Record) {
		if seen[r] {
			return // also in a cycle, which records of different runs may make
		}
		seen[r] = true
		for _, other := range records {
			if slices.Contains(r.Place().DependsOn, other.Instance.Metadata.Name) {
				visit(other)
			}
		}
		sorted = append(sorted, r)
	}
	for _, r := range records {
		visit(r)
	}
	return sorted
}
