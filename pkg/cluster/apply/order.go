// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kinds"
)

// deleteOrder returns the steps in the order in which their objects go: see
// deleteRank. What was applied last goes first, and what no stage is known of
// came last: a run that died may have written it. What holds others goes after
// all of them.
func deleteOrder(steps []*Step, stages map[string]int) [][]*Step {
	last := 1
	for _, stage := range stages {
		last = max(last, stage+1)
	}
	stageOf := func(s *Step) int {
		if stage, known := stages[s.key()]; known {
			return stage
		}
		return last
	}
	waves := map[int][]*Step{}
	for _, s := range steps {
		rank := deleteRank(s, stageOf(s))
		for _, other := range steps {
			if takesAlong(s, other) {
				rank = min(rank, 3*stageOf(other))
			}
		}
		waves[rank] = append(waves[rank], s)
	}
	var order [][]*Step
	for _, rank := range slices.Backward(slices.Sorted(maps.Keys(waves))) {
		order = append(order, waves[rank])
	}
	return order
}

// deleteRank returns where an object comes when an instance is deleted: the
// highest rank goes first. These are the stages backwards, and in each the
// custom resources before what their controllers may be made of, and what holds
// others, namespaces and CustomResourceDefinitions, last.
func deleteRank(s *Step, stage int) int {
	switch {
	case !api.IsBuiltIn(s.Object.Group()):
		return 3*stage + 2
	case !kinds.IsCRD(s.Object) && !kinds.IsNamespace(s.Object):
		return 3*stage + 1
	}
	return 3 * stage
}

// takesAlong says whether deleting the object of a step deletes another one too.
func takesAlong(holder, s *Step) bool {
	switch {
	case holder.live == nil:
		return false
	case kinds.IsNamespace(holder.live):
		return s.Object.Namespace() == holder.live.Name()
	case kinds.IsCRD(holder.live):
		gk, _ := kinds.Defined(holder.live)
		return gk == schema.GroupKind{Group: s.Object.Group(), Kind: s.Object.Kind()}
	}
	return false
}
