// SPDX-License-Identifier: Apache-2.0

// Package model_test compares random histories of an instance on a real API
// server with a simple model of what must exist after each step.
package model_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

var (
	seed      = flag.Uint64("seed", 0, "of the first sequence; 0 takes that of the commit")
	sequences = flag.Int("sequences", 200, "how many sequences of steps")
	workers   = flag.Int("workers", 8, "how many sequences run at once")
)

// maxSteps bounds a sequence.
const maxSteps = 8

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(kit.Main(m))
}

// TestSequences runs random sequences of what happens to an instance. Sequence
// n of seed s is sequence 0 of seed s+n, which is how to run a single one:
// go test ./pkg/internal/test/model -seed S -sequences 1 -v.
func TestSequences(t *testing.T) {
	first := *seed
	if first == 0 {
		first = commitSeed()
	}
	t.Logf("seed %d", first)
	w := newWorld(t)
	seeds := make(chan uint64)
	var group sync.WaitGroup
	for n := range *workers {
		u := w.user(t, fmt.Sprintf("model-%d", n))
		group.Go(func() {
			for s := range seeds {
				if err := runSequence(t.Context(), u, s); err != nil {
					t.Errorf("seed %d: %v", s, err)
					return // what is left there would be in the way of the next
				}
			}
		})
	}
	go func() {
		defer close(seeds)
		for n := range *sequences {
			select {
			case seeds <- first + uint64(n):
			case <-t.Context().Done():
				return
			}
		}
	}()
	group.Wait()
}

// commitSeed returns the seed of a commit, so that each commit is tested with
// sequences of its own, and in the same way each time; 1 without git.
func commitSeed() uint64 {
	commit, err := exec.Command("git", "rev-parse", "HEAD").Output()
	if err != nil {
		return 1
	}
	sum := sha256.Sum256(commit)
	return binary.BigEndian.Uint64(sum[:])>>16 + 1 // short enough to type, never 0
}

// runSequence takes an instance through random steps, and away again.
func runSequence(ctx context.Context, u *user, seed uint64) error {
	random := rand.New(rand.NewPCG(seed, 0))
	m := newModel()
	var done []string
	for range 1 + random.IntN(maxSteps) {
		s := choose(random, m)
		done = append(done, s.name)
		if err := check(ctx, u, m, s); err != nil {
			return fmt.Errorf("after\n  %s\n%w", strings.Join(done, "\n  "), err)
		}
	}
	return u.clear(ctx)
}

// check carries a step out in the cluster and in the model, and returns how
// they differ afterwards.
func check(ctx context.Context, u *user, m *model, s step) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err := s.real(ctx, u)
	want := s.model(m)
	if got := errorKind(err); got != want {
		return fmt.Errorf("it was a %s (%w), want %s", got, err, want)
	}
	got, err := u.state(ctx)
	if err != nil {
		return err
	}
	if diff := cmp.Diff(m.state(), got); diff != "" {
		return fmt.Errorf("the cluster is not what the model says (-want +got):\n%s", diff)
	}
	return nil
}

// step is one thing that happens.
type step struct {
	name  string
	real  func(context.Context, *user) error
	model func(*model) outcome
}

// choose returns a step that can happen in the state of the model.
func choose(random *rand.Rand, m *model) step {
	live := m.keys()
	for {
		switch random.IntN(12) {
		case 0, 1, 2, 3:
			return applied(randomRevision(random), random.IntN(4) == 0)
		case 4:
			if m.installed {
				return again(m.history[len(m.history)-1])
			}
		case 5:
			if len(m.history) > 1 {
				return rolledBack(random.IntN(len(m.history)) + 1)
			}
		case 6:
			if m.installed {
				return deleted()
			}
		case 7, 8, 9, 10:
			if len(live) > 0 {
				key := live[random.IntN(len(live))]
				return drifts(m, key)[random.IntN(len(drifts(m, key)))]
			}
		case 11:
			key := keys[random.IntN(len(keys))]
			if m.cluster[key] == nil {
				return foreign(key)
			}
		}
	}
}

// randomRevision returns a version of the module and some objects for it.
func randomRevision(random *rand.Rand) revision {
	r := revision{version: fmt.Sprintf("%d.0.0", 1+random.IntN(2)), objects: map[string]object{}}
	for _, key := range keys {
		if random.IntN(2) == 0 {
			continue
		}
		o := object{value: fmt.Sprint("v", random.IntN(3))}
		switch random.IntN(6) {
		case 0:
			o.keep = true
		case 1:
			o.oneOff = true
		case 2:
			o.immutable = true
		}
		r.objects[key] = o
	}
	return r
}
