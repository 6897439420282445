// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
)

// named returns the instances of the bundle of a name, in the order in which
// they are applied. It refuses to say which is meant when several bundles have
// the name and no namespace tells them apart.
func (t Target) named(ctx context.Context, s store.Store) (membership, error) {
	c := membership{bundle: t.Name}
	found, err := t.count(ctx, s)
	if err != nil {
		return c, err
	}
	if len(found.own) == 0 {
		return c, fail.Hint(fmt.Errorf("bundle %q: %w", t.Name, store.ErrNotFound), "see what is installed with 'kubectl timoni list -A'")
	}
	for _, r := range inPlace(found.own) {
		m := r.Instance.Metadata
		c.members = append(c.members, member{Key: instance.Key{Namespace: m.Namespace, Name: m.Name}, record: r})
	}
	c.before, c.others = sequence(len(c.members)), found.othersText(t.Name)
	return c, nil
}

// count returns the records of the bundle that is meant, and where those of
// others of its name are.
func (t Target) count(ctx context.Context, s store.Store) (census, error) {
	records, err := recordsOf(ctx, s, t.Name, []string{t.Namespace})
	bundles := apart(records)
	if t.Namespace == "" {
		if len(bundles) > 1 && err == nil {
			err = fail.Hint(fail.Refusedf("there are %d bundles with the name %q: in the namespaces %s", len(bundles), t.Name, textOf(bundles)),
				"say which one is meant with its files, -f FILE, or with one of its namespaces, -n NAMESPACE")
		}
		return census{own: records}, err
	}
	home := []string{t.Namespace}
	if i := slices.IndexFunc(bundles, func(spaces []string) bool { return slices.Contains(spaces, t.Namespace) }); i >= 0 {
		home = bundles[i]
	}
	return newCensus(records, home), unreadableIn(home, err)
}

// apart returns the namespaces of each bundle among records of bundles of one
// name. Two records are of one bundle when they were applied with files that have
// a namespace in common.
func apart(records []*store.Record) [][]string {
	var bundles [][]string
	for _, r := range records {
		own := r.Namespaces()
		var others [][]string
		for _, spaces := range bundles {
			if slices.ContainsFunc(spaces, func(ns string) bool { return slices.Contains(own, ns) }) {
				own = append(own, spaces...)
			} else {
				others = append(others, spaces)
			}
		}
		slices.Sort(own)
		others = append(others, slices.Compact(own))
		bundles = others
	}
	return bundles
}

// textOf returns the namespaces of bundles as a text.
func textOf(bundles [][]string) string {
	texts := make([]string, len(bundles))
	for i, spaces := range bundles {
		texts[i] = strings.Join(spaces, ", ")
	}
	slices.Sort(texts)
	return strings.Join(texts, "; ")
}
