// SPDX-License-Identifier: Apache-2.0

package removal

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/survey"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kinds"
)

// deleteOrder returns the items in the order in which their objects go: see
// deleteRank. What was applied last goes first, and what no stage is known of
// came last: a run that died may have written it. What holds others goes after
// all of them.
func deleteOrder(items []*survey.Item, stages map[string]int) [][]*survey.Item {
	last := 1
	for _, stage := range stages {
		last = max(last, stage+1)
	}
	stageOf := func(s *survey.Item) int {
		if stage, known := stages[s.Key()]; known {
			return stage
		}
		return last
	}
	waves := map[int][]*survey.Item{}
	for _, s := range items {
		rank := deleteRank(s, stageOf(s))
		for _, other := range items {
			if takesAlong(s, other) {
				rank = min(rank, 3*stageOf(other))
			}
		}
		waves[rank] = append(waves[rank], s)
	}
	var order [][]*survey.Item
	for _, rank := range slices.Backward(slices.Sorted(maps.Keys(waves))) {
		order = append(order, waves[rank])
	}
	return order
}

// deleteRank returns where an object comes when an instance is deleted: the
// highest rank goes first. These are the stages backwards, and in each the
// custom resources before what their controllers may be made of, and what holds
// others, namespaces and CustomResourceDefinitions, last.
func deleteRank(s *survey.Item, stage int) int {
	switch {
	case !api.IsBuiltIn(s.Object.Group()):
		return 3*stage + 2
	case !s.Object.IsCRD() && !s.Object.IsNamespace():
		return 3*stage + 1
	}
	return 3 * stage
}

// takesAlong says whether deleting the object of a step deletes another one too.
func takesAlong(holder, s *survey.Item) bool {
	switch {
	case holder.Live == nil:
		return false
	case holder.Live.IsNamespace():
		return s.Object.Namespace() == holder.Live.Name()
	case holder.Live.IsCRD():
		gk, _ := kinds.Defined(holder.Live)
		return gk == schema.GroupKind{Group: s.Object.Group(), Kind: s.Object.Kind()}
	}
	return false
}
