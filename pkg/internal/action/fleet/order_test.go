// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/bundle"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/fleet"
)

// TestInOrder holds that items are begun after those before them, that
// independent ones are under way at once, and that nothing begins after an error.
func TestInOrder(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var begun []int
	note := func(i int) {
		mu.Lock()
		defer mu.Unlock()
		begun = append(begun, i)
	}
	met := make(chan struct{})
	before := [][]int{nil, nil, {0, 1}, {2}, nil}
	failure := errors.New("failed")
	err := fleet.InOrder(before, 2, func(i int) error {
		note(i)
		switch i {
		case 0:
			met <- struct{}{} // 1 is under way, or this never ends
		case 1:
			<-met
		case 2:
			return failure
		}
		return nil
	})
	if !errors.Is(err, failure) || slices.Contains(begun, 3) || slices.Index(begun, 2) < 2 {
		t.Errorf("error %v, begun %v", err, begun)
	}
	if got := fleet.Backward(before); !slices.Equal(got[0], []int{2}) || !slices.Equal(got[2], []int{3}) || got[3] != nil {
		t.Errorf("backward: %v", got)
	}
	if fleet.IsSequence(before) || !fleet.IsSequence([][]int{nil, {0}, {0, 1}}) {
		t.Error("a sequence is one in which each has all others before it")
	}
}

// TestEach holds that a group of clusters is begun when the one before is done,
// and not after an error, which names what was not reached.
func TestEach(t *testing.T) {
	t.Parallel()
	var sites []fleet.Site
	for _, c := range []bundle.Cluster{{Name: "a", Group: "one"}, {Name: "b", Group: "one"}, {Name: "c", Group: "two"}, {Name: "d", Group: "two"}} {
		sites = append(sites, fleet.Site{Cluster: c})
	}
	var mu sync.Mutex
	var reached []string
	failure := errors.New("failed")
	err := fleet.Each(sites, 2, func(_ int, site fleet.Site) error {
		mu.Lock()
		defer mu.Unlock()
		if site.Alone {
			t.Errorf("%s is said to be alone", site.Name)
		}
		reached = append(reached, site.Name)
		if site.Name == "b" {
			return failure
		}
		return nil
	})
	slices.Sort(reached)
	if !slices.Equal(reached, []string{"a", "b"}) || !errors.Is(err, failure) || err.Error() != "failed\nnot reached: cluster c, d" {
		t.Errorf("reached %q, error %v", reached, err)
	}
	reached = nil
	err = fleet.Each(sites, 1, func(_ int, site fleet.Site) error {
		reached = append(reached, site.Name)
		if !site.Alone {
			t.Errorf("%s is said not to be alone", site.Name)
		}
		if site.Name == "a" {
			return failure
		}
		return nil
	})
	if !slices.Equal(reached, []string{"a"}) || err.Error() != "failed\nnot reached: cluster b, c, d" {
		t.Errorf("reached %q, error %v", reached, err)
	}
}
