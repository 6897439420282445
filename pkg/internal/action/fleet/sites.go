// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"errors"
	"fmt"
	"strings"
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
	if names == nil {
		return nil
	}
	return fmt.Errorf("not reached: cluster %s", strings.Join(names, ", "))
}
