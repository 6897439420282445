// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"errors"
	"fmt"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
)

// Each calls do for each of the clusters, in their order, limit of a group at
// once. A group is begun when the one before is done, and nothing more is begun
// after an error, which names the clusters that were not reached.
func Each(sites []Site, limit int, do func(i int, site Site) error) error {
	limit = max(limit, 1)
	var errs []error
	for begin := 0; begin < len(sites); {
		end := begin + 1
		for end < len(sites) && sites[end].Group == sites[begin].Group {
			end++
		}
		reached, err := eachOf(sites[begin:end], limit, func(i int) error { return do(begin+i, sites[begin+i]) })
		if err != nil {
			return errors.Join(append(errs, err, notReached(sites[begin:end], reached, sites[end:]))...)
		}
		begin = end
	}
	return nil
}

// eachOf calls do for the clusters of a group. reached says for which.
func eachOf(group []Site, limit int, do func(i int) error) (reached []bool, err error) {
	reached = make([]bool, len(group))
	for i := range group {
		group[i].Alone = limit == 1 || len(group) == 1
	}
	err = inOrder(make([][]int, len(group)), limit, func(i int) error {
		reached[i] = true
		return do(i)
	})
	return reached, err
}

// notReached names the clusters that a run did not get to.
func notReached(group []Site, reached []bool, rest []Site) error {
	var names []string
	for i, site := range group {
		if !reached[i] {
			names = append(names, site.Name)
		}
	}
	for _, site := range rest {
		names = append(names, site.Name)
	}
	return unreached("not reached: cluster", names)
}

// unreached returns an error that names what a run did not get to, nil when that
// is nothing.
func unreached(what string, names []string) error {
	if names == nil {
		return nil
	}
	return fmt.Errorf("%s %s", what, strings.Join(names, ", "))
}

// within returns an observer of what happens to an instance of a bundle, whose
// instances are worked on in an order.
func (s Site) within(key instance.Key, before [][]int, observer event.Observer) event.Observer {
	alone := s.Alone && isSequence(before)
	return event.Func(func(e event.Event) {
		observer.Observe(event.Within{Cluster: s.Name, Namespace: key.Namespace, Name: key.Name, Alone: alone, Event: e})
	})
}
