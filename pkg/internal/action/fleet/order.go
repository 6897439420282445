// SPDX-License-Identifier: Apache-2.0

package fleet

import "errors"

// maxAtOnce is the maximum number of instances that are worked on at once.
const maxAtOnce = 8

// inOrder calls do for each item after those that have to be done before it, and
// for items that are independent of each other at once, limit at most. When one
// fails, those under way go on and no further is begun. The error joins those of all, in the
// order of the items.
func inOrder(before [][]int, limit int, do func(i int) error) error {
	s := schedule{before: before, errs: make([]error, len(before)), states: make([]progress, len(before))}
	ended := make(chan int)
	for running := 0; ; running-- {
		for i := range before {
			if running < limit && s.mayBegin(i) {
				s.states[i], running = begun, running+1
				go func() {
					s.errs[i] = do(i)
					ended <- i
				}()
			}
		}
		if running == 0 {
			return errors.Join(s.errs...)
		}
		i := <-ended
		s.states[i], s.failed = done, s.failed || s.errs[i] != nil
	}
}

// schedule is what inOrder knows of its items.
type schedule struct {
	before [][]int
	errs   []error
	states []progress
	failed bool
}

// progress says how far an item has come.
type progress int

// How far.
const (
	waiting progress = iota
	begun
	done
)

func (s *schedule) mayBegin(i int) bool {
	if s.failed || s.states[i] != waiting {
		return false
	}
	for _, k := range s.before[i] {
		if s.states[k] != done {
			return false
		}
	}
	return true
}

// isSequence says whether no two items are worked on at once.
func isSequence(before [][]int) bool {
	for i, list := range before {
		if len(list) < i {
			return false
		}
	}
	return true
}

// backward returns what has to be done before each item when all are done in
// reverse.
func backward(before [][]int) [][]int {
	reverse := make([][]int, len(before))
	for i, list := range before {
		for _, k := range list {
			reverse[k] = append(reverse[k], i)
		}
	}
	return reverse
}
